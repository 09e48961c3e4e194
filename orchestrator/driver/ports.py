"""What the cloud asks of a host, as three Protocols: Hypervisor, Storage and Network.

Every verb is ``ensure_…`` or ``observe``. An ``ensure_`` verb may be called twice, or by two
processes at once, and leaves the same world as one call. Plain dataclasses go in and out, keyed by
our own ids; sizes are bytes. Verbs raise :class:`Transient` (try again later) or :class:`Refused`
(never will); anything else is a bug.

The memory driver, libvirt with Linux networking, and the agent's remote client all keep to this
page; ``tests/orchestrator/driver`` runs one conformance suite over each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol


class Transient(Exception):
    """The driver could not do it now; the engine tries again with back-off."""


class Refused(Exception):
    """The driver will never be able to do this; the job unwinds."""


class BadImage(Refused):
    """A template's image is not what it has to be; the text is for whoever registered it."""


class NoSpace(Refused):
    """The host or the pool is full."""


# -- hypervisor ------------------------------------------------------------------------------


class Power(StrEnum):
    """Whether a machine's guest is executing, as the hypervisor sees it."""

    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True)
class HostFacts:
    """What a host has. ``hypervisor`` is ``kvm``, ``qemu`` (emulation) or ``memory``."""

    hypervisor: str
    version: str
    cpus: int
    mhz: int
    memory: int


@dataclass(frozen=True)
class Pool:
    """A place for disks and images on a host: ``path`` is a folder there."""

    id: str
    path: str


@dataclass(frozen=True)
class BucketPool(Pool):
    """An image store that is a bucket at an S3 endpoint; ``path`` is the bucket's name."""

    endpoint: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Disk:
    """A volume plugged into a machine. Slot 0 is the root disk (vda), 1 is vdb and so on."""

    volume: str
    pool: Pool
    slot: int


@dataclass(frozen=True)
class Nic:
    """A network card. ``device`` is the host's end (the tap), ``bridge`` where it is plugged."""

    id: str
    device: str
    bridge: str
    mac: str


@dataclass(frozen=True)
class Machine:
    """A virtual machine, whole: everything needed to define and start it."""

    id: str
    name: str
    cpus: int
    memory: int
    disks: tuple[Disk, ...]
    nics: tuple[Nic, ...]


@dataclass(frozen=True)
class MachineFacts:
    """What the hypervisor says of one machine: its power and the volumes plugged in."""

    power: Power
    volumes: frozenset[str]


class Hypervisor(Protocol):
    """Runs machines on one host."""

    def facts(self) -> HostFacts:
        """What the host has. May boot a short-lived probe guest to find out what works."""
        ...

    def observe(self) -> Mapping[str, MachineFacts]:
        """Every machine of ours on this host, by id, running or defined. Strangers are left out."""
        ...

    def ensure_running(self, machine: Machine) -> None:
        """Define and start the machine exactly as described, unless it already runs."""
        ...

    def ensure_stopped(self, machine_id: str, patience: float) -> None:
        """Ask the guest to power off, pull the plug after ``patience`` seconds (0: at once).

        The machine is gone from the hypervisor afterwards (undefined); its disks stay.
        Nothing happens when it is not there.
        """
        ...

    def ensure_rebooted(self, machine_id: str) -> None:
        """Reset the guest. A machine that is not running is left alone."""
        ...

    def ensure_attached(self, machine_id: str, disk: Disk) -> None:
        """Plug the disk into the running machine, visible to the guest on return."""
        ...

    def ensure_detached(self, machine_id: str, volume_id: str) -> None:
        """Unplug the volume; returns when the guest has let go of it."""
        ...


# -- storage ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class PoolFacts:
    """Bytes in a pool: its capacity and what is used."""

    capacity: int
    used: int


@dataclass(frozen=True)
class Image:
    """A template to fetch. ``checksum`` is hexadecimal MD5, SHA-1, SHA-256 or SHA-512, or empty."""

    id: str
    url: str
    format: str
    checksum: str = ""


@dataclass(frozen=True)
class ImageFacts:
    """Bytes of a fetched image: the disk a guest sees, and the file."""

    virtual_size: int
    physical_size: int


@dataclass(frozen=True)
class Inventory:
    """Ids of what lies in a pool. ``strays`` are files with no id of ours (half-made, unknown)."""

    disks: frozenset[str]
    images: frozenset[str]
    strays: frozenset[str] = frozenset()


