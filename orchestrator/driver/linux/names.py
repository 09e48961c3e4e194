"""Names of devices on a host. The kernel allows 15 characters; ids are cut, letters say the kind.

The orchestrator chooses bridge and tap names (they travel in the documents); these are the
names that the driver makes itself, and the checks of what it is given.
"""

import re

from orchestrator import ids

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_HOSTNAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def uplink(network_id: str) -> str:
    """The host's end of the cable between a guest bridge and its router."""
    return f"r-{ids.short(network_id)[:12]}"


def router_mac(network_id: str) -> str:
    """The router's own address: always the same, so that guests keep it in their ARP tables."""
    return _local_mac("52:55", network_id)


def bridge_mac(network_id: str) -> str:
    """The bridge's own address: fixed, or it would change with every port plugged in."""
    return _local_mac("52:56", network_id)


def device(name: str) -> str:
    """The name, when it is safe in a rule and short enough; ValueError otherwise."""
    return _checked(_DEVICE, name, "device name")


def mac(text: str) -> str:
    """The address in lower case, when it is one; ValueError otherwise."""
    return _checked(_MAC, text.lower(), "MAC address")


def ident(text: str) -> str:
    """The id, when it is a UUID; ValueError otherwise."""
    return _checked(_ID, text, "id")


def is_hostname(text: str) -> bool:
    """Whether DHCP and DNS may be told this name."""
    return _HOSTNAME.fullmatch(text) is not None


def _local_mac(prefix: str, network_id: str) -> str:
    digits = ids.short(network_id)[:8]
    return ":".join([prefix, *(digits[i : i + 2] for i in range(0, 8, 2))])


def _checked(pattern: re.Pattern[str], text: str, what: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no {what}")
    return text
