"""The kill loop over real guests: five rounds, judged by libvirt, disks and nftables themselves."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.driver.libvirt.daemon import ensure_daemon_absent
from tests.crash.clients import Clients
from tests.crash.rig import Rig
from tests.crash.rounds import play

pytestmark = pytest.mark.live

ROUNDS = 5


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A cloud of real processes and real guests, in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="pileus-kill-") as folder:
        opened = Rig(Path(folder), "libvirt")
        try:
            opened.provision()
            yield opened
        finally:
            opened.close()
            ensure_daemon_absent(Path(folder), opened.settings.tag)


def test_five_kills_over_real_guests_leave_nothing_stuck_and_nothing_leaked(rig: Rig) -> None:
    """Guests outlive whoever started them, and are found again."""
    image = rig.ec2().describe_images()["Images"][0]["ImageId"]
    for number in range(ROUNDS):
        clients = Clients(rig.ec2(), image, "t2.nano", number, most=3)
        play(rig, clients, patience=300, work=8.0)
