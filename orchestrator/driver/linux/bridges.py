"""Bridges in the cloud's host namespace: exactly those that were told."""

from collections.abc import Iterable
from pathlib import Path

from orchestrator.driver.commands import run
from orchestrator.driver.linux import names, namespaces
from orchestrator.driver.ports import Bridge

_SWITCH = Path("/proc/sys/net/bridge")
_SEEN = (
    "net.bridge.bridge-nf-call-iptables=1",
    "net.bridge.bridge-nf-call-ip6tables=0",
    "net.bridge.bridge-nf-call-arptables=0",
    "net.bridge.bridge-nf-filter-vlan-tagged=0",
)


def ensure(namespace: str, told: Iterable[Bridge]) -> None:
    """Have these bridges and no others, and bridged IPv4 shown to the ``ip`` family's rules."""
    wanted = {names.device(bridge.device): bridge for bridge in told}
    standing = present(namespace)
    for device in standing - wanted.keys():
        namespaces.ensure_link_absent(namespace, device)
    for device in wanted.keys() - standing:
        _make(namespace, wanted[device])
    _show_to_filters(namespace)


def present(namespace: str) -> set[str]:
    """Devices that are bridges."""
    return {
        device
        for device, link in namespaces.links(namespace).items()
        if _details(link).get("info_kind") == "bridge"
    }


def _make(namespace: str, bridge: Bridge) -> None:
    link = ["ip", "-n", namespace, "link"]
    mac = names.bridge_mac(bridge.network)
    # Ports forward at once (no spanning tree), and multicast is plain flooding: nobody queries.
    options = ["forward_delay", "0", "stp_state", "0", "mcast_snooping", "0"]
    run([*link, "add", bridge.device, "address", mac, "type", "bridge", *options])
    run([*link, "set", bridge.device, "up"])


def _show_to_filters(namespace: str) -> None:
    if not _SWITCH.exists():
        run(["modprobe", "br_netfilter"])
    namespaces.inside(namespace, ["sysctl", "-qw", *_SEEN])


def _details(link: dict[str, object]) -> dict[str, object]:
    details = link.get("linkinfo")
    return details if isinstance(details, dict) else {}
