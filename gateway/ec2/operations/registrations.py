"""Registering images: a template is made from an object in S3, or from any URL, and taken back."""

import re

from gateway import ids
from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault, bad_value, unsupported
from gateway.ec2.names import ROOT_DEVICE
from gateway.ec2.registry import Reply, operation
from gateway.objects import Found, Unreadable

_OS_TYPE = "Other Linux (64-bit)"
_FORM = re.compile(r"\.(qcow2|raw)(\.gz|\.bz2)?\Z", re.IGNORECASE)
_MANIFEST = re.compile(r"\.manifest(\.xml)?\Z", re.IGNORECASE)
_MAGIC = b"QFI\xfb"  # of a qcow2 file
_SERVER_ERROR = 500


@operation(
    "RegisterImage",
    ignores={
        "EnaSupport": "guests have paravirtual network cards that need no driver of EC2's",
        "SriovNetSupport": "guests have paravirtual network cards that need no driver of EC2's",
    },
    fixed={
        "Architecture": "x86_64",
        "RootDeviceName": ROOT_DEVICE,
        "VirtualizationType": "hvm",
    },
)
def register_image(
    ask: Ask, name: str, image_location: str, description: str | None = None
) -> Reply:
    """Make an image of ``bucket/key``, which the caller can read, or of what a URL answers.

    The answer is not waited for: the image is ``pending`` until it was fetched and checked.
    """
    form = _form(image_location)
    url, checksum = _source(ask, image_location)
    if ask.native.list_templates(templatefilter="self", name=name):
        text = f"AMI name {name} is already in use by one of your images."
        raise Ec2Fault("InvalidAMIName.Duplicate", text)
    [os_type] = ask.native.list_os_types(description=_OS_TYPE)
    [made] = ask.native.register_template(
        name=name,
        displaytext=description or name,
        format=form,
        hypervisor="KVM",
        ostypeid=os_type["id"],
        zoneid=ask.catalog.zone(None)["id"],
        url=url,
        checksum=checksum,
    )
    return {"ImageId": ids.ec2("ami", made["id"])}


@operation("DeregisterImage")
def deregister_image(ask: Ask, image_id: str) -> Reply:
    """Take an image back; instances that were made of it go on."""
    ask.native.delete_template(id=ids.native("ami", image_id))
    return {}


def _form(location: str) -> str:
    """The native format that the name of an image tells.

    Raises:
        Ec2Fault: it tells none that can be registered.
    """
    path = location.partition("?")[0] if _is_url(location) else location
    if _MANIFEST.search(path):
        raise unsupported(
            f"{location} is the manifest of a bundled image; upload the image itself, as .qcow2 "
            "or .raw, and register that."
        )
    found = _FORM.search(path)
    if not found:
        why = "It must end in .qcow2 or .raw; .gz or .bz2 may follow."
        raise bad_value("ImageLocation", location, why)
    return found.group(1).upper()


def _source(ask: Ask, location: str) -> tuple[str, str | None]:
    """The URL that the cloud gets the image from, and the checksum of its bytes where known."""
    if _is_url(location):
        return location, None
    found = _object(ask, location)
    if location.lower().endswith(".qcow2") and found.head != _MAGIC:
        raise Ec2Fault("InvalidManifest", f"The object {location} is no qcow2 image.")
    return found.url, found.md5 or None


def _object(ask: Ask, location: str) -> Found:
    bucket, slash, key = location.partition("/")
    if not (bucket and slash and key):
        raise bad_value("ImageLocation", location, "It must be bucket/key, or a URL.")
    try:
        return ask.objects.find(ask.caller, bucket, key)
    except Unreadable as why:
        code = "Unavailable" if why.status >= _SERVER_ERROR else "InvalidManifest"
        raise Ec2Fault(code, f"The object {location} cannot be read: {why}.") from None


def _is_url(location: str) -> bool:
    return location.lower().startswith(("http://", "https://"))
