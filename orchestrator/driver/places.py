"""Where one cloud's things lie on this host: files, sockets and namespaces.

Lasting state is under the cloud's home; what dies with the machine is under ``/run``. Sockets are
always under ``/run``, because the path of a Unix socket may have 108 bytes only and homes may be
deep. Every name outside the home carries the cloud's tag, so that clouds stand side by side.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from orchestrator import ids


def tag_of(home: Path) -> str:
    """The cloud's tag: six hexadecimal digits made from the absolute path of its home."""
    return hashlib.sha1(str(home.absolute()).encode(), usedforsecurity=False).hexdigest()[:6]


@dataclass(frozen=True)
class Places:
    """Every path and namespace name of one cloud."""

    home: Path
    tag: str

    @property
    def run(self) -> Path:
        """What does not outlive the machine: sockets, leases, metadata documents."""
        return Path(f"/run/pileus-{self.tag}")

    @property
    def daemon(self) -> Path:
        """Where libvirt's lasting state is."""
        return self.home / "libvirt"

    @property
    def consoles(self) -> Path:
        """One log of the serial console per machine."""
        return self.home / "console"

    @property
    def displays(self) -> Path:
        """One VNC socket per machine."""
        return self.run / "vnc"

    @property
    def network(self) -> Path:
        """What the network driver was told last."""
        return self.home / "network"

    @property
    def host_namespace(self) -> str:
        """The network namespace of bridges, taps and filters."""
        return f"pileus-{self.tag}-host"

    @property
    def router_prefix(self) -> str:
        """How the names of all router namespaces of this cloud begin."""
        return f"pileus-{self.tag}-r-"

    def router_namespace(self, network_id: str) -> str:
        """The network namespace of one guest network's router."""
        return self.router_prefix + ids.short(network_id)[:8]

    def router_run(self, network_id: str) -> Path:
        """Run-time files of one router."""
        return self.run / "routers" / ids.short(network_id)[:8]
