"""Single attributes of instances, and how instances are."""

from gateway import ids
from gateway.ec2 import names
from gateway.ec2.ask import Ask
from gateway.ec2.faults import bad_value, unsupported
from gateway.ec2.listing import Listing
from gateway.ec2.operations.instances import disks, everything, found
from gateway.ec2.registry import Reply, operation
from gateway.ec2.views import instances as views
from gateway.ec2.views.volumes import mapping
from gateway.native_calls import Instance

# What every instance has, because nothing else can be had here.
_CONSTANT = {
    "disableApiStop": ("DisableApiStop", {"Value": False}),
    "disableApiTermination": ("DisableApiTermination", {"Value": False}),
    "ebsOptimized": ("EbsOptimized", {"Value": False}),
    "instanceInitiatedShutdownBehavior": ("InstanceInitiatedShutdownBehavior", {"Value": "stop"}),
    "kernel": ("KernelId", {}),
    "productCodes": ("ProductCodes", []),
    "ramdisk": ("RamdiskId", {}),
    "rootDeviceName": ("RootDeviceName", {"Value": names.ROOT_DEVICE}),
    "sourceDestCheck": ("SourceDestCheck", {"Value": True}),
}
_UNKNOWN_HERE = ("userData", "sriovNetSupport", "enaSupport", "enclaveOptions")
_OK, _WAIT, _NONE = "ok", "initializing", "not-applicable"
_HEALTH = {
    "Running": (_OK, "passed"),
    "Starting": (_WAIT, "initializing"),
    "Unknown": ("insufficient-data", "insufficient-data"),
}


@operation("DescribeInstanceAttribute")
def describe_instance_attribute(ask: Ask, attribute: str, instance_id: str) -> Reply:
    """One attribute of one instance."""
    [row] = found(ask, [instance_id])
    reply = {"InstanceId": ids.ec2("i", row["id"])}
    if attribute in _UNKNOWN_HERE:
        raise unsupported(f"The attribute {attribute} cannot be described here.")
    if attribute in _CONSTANT:
        member, value = _CONSTANT[attribute]
        return {**reply, member: value}
    if attribute == "instanceType":
        return {**reply, "InstanceType": {"Value": row.get("serviceofferingname", "")}}
    if attribute == "groupSet":
        return {**reply, "Groups": views.groups(row)}
    if attribute == "blockDeviceMapping":
        return {**reply, "BlockDeviceMappings": [mapping(disk) for disk in disks(ask, [row["id"]])]}
    raise bad_value("attribute", attribute, "It is no attribute of an instance.")


@operation(
    "DescribeInstanceStatus",
    listing=Listing(
        items=("InstanceStatuses",),
        key="InstanceId",
        ids=("InstanceIds",),
        filters={
            "availability-zone": "AvailabilityZone",
            "instance-state-code": "InstanceState.Code",
            "instance-state-name": "InstanceState.Name",
            "instance-status.reachability": "InstanceStatus.Details.Status",
            "instance-status.status": "InstanceStatus.Status",
            "system-status.reachability": "SystemStatus.Details.Status",
            "system-status.status": "SystemStatus.Status",
        },
    ),
)
def describe_instance_status(
    ask: Ask, instance_ids: list[str] | None = None, include_all_instances: bool = False
) -> Reply:
    """Whether instances run, as their hosts say; only running ones unless all are asked for."""
    rows = found(ask, instance_ids) if instance_ids else everything(ask)
    return {
        "InstanceStatuses": [
            _status(row) for row in rows if include_all_instances or row["state"] == "Running"
        ]
    }


def _status(row: Instance) -> Reply:
    status, detail = _HEALTH.get(row["state"], (_NONE, ""))
    details = [{"Name": "reachability", "Status": detail}] if detail else []
    return {
        "InstanceId": ids.ec2("i", row["id"]),
        "AvailabilityZone": row["zonename"],
        "InstanceState": views.state(row["state"]),
        "InstanceStatus": {"Status": status, "Details": details},
        "SystemStatus": {"Status": status, "Details": details},
    }
