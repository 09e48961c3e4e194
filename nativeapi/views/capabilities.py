"""What this cloud can do, as ``listCapabilities`` shows it."""

from typing import Annotated

from nativeapi.declare import View, Wire


class CapabilityView(View, noun="capability"):
    """What this cloud can do."""

    securitygroupsenabled: Annotated[bool, "whether security groups are offered"]
    cloudstackversion: Annotated[str, "the version of the native API"]
    userpublictemplateenabled: Annotated[bool, "whether users may make their templates public"]
    support_elb: Annotated[str, Wire("supportELB"), "the network type of balancing, or false"]
    projectinviterequired: Annotated[bool, "whether joining a project takes an invitation"]
    allowusercreateprojects: Annotated[bool, "whether users may create projects"]
    customdiskofferingmaxsize: Annotated[int, "largest disk a user may ask for, in GB"]
    ec2apienabled: Annotated[bool, "whether the gateway answers EC2 (enable.ec2.api)"]
    s3apienabled: Annotated[bool, "whether the gateway answers S3 (enable.s3.api)"]
