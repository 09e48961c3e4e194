"""The suite that every driver passes, over this machine's own drivers and real guests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

import pytest

from orchestrator.driver.libvirt.connection import Connection
from orchestrator.driver.libvirt.daemon import ensure_daemon
from orchestrator.driver.ports import Disk, Machine
from tests.live.drivers.lab import BOOT_SECONDS, LOOPBACK, MIB, Lab, eventually
from tests.orchestrator.driver import conformance

pytestmark = pytest.mark.live

_GENERATIONS = count(1)


@dataclass
class LendingGround(conformance.Ground):
    """A ground that lends one booted guest to every test."""

    lent: Machine | None = None

    @contextmanager
    def running(self, *more: Disk) -> Iterator[Machine]:
        """The guest that was booted before."""
        assert self.lent is not None
        yield self.lent


def on(lab: Lab, lent: Machine | None = None) -> conformance.Ground:
    """The lab as a ground."""

    def wait(machine: Machine) -> None:
        log = lab.places.consoles / f"{machine.id}.log"
        assert eventually(lambda: "PILEUS-UP" in log.read_text(errors="replace"), BOOT_SECONDS)

    kind = conformance.Ground if lent is None else partial(LendingGround, lent=lent)
    return kind(
        drivers=lab.drivers,
        twin=lab.another_way(),
        pool=lab.pool,
        store=lab.store,
        image=lab.image,
        sites=LOOPBACK,
        root_size=512 * MIB,
        wait_for_guest=wait,
        patience=60,
        generations=_GENERATIONS,
    )


@pytest.fixture
def ground(lab: Lab) -> conformance.Ground:
    return on(lab)


@pytest.fixture
def stranger(lab: Lab) -> Iterator[Callable[[], None]]:
    """Starts a machine that somebody else defined in our daemon."""
    connection = Connection(lambda: ensure_daemon(lab.home, lab.tag))

    def start() -> None:
        with connection.use() as link:
            link.createXML(
                "<domain type='qemu'><name>somebody-elses</name><memory>65536</memory>"
                "<os><type>hvm</type></os></domain>"
            )

    yield start
    with connection.use() as link:
        link.lookupByName("somebody-elses").destroy()
    connection.close()


@pytest.fixture(scope="class")
def booted(lab: Lab) -> Iterator[Machine]:
    """One guest for the whole class: booting is slow, plugging is not."""
    with on(lab).running() as machine:
        yield machine


class TestFacts(conformance.Facts):
    pass


class TestMachines(conformance.Machines):
    pass


class TestHotplug(conformance.Hotplug):
    @pytest.fixture
    def ground(self, lab: Lab, booted: Machine) -> conformance.Ground:
        return on(lab, booted)


class TestCompany(conformance.Company):
    pass


class TestDisks(conformance.Disks):
    pass


class TestImages(conformance.Images):
    pass


class TestFetching(conformance.Fetching):
    pass


class TestCrowding(conformance.Crowding):
    pass


class TestNetworks(conformance.Networks):
    pass


class TestRouters(conformance.Routers):
    pass
