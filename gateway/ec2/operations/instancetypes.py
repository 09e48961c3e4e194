"""Instance types: an instance type is the service offering of that exact name."""

from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault
from gateway.ec2.listing import Listing
from gateway.ec2.registry import Reply, operation
from gateway.native_calls import ServiceOffering


@operation(
    "DescribeInstanceTypes",
    listing=Listing(
        items=("InstanceTypes",),
        key="InstanceType",
        ids=("InstanceTypes",),
        filters={
            "instance-type": "InstanceType",
            "bare-metal": "BareMetal",
            "current-generation": "CurrentGeneration",
            "memory-info.size-in-mib": "MemoryInfo.SizeInMiB",
            "processor-info.supported-architecture": "ProcessorInfo.SupportedArchitectures",
            "supported-root-device-type": "SupportedRootDeviceTypes",
            "supported-usage-class": "SupportedUsageClasses",
            "supported-virtualization-type": "SupportedVirtualizationTypes",
            "vcpu-info.default-vcpus": "VCpuInfo.DefaultVCpus",
        },
    ),
)
def describe_instance_types(ask: Ask, instance_types: list[str] | None = None) -> Reply:
    """The service offerings that the caller may use."""
    offerings = ask.catalog.instance_types(fresh=True)
    unknown = set(instance_types or ()) - {offering["name"] for offering in offerings}
    if unknown:
        raise Ec2Fault(
            "InvalidInstanceType",
            f"The following supplied instance types do not exist: {sorted(unknown)}",
        )
    chosen = [o for o in offerings if not instance_types or o["name"] in instance_types]
    return {"InstanceTypes": [_type(offering) for offering in chosen]}


def _type(offering: ServiceOffering) -> Reply:
    cpus = offering["cpunumber"]
    return {
        "InstanceType": offering["name"],
        "CurrentGeneration": True,
        "FreeTierEligible": False,
        "SupportedUsageClasses": ["on-demand"],
        "SupportedRootDeviceTypes": ["ebs"],
        "SupportedVirtualizationTypes": ["hvm"],
        "BareMetal": False,
        "ProcessorInfo": {
            "SupportedArchitectures": ["x86_64"],
            "SustainedClockSpeedInGhz": offering["cpuspeed"] / 1000,
        },
        "VCpuInfo": {"DefaultVCpus": cpus, "DefaultCores": cpus, "DefaultThreadsPerCore": 1},
        "MemoryInfo": {"SizeInMiB": offering["memory"]},
        "InstanceStorageSupported": False,
        "HibernationSupported": False,
        "BurstablePerformanceSupported": False,
    }
