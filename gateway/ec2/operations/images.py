"""Images: an image is a template that is, or will be, ready to run."""

from gateway import ids
from gateway.ec2 import names
from gateway.ec2.ask import Ask
from gateway.ec2.faults import not_found
from gateway.ec2.listing import Listing
from gateway.ec2.registry import Reply, operation
from gateway.ec2.views import moment
from gateway.native_calls import Template

_GIB = 1 << 30


@operation(
    "DescribeImages",
    ignores={
        "IncludeDeprecated": "images are not deprecated here",
        "IncludeDisabled": "images are not disabled here",
    },
    listing=Listing(
        items=("Images",),
        key="ImageId",
        ids=("ImageIds",),
        filters={
            "architecture": "Architecture",
            "block-device-mapping.device-name": "BlockDeviceMappings.DeviceName",
            "block-device-mapping.volume-size": "BlockDeviceMappings.Ebs.VolumeSize",
            "creation-date": "CreationDate",
            "description": "Description",
            "hypervisor": "Hypervisor",
            "image-id": "ImageId",
            "image-type": "ImageType",
            "is-public": "Public",
            "manifest-location": "ImageLocation",
            "name": "Name",
            "owner-id": "OwnerId",
            "platform": "Platform",
            "root-device-name": "RootDeviceName",
            "root-device-type": "RootDeviceType",
            "state": "State",
            "state-reason-code": "StateReason.Code",
            "state-reason-message": "StateReason.Message",
            "virtualization-type": "VirtualizationType",
        },
    ),
)
def describe_images(
    ask: Ask,
    image_ids: list[str] | None = None,
    owners: list[str] | None = None,
    executable_users: list[str] | None = None,
) -> Reply:
    """The images that the caller may run, and the caller's own that are not ready yet."""
    wanted = {ids.native("ami", given): given for given in image_ids or ()}
    rows = _visible(ask, list(wanted))
    for native, given in wanted.items():
        if native not in rows:
            raise not_found("ami", given)
    images = [_image(ask, row) for row in rows.values()]
    return {
        "Images": [
            image
            for image in images
            if _owned(ask, image, owners) and _executable(ask, image, executable_users)
        ]
    }


def _visible(ask: Ask, wanted: list[str]) -> dict[str, Template]:
    """By id; a template that several lists show, or several zones have, once."""
    found = dict[str, Template]()
    for which in ("executable", "self"):
        for row in ask.native.list_templates(templatefilter=which, ids=wanted or None):
            found.setdefault(row["id"], row)
    return found


def _owned(ask: Ask, image: Reply, owners: list[str] | None) -> bool:
    me = ids.owner(ask.caller.account_id)
    return not owners or image["OwnerId"] in [me if who == "self" else who for who in owners]


def _executable(ask: Ask, image: Reply, users: list[str] | None) -> bool:
    """``all`` is who may run a public image; nobody is named one by one here."""
    if not users:
        return True
    mine = image["OwnerId"] == ids.owner(ask.caller.account_id)
    return ("all" in users and image["Public"]) or ("self" in users and mine)


def _state(row: Template) -> Reply:
    """The state; a native status that begins with "Error" says why an image will never be ready."""
    if row["isready"]:
        return {"State": "available"}
    failed, _, why = row.get("status", "").partition("Error: ")
    if failed or not why:
        return {"State": "pending"}
    return {"State": "failed", "StateReason": {"Code": "Client.InvalidManifest", "Message": why}}


def _location(ask: Ask, row: Template) -> str:
    """Where the image came from: ``bucket/key`` of our own S3, another URL, or else its name."""
    url = row.get("url")
    return ask.objects.location(url) if url else f"{row['account']}/{row['name']}"


def _image(ask: Ask, row: Template) -> Reply:
    size = row.get("size", 0)
    return {
        "ImageId": ids.ec2("ami", row["id"]),
        "ImageLocation": _location(ask, row),
        **_state(row),
        "OwnerId": ids.owner(row["accountid"]),
        "CreationDate": f"{moment(row['created']):%Y-%m-%dT%H:%M:%S}.000Z",
        "Public": row["ispublic"],
        "ProductCodes": [],
        "Architecture": "x86_64",
        "ImageType": "machine",
        "Name": row["name"],
        "Description": row["displaytext"],
        "RootDeviceType": "ebs",
        "RootDeviceName": names.ROOT_DEVICE,
        "BlockDeviceMappings": [
            {
                "DeviceName": names.ROOT_DEVICE,
                "Ebs": {"VolumeSize": max(1, -(-size // _GIB)), "DeleteOnTermination": True},
            }
        ],
        "VirtualizationType": "hvm",
        "Hypervisor": row["hypervisor"].lower(),
        "PlatformDetails": "Linux/UNIX",
    }
