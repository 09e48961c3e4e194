"""What this cloud can do."""

from nativeapi.call import Call
from nativeapi.declare import Role
from nativeapi.envelopes import VERSION
from nativeapi.registry import command
from nativeapi.views.capabilities import CapabilityView
from orchestrator.resources import configuration


@command("listCapabilities", role=Role.USER, service=True, since="1.0")
class ListCapabilities:
    """Show what this cloud can do."""

    def run(self, call: Call) -> CapabilityView:
        ec2, s3 = configuration.flags(call.db, "enable.ec2.api", "enable.s3.api")
        return CapabilityView(
            securitygroupsenabled=True,
            cloudstackversion=VERSION,
            userpublictemplateenabled=True,
            support_elb="false",
            projectinviterequired=True,
            allowusercreateprojects=False,
            customdiskofferingmaxsize=configuration.integer(
                call.db, "custom.diskoffering.size.max"
            ),
            ec2apienabled=ec2,
            s3apienabled=s3,
        )
