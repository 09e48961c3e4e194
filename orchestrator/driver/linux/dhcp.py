"""dnsmasq's configuration for one router: leases, names, and which leases are in the way. Pure.

Every guest has a fixed lease. dnsmasq drops to an unprivileged user and reads its two lists again
on SIGHUP; a change of its configuration file needs a restart. So does a lease that was given to a
guest that is gone: dnsmasq would keep its address from the next owner for ever.
"""

from collections.abc import Iterable
from pathlib import Path

from orchestrator.driver.linux import names
from orchestrator.driver.ports import Guest, RouterNetwork

HOSTS = "dhcp-hosts"
NAMES = "dns-names"
LEASES = "leases"
CONFIG = "dnsmasq.conf"


def configuration(told: RouterNetwork, folder: Path, user: str) -> str:
    """The text of ``dnsmasq.conf``."""
    lines = [
        f"user={user}",
        "interface=eth0",
        "bind-dynamic",
        "except-interface=lo",
        "no-hosts",
        "no-resolv",
        "no-ping",
        "quiet-dhcp",
        "dhcp-authoritative",
        "dhcp-lease-max=65536",
        f"pid-file={folder / 'dnsmasq.pid'}",
        f"log-facility={folder / 'dnsmasq.log'}",
        f"dhcp-range={told.cidr.network_address},static,{told.cidr.netmask},infinite",
        f"dhcp-option=option:router,{told.gateway}",
        f"dhcp-hostsfile={folder / HOSTS}",
        f"dhcp-leasefile={folder / LEASES}",
        f"addn-hosts={folder / NAMES}",
        *(f"server={server}" for server in told.dns),
    ]
    if _is_domain(told.domain):
        lines += [f"domain={told.domain}", f"local=/{told.domain}/", "expand-hosts"]
    return "\n".join(lines) + "\n"


def hosts(guests: Iterable[Guest]) -> str:
    """The list of leases. A hostname that DNS would not take is left out, not passed on."""
    return "".join(
        f"{names.mac(guest.mac)},{guest.ip},{_name(guest, ',')}infinite\n" for guest in guests
    )


def addresses(guests: Iterable[Guest]) -> str:
    """The list of names, in the form of ``/etc/hosts``."""
    return "".join(
        f"{guest.ip} {guest.hostname}\n" for guest in guests if names.is_hostname(guest.hostname)
    )


def stale(leases: str, guests: Iterable[Guest]) -> bool:
    """Whether a lease is held by somebody who is not, or no longer, entitled to it."""
    entitled = {(names.mac(guest.mac), str(guest.ip)) for guest in guests}
    return bool(_held(leases) - entitled)


def pruned(leases: str, guests: Iterable[Guest]) -> str:
    """The lease file without those."""
    entitled = {(names.mac(guest.mac), str(guest.ip)) for guest in guests}
    return "".join(
        f"{line}\n" for line in leases.splitlines() if not _held(line) or _held(line) <= entitled
    )


def _held(leases: str) -> set[tuple[str, str]]:
    """Lines are: expiry, MAC, address, name, client id."""
    fields = [line.split() for line in leases.splitlines()]
    return {(line[1].lower(), line[2]) for line in fields if len(line) == 5}


def _name(guest: Guest, end: str) -> str:
    return guest.hostname + end if names.is_hostname(guest.hostname) else ""


def _is_domain(text: str) -> bool:
    return bool(text) and all(names.is_hostname(label) for label in text.split("."))