class Storage(Protocol):
    """Keeps disks and images in pools that one host can reach."""

    def ensure_pool(self, pool: Pool) -> PoolFacts:
        """Make the pool usable and say how large it is."""
        ...

    def observe(self, pool: Pool) -> Inventory:
        """What lies in the pool."""
        ...

    def ensure_image(
        self, store: Pool, image: Image, allowed_sites: tuple[IPv4Network, ...]
    ) -> ImageFacts:
        """Fetch the image over HTTP(S) into the store, checked; Refused when it is no such image.

        ``allowed_sites`` are the internal networks (loopback, private ranges) that may be asked;
        public addresses always may.
        """
        ...

    def ensure_image_absent(self, store: Pool, image_id: str) -> None:
        """Remove an image from a store or a pool."""
        ...

    def ensure_backing(self, pool: Pool, store: Pool, image_id: str) -> None:
        """Have a read-only copy of a fetched image in the pool, for disks to stand on."""
        ...

    def ensure_disk(self, pool: Pool, volume_id: str, size: int, backing: str | None) -> None:
        """Have a disk of ``size`` bytes in the pool, standing on image ``backing`` if given."""
        ...

    def ensure_disk_absent(self, pool: Pool, volume_id: str) -> None:
        """Remove a disk and its bytes."""
        ...


# -- network ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """One permission of a security group: what may come from (or go to) a range or a group.

    ``protocol`` is ``tcp``, ``udp``, ``icmp``, ``all`` or a protocol number. For TCP and UDP
    ``first`` and ``last`` are ports; for ICMP they are type and code (-1: any).
    Exactly one of ``cidr`` and ``group`` is set.
    """

    protocol: str
    first: int | None
    last: int | None
    cidr: IPv4Network | None = None
    group: str | None = None


@dataclass(frozen=True)
class Group:
    """A security group as a host needs it: who is in it, and what its members may receive."""

    id: str
    members: tuple[IPv4Address, ...]
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


@dataclass(frozen=True)
class Bridge:
    """A guest network on a host. ``zone`` is its number, unique on the host (1..65535)."""

    network: str
    device: str
    zone: int


@dataclass(frozen=True)
class Port:
    """A guest's port on a bridge: only its own MAC and address may speak there."""

    nic: str
    device: str
    network: str
    mac: str
    ip: IPv4Address
    groups: tuple[str, ...]


@dataclass(frozen=True)
class HostNetwork:
    """Everything about networks on one host. Told whole; an older generation changes nothing."""

    generation: int
    bridges: tuple[Bridge, ...]
    ports: tuple[Port, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Guest:
    """What a router knows of a guest: its lease, and what its metadata service tells it."""

    mac: str
    ip: IPv4Address
    hostname: str
    instance: str
    image: str
    type: str
    zone: str
    reservation: str
    groups: tuple[str, ...]
    keys: Mapping[str, str] = field(default_factory=dict)
    user_data: bytes | None = None


@dataclass(frozen=True)
class RouterNetwork:
    """Everything about one guest network's router: DHCP, DNS and metadata. Told whole."""

    generation: int
    network: str
    bridge: str
    gateway: IPv4Address
    cidr: IPv4Network
    domain: str
    dns: tuple[IPv4Address, ...]
    guests: tuple[Guest, ...]


@dataclass(frozen=True)
class NetworkFacts:
    """What of ours stands on a host: ids of networks (bridges), NICs with rules, and routers."""

    networks: frozenset[str]
    ports: frozenset[str]
    routers: frozenset[str]


class Network(Protocol):
    """Bridges, filters and routers on one host."""

    def observe(self) -> NetworkFacts:
        """What stands on the host now."""
        ...

    def ensure_host(self, told: HostNetwork) -> None:
        """Make bridges, anti-spoofing and security groups exactly as told."""
        ...

    def ensure_router(self, told: RouterNetwork) -> None:
        """Make the network's router on this host exactly as told, running."""
        ...

    def ensure_router_absent(self, network_id: str) -> None:
        """Remove the router of a network from this host."""
        ...


@dataclass(frozen=True)
class Drivers:
    """The three ports of one host."""

    hypervisor: Hypervisor
    storage: Storage
    network: Network


class Fleet(Protocol):
    """Finds the drivers of a host."""

    def host(self, host_id: str) -> Drivers:
        """The drivers of this host; Transient when it cannot be reached now."""
        ...
