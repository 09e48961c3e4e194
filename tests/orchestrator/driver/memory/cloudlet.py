"""A tiny cloud on simulated hosts: deploys and expunges machines through the three ports.

Run as a program it works on a world in a folder until it is killed, saying what it begins and what
it has finished.
"""

import sys
import time
from collections import defaultdict
from ipaddress import IPv4Address, IPv4Network
from itertools import count
from pathlib import Path

from orchestrator.driver.memory import World, memory_fleet
from orchestrator.driver.ports import (
    Bridge,
    Disk,
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
from orchestrator.ids import new_id

MIB = 1024**2
STORE = Pool("store", "/store")
IMAGE = Image("image", "https://images.example.com/small.qcow2", "qcow2")
CIDR = IPv4Network("10.0.0.0/16")
SSH = Rule("tcp", 22, 22, cidr=IPv4Network("0.0.0.0/0"))


class Cloudlet:
    """Machines number 0, 1, 2 … spread over some hosts, each host with a network of its own."""

    def __init__(self, world: World, hosts: int) -> None:
        self.fleet = memory_fleet(world)
        self.hosts = hosts
        # Later than those of any process before.
        self.generations = count(time.time_ns())
        self.ports: dict[str, dict[str, Port]] = defaultdict(dict)

    def host(self, number: int) -> str:
        """Where the machine of that number lives."""
        return f"host-{number % self.hosts}"

    def deploy(self, number: int) -> None:
        """All a machine needs, and the machine."""
        host = self.host(number)
        drivers, pool = self.fleet.host(host), Pool(f"pool of {host}", "/pool")
        drivers.storage.ensure_image(STORE, IMAGE, ())
        drivers.storage.ensure_backing(pool, STORE, IMAGE.id)
        drivers.storage.ensure_disk(pool, f"volume-{number}", 64 * MIB, IMAGE.id)
        port = self.port(number)
        self.ports[host][port.nic] = port
        self.tell(host)
        drivers.hypervisor.ensure_running(
            Machine(
                id=f"machine-{number}",
                name=f"m{number}",
                cpus=1,
                memory=64 * MIB,
                disks=(Disk(f"volume-{number}", pool, 0),),
                nics=(Nic(port.nic, port.device, f"br-{host}", port.mac),),
            )
        )

    def expunge(self, number: int) -> None:
        """Nothing of the machine is left."""
        host = self.host(number)
        drivers, pool = self.fleet.host(host), Pool(f"pool of {host}", "/pool")
        drivers.hypervisor.ensure_stopped(f"machine-{number}", 0)
        self.ports[host].pop(f"nic-{number}", None)
        self.tell(host)
        drivers.storage.ensure_disk_absent(pool, f"volume-{number}")

    def port(self, number: int) -> Port:
        """The machine's port."""
        return Port(
            nic=f"nic-{number}",
            device=f"tap{number}",
            network=f"network of {self.host(number)}",
            mac=f"02:00:00:00:{number // 256:02x}:{number % 256:02x}",
            ip=CIDR[number + 2],
            groups=("group",),
        )

    def tell(self, host: str) -> None:
        """Tell a host its network and its router."""
        ports = tuple(self.ports[host].values())
        network, bridge = f"network of {host}", f"br-{host}"
        group = Group("group", tuple(port.ip for port in ports), (SSH,), ())
        drivers = self.fleet.host(host).network
        drivers.ensure_host(
            HostNetwork(next(self.generations), (Bridge(network, bridge, 1),), ports, (group,))
        )
        drivers.ensure_router(
            RouterNetwork(
                generation=next(self.generations),
                network=network,
                bridge=bridge,
                gateway=CIDR[1],
                cidr=CIDR,
                domain="cloudlet.test",
                dns=(IPv4Address("192.0.2.53"),),
                guests=tuple(_guest(port) for port in ports),
            )
        )


def _guest(port: Port) -> Guest:
    return Guest(
        mac=port.mac,
        ip=port.ip,
        hostname=port.nic,
        instance="i-1",
        image="ami-1",
        type="m1.small",
        zone="zone",
        reservation="r-1",
        groups=port.groups,
        keys={"key": "ssh-ed25519 AAAA"},
        user_data=b"\x00\xff",
    )


def work(folder: Path, host: int) -> None:
    """Deploy and expunge on one of two hosts for ever."""
    cloudlet = Cloudlet(World(folder), hosts=2)
    storage = cloudlet.fleet.host(cloudlet.host(host)).storage
    pool = Pool("endless", "/endless")
    for turn in count():
        volume = new_id()
        print("begin", volume, flush=True)
        storage.ensure_disk(pool, volume, MIB, None)
        print("made", volume, flush=True)
        cloudlet.deploy(2 * (turn % 8) + host)
        cloudlet.expunge(2 * ((turn + 4) % 8) + host)


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]))
