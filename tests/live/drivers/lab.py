"""A cloud's drivers with real guests: networks, machines and ways to talk to them."""

import http.server
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from orchestrator.driver.libvirt.daemon import ensure_daemon_absent
from orchestrator.driver.local import local_drivers
from orchestrator.driver.places import Places, tag_of
from orchestrator.driver.ports import (
    Bridge,
    Disk,
    Drivers,
    Group,
    Guest,
    HostNetwork,
    Image,
    Machine,
    Nic,
    Pool,
    Port,
    RouterNetwork,
    Rule,
)
from orchestrator.ids import new_id, short

MIB = 1024**2
EVERYWHERE = IPv4Network("0.0.0.0/0")
LOOPBACK = (IPv4Network("127.0.0.0/8"),)
OPEN_SSH = Rule("tcp", 22, 22, cidr=EVERYWHERE)
# Guests boot under emulation, on machines that may be busy.
BOOT_SECONDS = 180


class Unreachable(Exception):
    """The guest did not answer."""


def eventually(what: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether it comes true within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.3)
    return what()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A web server on loopback over a folder; its URL without a slash at the end."""
    handler = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@dataclass
class Wire:
    """A guest network of the lab, as the orchestrator would know it."""

    id: str
    bridge: Bridge
    cidr: IPv4Network
    guests: list[Guest] = field(default_factory=list)

    @property
    def gateway(self) -> IPv4Address:
        """The router's address."""
        return self.cidr[1]


@dataclass
class Box:
    """A guest of the lab."""

    machine: Machine
    wire: Wire
    port: Port

    @property
    def ip(self) -> str:
        """Its address."""
        return str(self.port.ip)


