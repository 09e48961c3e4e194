"""Volumes: a volume type is the disk offering of that exact name."""

import secrets

from gateway import ids
from gateway.ec2 import names
from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault, bad_value, missing, not_found
from gateway.ec2.listing import Listing
from gateway.ec2.registry import Reply, operation
from gateway.ec2.views import volumes as views
from gateway.native_calls import Volume


@operation("CreateVolume", fixed={"Encrypted": False, "MultiAttachEnabled": False})
def create_volume(
    ask: Ask,
    availability_zone: str,
    size: int | None = None,
    volume_type: str | None = None,
    client_token: str | None = None,
) -> Reply:
    """Make a volume of a size in GiB; disk offerings of a fixed size need none."""
    zone = ask.catalog.zone(availability_zone)
    offering = ask.catalog.volume_type(volume_type)
    fixed = None if offering["iscustomized"] else offering["disksize"]
    if fixed is None and size is None:
        raise missing("Size")
    if size is not None and (size < 1 or fixed not in (None, size)):
        why = f"It must be {fixed} for this volume type." if fixed else "It must be at least 1."
        raise bad_value("Size", str(size), why)
    token = client_token or secrets.token_hex(8)
    started = ask.native.create_volume(
        name=ids.derived("vol", token),
        zoneid=zone["id"],
        diskofferingid=offering["id"],
        size=size if fixed is None else None,
        clienttoken=client_token,
    )
    [row] = ask.native.list_volumes(ids=[started["id"]])
    return _shown(ask, row)


@operation("DeleteVolume")
def delete_volume(ask: Ask, volume_id: str) -> Reply:
    """Delete a volume that is not attached."""
    ask.native.delete_volume(id=ids.native("vol", volume_id))
    return {}


@operation("AttachVolume")
def attach_volume(ask: Ask, volume_id: str, instance_id: str, device: str) -> Reply:
    """Attach a data volume to an instance in the same zone."""
    slot = names.slot(device)
    if slot == 0:
        raise Ec2Fault("InvalidDevice.InUse", f"{device} is the root device.")
    volume = ids.native("vol", volume_id)
    ask.native.attach_volume(
        id=volume, virtualmachineid=ids.native("i", instance_id), deviceid=slot
    )
    return views.attachment(_one(ask, volume_id))


@operation(
    "DetachVolume", ignores={"Force": "a detachment is always done by the hypervisor itself"}
)
def detach_volume(
    ask: Ask, volume_id: str, instance_id: str | None = None, device: str | None = None
) -> Reply:
    """Detach a data volume; instance and device, when given, must be where it is."""
    before = _one(ask, volume_id)
    if "virtualmachineid" not in before:
        raise Ec2Fault("IncorrectState", f"Volume '{volume_id}' is in the 'available' state.")
    elsewhere = instance_id and ids.native("i", instance_id) != before["virtualmachineid"]
    if elsewhere or (device and names.slot(device) != before["deviceid"]):
        raise Ec2Fault(
            "InvalidAttachment.NotFound",
            f"Volume '{volume_id}' is not attached to {instance_id or device} as asked.",
        )
    if before["type"] == "ROOT":
        raise Ec2Fault("OperationNotPermitted", f"'{volume_id}' is a root volume.")
    ask.native.detach_volume(id=before["id"])
    return {**views.attachment(before), "State": "detaching"}


@operation(
    "DescribeVolumes",
    listing=Listing(
        items=("Volumes",),
        key="VolumeId",
        ids=("VolumeIds",),
        filters={
            "attachment.attach-time": "Attachments.AttachTime",
            "attachment.delete-on-termination": "Attachments.DeleteOnTermination",
            "attachment.device": "Attachments.Device",
            "attachment.instance-id": "Attachments.InstanceId",
            "attachment.status": "Attachments.State",
            "availability-zone": "AvailabilityZone",
            "create-time": "CreateTime",
            "encrypted": "Encrypted",
            "size": "Size",
            "snapshot-id": "SnapshotId",
            "status": "State",
            "volume-id": "VolumeId",
            "volume-type": "VolumeType",
        },
        spell={"attachment.device": names.same_device},
    ),
)
def describe_volumes(ask: Ask, volume_ids: list[str] | None = None) -> Reply:
    """The caller's volumes, root volumes too."""
    if not volume_ids:
        return {"Volumes": [_shown(ask, row) for row in ask.native.list_volumes()]}
    wanted = {ids.native("vol", given): given for given in volume_ids}
    rows = {row["id"]: row for row in ask.native.list_volumes(ids=list(wanted))}
    for native, given in wanted.items():
        if native not in rows:
            raise not_found("vol", given)
    return {"Volumes": [_shown(ask, rows[native]) for native in wanted]}


def _shown(ask: Ask, row: Volume) -> Reply:
    return views.volume(row, ask.catalog.default_volume_type)


def _one(ask: Ask, given: str) -> Volume:
    rows = ask.native.list_volumes(ids=[ids.native("vol", given)])
    if not rows:
        raise not_found("vol", given)
    return rows[0]
