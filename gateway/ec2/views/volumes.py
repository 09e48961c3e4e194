"""Volumes and attachments."""

from gateway import ids
from gateway.ec2 import names
from gateway.ec2.registry import Reply
from gateway.ec2.views import moment
from gateway.native_calls import Volume

_GIB = 1 << 30
_STATES = {
    "Allocated": "available",
    "Creating": "creating",
    "Ready": "available",
    "Attaching": "in-use",
    "Detaching": "in-use",
    "Destroy": "deleting",
    "Destroying": "deleting",
    "Expunging": "deleting",
}
_ATTACHMENTS = {"Attaching": "attaching", "Creating": "attaching", "Detaching": "detaching"}


def volume(row: Volume, root_type: str) -> Reply:
    """A volume with its attachment, if it has one. Root volumes have no disk offering of their own:
    they are shown as ``root_type``."""
    attached = "virtualmachineid" in row
    return {
        "VolumeId": ids.ec2("vol", row["id"]),
        "Size": -(-row["size"] // _GIB),
        "SnapshotId": "",
        "AvailabilityZone": row["zonename"],
        "State": "in-use" if attached else _STATES.get(row["state"], "error"),
        "CreateTime": moment(row["created"]),
        "VolumeType": row.get("diskofferingname", root_type),
        "Encrypted": False,
        "MultiAttachEnabled": False,
        "Attachments": [attachment(row)] if attached else [],
    }


def attachment(row: Volume) -> Reply:
    """The attachment of an attached volume."""
    return {
        "VolumeId": ids.ec2("vol", row["id"]),
        "InstanceId": ids.ec2("i", row["virtualmachineid"]),
        "Device": names.device(row["deviceid"]),
        "State": _attachment_state(row),
        "AttachTime": _attached(row),
        "DeleteOnTermination": row["type"] == "ROOT",
    }


def mapping(row: Volume) -> Reply:
    """The same attachment as an instance shows it."""
    return {
        "DeviceName": names.device(row["deviceid"]),
        "Ebs": {
            "VolumeId": ids.ec2("vol", row["id"]),
            "Status": _attachment_state(row),
            "AttachTime": _attached(row),
            "DeleteOnTermination": row["type"] == "ROOT",
        },
    }


def _attachment_state(row: Volume) -> str:
    return _ATTACHMENTS.get(row["state"], "attached")


def _attached(row: Volume) -> object:
    return moment(row.get("attached") or row["created"])
