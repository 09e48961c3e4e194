"""Instances: describe, start, stop, reboot, terminate.

An operation on several instances looks at all of them first: if one does not exist, or is in the
wrong state, nothing is done to any.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway import ids
from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault, not_found
from gateway.ec2.listing import Listing
from gateway.ec2.registry import Reply, operation
from gateway.ec2.views import instances as views
from gateway.native import soon
from gateway.native_calls import Instance, Volume

_ENDED = ("Expunging", "Destroyed")

FILTERS = {
    "architecture": "Architecture",
    "availability-zone": "Placement.AvailabilityZone",
    "block-device-mapping.attach-time": "BlockDeviceMappings.Ebs.AttachTime",
    "block-device-mapping.delete-on-termination": "BlockDeviceMappings.Ebs.DeleteOnTermination",
    "block-device-mapping.device-name": "BlockDeviceMappings.DeviceName",
    "block-device-mapping.status": "BlockDeviceMappings.Ebs.Status",
    "block-device-mapping.volume-id": "BlockDeviceMappings.Ebs.VolumeId",
    "dns-name": "PublicDnsName",
    "group-id": "SecurityGroups.GroupId",
    "group-name": "SecurityGroups.GroupName",
    "hypervisor": "Hypervisor",
    "image-id": "ImageId",
    "instance-id": "InstanceId",
    "instance-state-code": "State.Code",
    "instance-state-name": "State.Name",
    "instance-type": "InstanceType",
    "instance.group-id": "SecurityGroups.GroupId",
    "instance.group-name": "SecurityGroups.GroupName",
    "ip-address": "PublicIpAddress",
    "key-name": "KeyName",
    "launch-index": "AmiLaunchIndex",
    "launch-time": "LaunchTime",
    "monitoring-state": "Monitoring.State",
    "owner-id": "^OwnerId",
    "private-dns-name": "PrivateDnsName",
    "private-ip-address": "PrivateIpAddress",
    "reservation-id": "^ReservationId",
    "root-device-name": "RootDeviceName",
    "root-device-type": "RootDeviceType",
    "state-reason-code": "StateReason.Code",
    "tenancy": "Placement.Tenancy",
    "virtualization-type": "VirtualizationType",
}


@operation(
    "DescribeInstances",
    listing=Listing(
        items=("Reservations", "Instances"),
        key="InstanceId",
        ids=("InstanceIds",),
        filters=FILTERS,
    ),
)
def describe_instances(ask: Ask, instance_ids: list[str] | None = None) -> Reply:
    """The caller's instances, and for an hour those that are no more."""
    if instance_ids:
        natives = [ids.native("i", one) for one in instance_ids]
        attached = soon(partial(disks, ask, natives))
        rows, volumes = found(ask, instance_ids), attached.result()
    else:
        promised = soon(ask.native.list_volumes)
        rows, volumes = everything(ask), promised.result()
    owner = ids.owner(ask.caller.account_id)
    return {"Reservations": views.reservations(owner, rows, volumes)}


@dataclass(frozen=True)
class _Change:
    """A change of state: from which states it begins, in which it is done, what it is meanwhile."""

    verb: str
    begins: Collection[str]
    done: Collection[str]
    becomes: str


_START = _Change("started", ("Stopped",), ("Starting", "Running"), "Starting")
_STOP = _Change("stopped", ("Running",), ("Stopping", "Stopped"), "Stopping")
_REBOOT = _Change("rebooted", ("Running",), (), "Running")
_TERMINATE = _Change(
    "terminated",
    ("Starting", "Running", "Stopping", "Stopped", "Error", "Unknown"),
    _ENDED,
    "Expunging",
)


@operation("StartInstances")
def start_instances(ask: Ask, instance_ids: list[str]) -> Reply:
    """Start stopped instances; running ones stay as they are."""
    changed = _change(ask, instance_ids, _START, lambda i: ask.native.start_virtual_machine(id=i))
    return {"StartingInstances": changed}


@operation("StopInstances", fixed={"Hibernate": False})
def stop_instances(
    ask: Ask, instance_ids: list[str], force: bool = False, skip_os_shutdown: bool = False
) -> Reply:
    """Ask guests to power off, or pull the plug."""
    forced = force or skip_os_shutdown
    changed = _change(
        ask, instance_ids, _STOP, lambda i: ask.native.stop_virtual_machine(id=i, forced=forced)
    )
    return {"StoppingInstances": changed}


@operation("RebootInstances")
def reboot_instances(ask: Ask, instance_ids: list[str]) -> Reply:
    """Reset running instances."""
    _change(ask, instance_ids, _REBOOT, lambda i: ask.native.reboot_virtual_machine(id=i))
    return {}


@operation(
    "TerminateInstances",
    ignores={
        "Force": "termination never waits for the guest",
        "SkipOsShutdown": "termination never waits for the guest",
    },
)
def terminate_instances(ask: Ask, instance_ids: list[str]) -> Reply:
    """End instances for good; those that are no more stay so."""
    changed = _change(
        ask,
        instance_ids,
        _TERMINATE,
        lambda i: ask.native.destroy_virtual_machine(id=i, expunge=True),
    )
    return {"TerminatingInstances": changed}


def found(ask: Ask, given: list[str]) -> list[Instance]:
    """The instances of these ids, in that order, each once.

    Raises:
        Ec2Fault: InvalidInstanceID.NotFound, naming the first that does not exist.
    """
    wanted = {ids.native("i", one): one for one in given}
    rows = {row["id"]: row for row in ask.native.list_virtual_machines(ids=list(wanted))}
    for native, one in wanted.items():
        if native not in rows:
            raise not_found("i", one)
    return [rows[native] for native in wanted]


def everything(ask: Ask) -> list[Instance]:
    """All instances, oldest first; plain native lists hide those that are no more."""
    ended = [soon(partial(ask.native.list_virtual_machines, state=state)) for state in _ENDED]
    rows = ask.native.list_virtual_machines()
    for promised in ended:
        rows += promised.result()
    by_id = {row["id"]: row for row in rows}  # one may have moved from list to list meanwhile
    return sorted(by_id.values(), key=lambda row: row["created"])


def disks(ask: Ask, natives: list[str]) -> list[Volume]:
    """The volumes of the instances of these native ids, and maybe more, by one native call."""
    return ask.native.list_volumes(virtualmachineid=natives[0] if len(natives) == 1 else None)


def _change(ask: Ask, given: list[str], change: _Change, act: Callable[[str], Any]) -> list[Reply]:
    rows = found(ask, given)
    for row, one in zip(rows, dict.fromkeys(given), strict=True):
        if row["state"] not in (*change.begins, *change.done):
            name = views.state(row["state"])["Name"]
            raise Ec2Fault(
                "IncorrectInstanceState",
                f"The instance '{one}' is {name}; it cannot be {change.verb} from that state.",
            )
    return [_changed(row, change, act) for row in rows]


def _changed(row: Instance, change: _Change, act: Callable[[str], Any]) -> Reply:
    begins = row["state"] in change.begins
    if begins:
        act(row["id"])
    return {
        "InstanceId": ids.ec2("i", row["id"]),
        "CurrentState": views.state(change.becomes if begins else row["state"]),
        "PreviousState": views.state(row["state"]),
    }