class Lab:
    """One cloud's drivers, and everything that was told to them."""

    def __init__(self, home: Path, image_url: str) -> None:
        self.home = home
        self.tag = tag_of(home)
        self.places = Places(home, self.tag)
        self.drivers = self.another_way()
        self.pool = Pool(new_id(), str(home / "primary"))
        self.store = Pool(new_id(), str(home / "secondary"))
        self.image = Image(new_id(), image_url, "qcow2")
        self.key = home / "key"
        self.generation = 0
        self.wires: list[Wire] = []
        self.boxes: dict[str, Box] = {}
        self.groups: dict[str, Group] = {}

    def prepare(self) -> None:
        """Make pools and a key, and fetch the image."""
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)]
        subprocess.run(keygen, check=True)
        storage = self.drivers.storage
        for pool in (self.pool, self.store):
            storage.ensure_pool(pool)
        storage.ensure_image(self.store, self.image, LOOPBACK)
        storage.ensure_backing(self.pool, self.store, self.image.id)

    def another_way(self) -> Drivers:
        """Drivers with a connection of their own to the same cloud."""
        return local_drivers(self.home, self.tag, "qemu")

    def close(self) -> None:
        """Take the cloud down."""
        ensure_daemon_absent(self.home, self.tag)

    # -- telling the drivers ------------------------------------------------------------------

    def tell(self) -> None:
        """Tell the host everything, a generation later."""
        self.generation += 1
        groups = {group.id: replace(group, members=self._members(group)) for group in self._all()}
        self.drivers.network.ensure_host(
            HostNetwork(
                self.generation,
                tuple(wire.bridge for wire in self.wires),
                tuple(box.port for box in self.boxes.values()),
                tuple(groups.values()),
            )
        )

    def tell_router(self, wire: Wire) -> None:
        """Tell a router everything, a generation later."""
        self.generation += 1
        self.drivers.network.ensure_router(
            RouterNetwork(
                generation=self.generation,
                network=wire.id,
                bridge=wire.bridge.device,
                gateway=wire.gateway,
                cidr=wire.cidr,
                domain="lab.test",
                dns=(),
                guests=tuple(wire.guests),
            )
        )

    def wire(self, cidr: str) -> Wire:
        """A new network with its router."""
        ident = new_id()
        taken = len(self.wires) + 1
        wire = Wire(ident, Bridge(ident, f"br-{short(ident)[:8]}", taken), IPv4Network(cidr))
        self.wires.append(wire)
        self.tell()
        self.tell_router(wire)
        return wire

    def group(self, *ingress: Rule, egress: tuple[Rule, ...] = ()) -> Group:
        """A new security group."""
        return self.keep(Group(new_id(), (), ingress, egress))

    def keep(self, group: Group) -> Group:
        """A group's rules changed, or it is new."""
        self.groups[group.id] = group
        return group

    # -- guests -------------------------------------------------------------------------------

    def start(self, wire: Wire, number: int, *groups: Group, user_data: bytes | None = None) -> Box:
        """A guest on the network, started; the number is the last part of its address."""
        storage = self.drivers.storage
        root = Disk(new_id(), self.pool, 0)
        size = storage.ensure_image(self.store, self.image, LOOPBACK).virtual_size
        storage.ensure_disk(self.pool, root.volume, size, self.image.id)
        box = self._described(wire, number, groups, root)
        wire.guests.append(self._told(box, number, user_data))
        self.boxes[box.machine.id] = box
        self.tell()
        self.tell_router(wire)
        self.drivers.hypervisor.ensure_running(box.machine)
        return box

    def stop(self, box: Box) -> None:
        """The guest goes, with its disk and its address."""
        self.drivers.hypervisor.ensure_stopped(box.machine.id, 0)
        del self.boxes[box.machine.id]
        box.wire.guests = [guest for guest in box.wire.guests if guest.mac != box.port.mac]
        self.tell()
        self.tell_router(box.wire)
        self.drivers.storage.ensure_disk_absent(self.pool, box.machine.disks[0].volume)

    def join(self, box: Box, *groups: Group) -> None:
        """Change the groups a guest is in."""
        box.port = replace(box.port, groups=tuple(group.id for group in groups))
        self.tell()

    def console(self, box: Box) -> str:
        """What the guest wrote to its serial console."""
        path = self.places.consoles / f"{box.machine.id}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait(self, *boxes: Box, mark: str = "PILEUS-READY") -> None:
        """Until the guests have said so on their consoles."""
        for box in boxes:
            if not eventually(partial(self._says, box, mark), BOOT_SECONDS):
                raise Unreachable(self.console(box)[-2000:])

    def inside(self, wire: Wire, *argv: str, seconds: float = 20) -> str:
        """Run a program in the network's router namespace."""
        namespace = self.places.router_namespace(wire.id)
        done = subprocess.run(
            ["ip", "netns", "exec", namespace, *argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise Unreachable(f"{argv}: {done.returncode} {done.stdout} {done.stderr}")
        return done.stdout

    def ssh(self, box: Box, command: str, seconds: float = 60) -> str:
        """Run a command in the guest, over SSH with the key from its metadata."""
        options = {
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "LogLevel": "ERROR",
            "ConnectTimeout": "10",
            "BatchMode": "yes",
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        arguments = ["-i", str(self.key), *flags, f"root@{box.ip}", command]
        return self.inside(box.wire, "ssh", *arguments, seconds=seconds)

    def knocks(self, box: Box, port: int) -> bool:
        """Whether a TCP port of the guest lets the router connect."""
        try:
            self.inside(box.wire, "nc", "-z", "-w", "3", box.ip, str(port))
        except Unreachable:
            return False
        return True

    # -- details ------------------------------------------------------------------------------

    def _all(self) -> list[Group]:
        return list(self.groups.values())

    def _members(self, group: Group) -> tuple[IPv4Address, ...]:
        return tuple(box.port.ip for box in self.boxes.values() if group.id in box.port.groups)

    def _says(self, box: Box, mark: str) -> bool:
        return mark in self.console(box)

    def _described(self, wire: Wire, number: int, groups: tuple[Group, ...], root: Disk) -> Box:
        nic = new_id()
        mac = f"52:54:00:{short(nic)[:2]}:{short(nic)[2:4]}:{short(nic)[4:6]}"
        port = Port(
            nic=nic,
            device=f"tap-{short(nic)[:8]}",
            network=wire.id,
            mac=mac,
            ip=wire.cidr[number],
            groups=tuple(group.id for group in groups),
        )
        machine = Machine(
            id=new_id(),
            name=f"guest-{number}",
            cpus=1,
            memory=128 * MIB,
            disks=(root,),
            nics=(Nic(nic, port.device, wire.bridge.device, mac),),
        )
        return Box(machine, wire, port)

    def _told(self, box: Box, number: int, user_data: bytes | None) -> Guest:
        return Guest(
            mac=box.port.mac,
            ip=box.port.ip,
            hostname=f"guest-{number}",
            instance=box.machine.id,
            image=self.image.id,
            type="m1.small",
            zone="lab-1a",
            reservation="r-0123456789abcdef0",
            groups=("default",),
            keys={"mine": self.key.with_suffix(".pub").read_text()},
            user_data=user_data,
        )
