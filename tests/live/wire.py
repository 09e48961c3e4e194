"""A guest network of the tests' own: a network namespace with DHCP and the real metadata service.

Everything lives in a namespace made for it and goes with it, so nothing here can collide with the
machine's own links or with other tests.
"""

import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from orchestrator.driver.linux.documents import document
from orchestrator.driver.ports import Guest, RouterNetwork

NETWORK = IPv4Network("10.66.0.0/24")
GATEWAY = IPv4Address("10.66.0.1")
METADATA = IPv4Address("169.254.169.254")
MTU = 1440
DOMAIN = "guests.internal"
SEATS = range(10, 20)


def mac(seat: int) -> str:
    """The hardware address that belongs to a seat on the wire."""
    return f"52:54:00:66:00:{seat}"


def address(seat: int) -> IPv4Address:
    """The address that DHCP gives to a seat on the wire."""
    return NETWORK[seat]


@dataclass
class Wire:
    """A bridge in a namespace of its own; each guest has a numbered seat (MAC, address, tap)."""

    folder: Path
    namespace: str = field(default_factory=lambda: f"pileus-t-{secrets.token_hex(3)}")
    _services: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Make the namespace, its bridge, DHCP and the metadata service."""
        self._documents.mkdir()
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        self._ip("link", "set", "lo", "up")
        self._ip("link", "add", "br0", "type", "bridge")
        for each in (f"{GATEWAY}/{NETWORK.prefixlen}", f"{METADATA}/32"):
            self._ip("address", "add", each, "dev", "br0")
        self._ip("link", "set", "br0", "up")
        self._serve(*self._dhcp())
        self._serve(
            sys.executable, "-m", "orchestrator.agent.metadata", "--folder", str(self._documents)
        )

    def close(self) -> None:
        """Undo everything; the links go with the namespace."""
        for service in self._services:
            service.kill()
            service.wait()
        subprocess.run(["ip", "netns", "delete", self.namespace], check=True)

    def tap(self, seat: int) -> str:
        """The seat's port for a guest's network card."""
        name = f"tap{seat}"
        self._ip("tuntap", "add", name, "mode", "tap")
        self._ip("link", "set", name, "master", "br0", "up")
        return name

    def tell(self, guest: Guest) -> None:
        """Have the metadata service describe a guest so, from now on."""
        network = RouterNetwork(
            generation=1,
            network="wire",
            bridge="br0",
            gateway=GATEWAY,
            cidr=NETWORK,
            domain=DOMAIN,
            dns=(),
            guests=(guest,),
        )
        (self._documents / f"{guest.ip}.json").write_bytes(document(guest, network))

    def inside(self, *command: str) -> list[str]:
        """The command line that runs a command in the namespace."""
        return ["ip", "netns", "exec", self.namespace, *command]

    @property
    def _documents(self) -> Path:
        return self.folder / "documents"

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", "-n", self.namespace, *words], check=True)

    def _serve(self, *command: str) -> None:
        with (self.folder / "services.log").open("ab") as log:
            self._services.append(subprocess.Popen(self.inside(*command), stdout=log, stderr=log))

    def _dhcp(self) -> list[str]:
        return [
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-hosts",
            "--no-resolv",
            "--pid-file=",
            "--user=root",
            "--interface=br0",
            "--bind-interfaces",
            "--dhcp-authoritative",
            f"--dhcp-leasefile={self.folder / 'leases'}",
            f"--dhcp-range={NETWORK[SEATS[0]]},static",
            f"--dhcp-option=option:mtu,{MTU}",
            *(f"--dhcp-host={mac(seat)},{address(seat)}" for seat in SEATS),
        ]
