"""Instances and the reservations they were launched in.

A guest sits directly on its zone's network, so its one address is both private and public; and as
nobody outside resolves its host name, the DNS names are that address too.
"""

from collections.abc import Iterable, Mapping, Sequence

from gateway import ids
from gateway.ec2 import names
from gateway.ec2.registry import Reply
from gateway.ec2.views import moment
from gateway.ec2.views.volumes import mapping
from gateway.native_calls import Instance, Volume

PENDING, RUNNING, SHUTTING_DOWN, TERMINATED, STOPPING, STOPPED = (0, 16, 32, 48, 64, 80)
_STATES = {
    "Starting": (PENDING, "pending"),
    "Running": (RUNNING, "running"),
    "Migrating": (RUNNING, "running"),
    "Unknown": (RUNNING, "running"),
    "Stopping": (STOPPING, "stopping"),
    "Stopped": (STOPPED, "stopped"),
    "Expunging": (SHUTTING_DOWN, "shutting-down"),
    "Destroyed": (TERMINATED, "terminated"),
    "Error": (TERMINATED, "terminated"),
}


def state(native: str) -> Reply:
    """A native state as EC2's code and name."""
    code, name = _STATES[native]
    return {"Code": code, "Name": name}


def reservations(owner: str, rows: Iterable[Instance], volumes: Sequence[Volume]) -> list[Reply]:
    """Instances under the reservations they were launched in, in the order of the rows."""
    by_instance = dict[str, list[Volume]]()
    for volume in volumes:
        by_instance.setdefault(volume.get("virtualmachineid", ""), []).append(volume)
    launched = dict[str, list[Instance]]()
    for row in rows:
        launched.setdefault(_reservation_id(row), []).append(row)
    return [
        reservation(owner, reservation_id, group, by_instance)
        for reservation_id, group in launched.items()
    ]


def reservation(
    owner: str,
    reservation_id: str,
    rows: Sequence[Instance],
    volumes: Mapping[str, Sequence[Volume]],
) -> Reply:
    """One reservation."""
    return {
        "ReservationId": reservation_id,
        "OwnerId": owner,
        "Groups": groups(rows[0]),
        "Instances": [
            _instance(row, index, volumes.get(row["id"], ())) for index, row in enumerate(rows)
        ],
    }


def groups(row: Instance) -> list[Reply]:
    """The security groups of an instance."""
    return [
        {"GroupId": ids.ec2("sg", group["id"]), "GroupName": group["name"]}
        for group in row.get("securitygroup", ())
    ]


def _reservation_id(row: Instance) -> str:
    """Launches through EC2 keep it in the native group; others are a reservation each."""
    group = row.get("group", "")
    return group if group.startswith("r-") else ids.ec2("r", row["id"])


def _instance(row: Instance, index: int, volumes: Sequence[Volume]) -> Reply:
    address = next((nic["ipaddress"] for nic in row.get("nic", ()) if "ipaddress" in nic), None)
    return {
        "InstanceId": ids.ec2("i", row["id"]),
        "ImageId": ids.ec2("ami", row["templateid"]),
        "State": state(row["state"]),
        "PrivateDnsName": address or "",
        "PublicDnsName": address or "",
        "StateTransitionReason": "",
        "KeyName": row.get("keypair"),
        "AmiLaunchIndex": index,
        "ProductCodes": [],
        "InstanceType": row.get("serviceofferingname", ""),
        "LaunchTime": moment(row["created"]),
        "Placement": {
            "AvailabilityZone": row["zonename"],
            "GroupName": "",
            "Tenancy": "default",
        },
        "Monitoring": {"State": "disabled"},
        "PrivateIpAddress": address,
        "PublicIpAddress": address,
        "StateReason": _reason(row),
        "Architecture": "x86_64",
        "RootDeviceType": "ebs",
        "RootDeviceName": names.ROOT_DEVICE,
        "BlockDeviceMappings": [mapping(volume) for volume in volumes],
        "VirtualizationType": "hvm",
        "SecurityGroups": groups(row),
        "Hypervisor": row["hypervisor"].lower(),
        "EbsOptimized": False,
        "SourceDestCheck": True,
    }


def _reason(row: Instance) -> Reply | None:
    if row["state"] == "Error":
        return {"Code": "Server.InternalError", "Message": "Server.InternalError: launch failed"}
    if row["state"] == "Destroyed":
        message = "Client.UserInitiatedShutdown: User initiated shutdown"
        return {"Code": "Client.UserInitiatedShutdown", "Message": message}
    return None
