"""Launching: RunInstances makes a reservation of one or more instances.

Nothing is kept here. The reservation's id travels in the native ``group`` of each instance, and a
client token becomes one native token per instance, so that a request sent again finds what the
first one made and makes only what is missing.
"""

import base64
import binascii
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import TypedDict

from gateway import ids
from gateway.ec2 import names
from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault, bad_value, not_found, unsupported
from gateway.ec2.registry import Reply, operation
from gateway.ec2.views import instances as views
from gateway.native import NativeFault
from gateway.native_calls import Instance, Started

# Each instance is a native call of its own; many more would outlast the patience of clients.
MOST = 100
_log = logging.getLogger("gateway.ec2")
_SCARCE = frozenset(("no_capacity", "limit"))


class Placement(TypedDict, total=False):
    """Where instances go."""

    AvailabilityZone: str


class Disk(TypedDict, total=False):
    """The disk of a mapping; its size in GiB."""

    VolumeSize: int
    VolumeType: str


class Mapping(TypedDict, total=False):
    """A disk that an instance starts with."""

    DeviceName: str
    Ebs: Disk


@operation(
    "RunInstances",
    fixed={
        "Monitoring.Enabled": False,
        "DisableApiTermination": False,
        "DisableApiStop": False,
        "EbsOptimized": False,
        "InstanceInitiatedShutdownBehavior": "stop",
        "Placement.Tenancy": "default",
        "HibernationOptions.Configured": False,
        "EnclaveOptions.Enabled": False,
        "MetadataOptions.HttpTokens": "optional",
        "MetadataOptions.HttpEndpoint": "enabled",
        "BlockDeviceMappings.Ebs.DeleteOnTermination": True,
        "BlockDeviceMappings.Ebs.Encrypted": False,
    },
    ignores={"AddressingType": "an address is always given; only old clients ask"},
)
def run_instances(
    ask: Ask,
    image_id: str,
    min_count: int,
    max_count: int,
    instance_type: str | None = None,
    key_name: str | None = None,
    security_groups: list[str] | None = None,
    security_group_ids: list[str] | None = None,
    user_data: str | None = None,
    placement: Placement | None = None,
    block_device_mappings: list[Mapping] | None = None,
    client_token: str | None = None,
) -> Reply:
    """Launch between ``min_count`` and ``max_count`` instances, as many as there is room for."""
    _check_counts(min_count, max_count)
    image = ids.native("ami", image_id)
    offering = ask.catalog.instance_type(instance_type)
    zone = ask.catalog.zone((placement or {}).get("AvailabilityZone"))
    data, size = _user_data(user_data), _root_size(ask, block_device_mappings or [])
    by_id, by_name = _groups(ask, security_group_ids or [], security_groups or [])
    if ask.rehearsal:
        _look_up(ask, image_id, key_name)
    reservation_id = _reservation_id(ask, client_token)

    def deploy(index: int) -> Started:
        return ask.native.deploy_virtual_machine(
            templateid=image,
            serviceofferingid=offering["id"],
            zoneid=zone["id"],
            group=reservation_id,
            keypair=key_name,
            securitygroupids=by_id or None,
            securitygroupnames=by_name or None,
            userdata=data,
            rootdisksize=size,
            clienttoken=f"{client_token}-{index}" if client_token else None,
        )

    made = _launch(ask, min_count, max_count, deploy)
    found = {row["id"]: row for row in ask.native.list_virtual_machines(ids=made)}
    return _reservation(ask, reservation_id, [found[native] for native in made])


def _reservation(ask: Ask, reservation_id: str, rows: Sequence[Instance]) -> Reply:
    owner = ids.owner(ask.caller.account_id)
    return views.reservation(owner, reservation_id, rows, {})


def _launch(ask: Ask, least: int, most: int, deploy: Callable[[int], Started]) -> list[str]:
    """Native ids of what was made: all, or what there was room for, or nothing and the fault."""
    made = list[str]()
    for index in range(most):
        try:
            made.append(deploy(index)["id"])
        except NativeFault as fault:
            if len(made) >= least and fault.kind in _SCARCE:
                break
            _give_back(ask, made)
            raise
    return made


def _give_back(ask: Ask, made: Sequence[str]) -> None:
    for native in made:
        try:
            ask.native.destroy_virtual_machine(id=native, expunge=True)
        except NativeFault as fault:  # the launch fails for its own reason; this one is for the log
            _log.error("instance %s of a failed launch is left over: %s", native, fault)


def _reservation_id(ask: Ask, token: str | None) -> str:
    """The same token gives the same id: the parameters of a repeated launch must be the same."""
    return ids.derived("r", ask.caller.account_id, token or secrets.token_hex(16))


def _check_counts(least: int, most: int) -> None:
    if least < 1:
        raise bad_value("MinCount", str(least), "It must be at least 1.")
    if most < least:
        raise bad_value("MaxCount", str(most), "It must not be less than MinCount.")
    if most > MOST:
        raise bad_value("MaxCount", str(most), f"At most {MOST} instances are launched at once.")


def _user_data(text: str | None) -> str | None:
    """User data in plain base64; some clients break it into lines."""
    if text is None:
        return None
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Ec2Fault("InvalidUserData.Malformed", "UserData must be base64.") from None
    return base64.b64encode(data).decode()


def _root_size(ask: Ask, mappings: Sequence[Mapping]) -> int | None:
    """The wanted size of the root disk in GiB; no other disk can be had from the start."""
    size = None
    for mapping in mappings:
        device = mapping.get("DeviceName", "")
        if names.slot(device) != 0:
            raise unsupported(
                f"BlockDeviceMapping is supported for the root device only, not for {device}; "
                "create a volume and attach it."
            )
        disk = mapping.get("Ebs", {})
        kind, size = disk.get("VolumeType"), disk.get("VolumeSize")
        if kind not in (None, ask.catalog.default_volume_type):
            why = f"A root disk is always {ask.catalog.default_volume_type}."
            raise bad_value("VolumeType", kind, why)
        if size is not None and size < 1:
            raise bad_value("VolumeSize", str(size), "It must be at least 1.")
    return size


def _groups(ask: Ask, given: list[str], called: list[str]) -> tuple[list[str], list[str]]:
    """Group ids and group names for the native call, which takes only one of the two."""
    natives = [ids.native("sg", group) for group in given]
    if not (natives and called) and not ask.rehearsal:
        return natives, called
    rows = ask.native.list_security_groups()
    by_name = {row["name"]: row["id"] for row in rows}
    for name in called:
        if name not in by_name and name != "default":
            raise Ec2Fault("InvalidGroup.NotFound", f"The security group '{name}' does not exist.")
    for native, group in zip(natives, given, strict=True):
        if native not in by_name.values():
            raise not_found("sg", group)
    if not natives:
        return [], called
    return [*natives, *(by_name[name] for name in called if by_name[name] not in natives)], []


def _look_up(ask: Ask, image_id: str, key_name: str | None) -> None:
    """What the launch itself would find out, for a rehearsal that never launches."""
    native = ids.native("ami", image_id)
    if not ask.native.list_templates(templatefilter="executable", ids=[native]):
        raise not_found("ami", image_id)
    if key_name and not ask.native.list_ssh_key_pairs(name=key_name):
        raise Ec2Fault("InvalidKeyPair.NotFound", f"The key pair '{key_name}' does not exist.")
