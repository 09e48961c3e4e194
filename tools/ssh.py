"""SSH into an instance. Guest networks exist in namespaces only, so ssh runs in the router's."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from orchestrator import ids
from orchestrator.driver.places import Places
from tools.home import Config, Home
from tools.native import Native, Row
from tools.packages import program
from tools.refusal import Refusal


@dataclass(frozen=True)
class Guest:
    """Where an instance is: its EC2 id, its address, and the namespace that reaches it."""

    instance: str
    address: str
    namespace: str


def find_guest(home: Home, config: Config, native: Native, instance: str) -> Guest:
    """Look an instance up by EC2 id, native id or name.

    Raises:
        Refusal: there is none, it does not run, or its guest is simulated.
    """
    rows = native.rows("listVirtualMachines", listall=True)
    row = next((row for row in rows if instance in _names(row)), None)
    if row is None:
        raise Refusal(f"There is no instance {instance}.", "aws ec2 describe-instances lists them")
    if config.hypervisor == "memory":
        raise Refusal(
            f"{instance} is simulated: there is no guest to log into.",
            "real guests need a cloud made with: pileus up --hypervisor libvirt",
        )
    if row["state"] != "Running":
        raise Refusal(f"{instance} is {row['state']}.", "start it, then try again")
    nic = row["nic"][0]
    namespace = Places(home.path, home.tag).router_namespace(nic["networkid"])
    return Guest(ids.ec2_id("i", row["id"]), nic["ipaddress"], namespace)


def command(
    home: Home,
    guest: Guest,
    *,
    key: Path | None,
    user: str,
    words: tuple[str, ...],
    connect_seconds: int = 10,
) -> list[str]:
    """The program to run as root. Host keys are remembered per instance, not per address.

    One word is a line for the guest's shell; several are passed on each as it is here.
    """
    options = [
        f"-oUserKnownHostsFile={home / 'run/known_hosts'}",
        f"-oHostKeyAlias={guest.instance}",
        "-oStrictHostKeyChecking=accept-new",
        f"-oConnectTimeout={connect_seconds}",
        "-oLogLevel=ERROR",
    ]
    identity = [f"-i{key}", "-oIdentitiesOnly=yes"] if key else []
    enter = [program("ip") or "ip", "netns", "exec", guest.namespace]
    remote = [words[0] if len(words) == 1 else shlex.join(words)] if words else []
    return [*enter, "ssh", *options, *identity, f"{user}@{guest.address}", *remote]


def _names(row: Row) -> tuple[str, ...]:
    return (ids.ec2_id("i", row["id"]), row["id"], row["name"])
