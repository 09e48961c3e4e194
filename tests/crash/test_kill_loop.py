"""The kill loop: SIGKILL at random moments while clients are at work, a hundred times.

After every round everything is started again; then nothing may be stuck, nothing may have leaked,
and every client token must stand for one instance. A round's seed is its number.
"""

from collections.abc import Iterator

import pytest

from tests.crash.clients import Clients
from tests.crash.rig import Rig
from tests.crash.rounds import play

pytestmark = pytest.mark.alone

ROUNDS = 100
LOOPS = 2
"""Clouds that are killed side by side; a round is mostly waiting for Python to start."""


@pytest.fixture
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A cloud of real processes with simulated hosts that outlive them."""
    opened = Rig(tmp_path_factory.mktemp("rig"), "memory")
    try:
        opened.provision()
        yield opened
    finally:
        opened.close()


@pytest.mark.parametrize("first", range(LOOPS))
def test_a_hundred_kills_leave_nothing_stuck_and_nothing_leaked(rig: Rig, first: int) -> None:
    """Orchestrator, native API, gateway, or all of them."""
    image = rig.ec2().describe_images()["Images"][0]["ImageId"]
    for number in range(first, ROUNDS, LOOPS):
        play(rig, Clients(rig.ec2(), image, "m1.small", number, most=6), patience=120)
