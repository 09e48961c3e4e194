"""The kill loop: SIGKILL at random moments while clients are at work, a hundred times.

After every round everything is started again; then nothing may be stuck, nothing may have leaked,
and every client token must stand for one instance. A round's seed is its number.
"""

import time
from collections.abc import Iterator
from random import Random

import pytest

from tests.crash.clients import Clients
from tests.crash.rig import PARTS, Rig

ROUNDS = 100
VICTIMS = (("orchestrator",), ("orchestrator",), ("native",), ("gateway",), PARTS)


@pytest.fixture
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A cloud of real processes with simulated hosts that outlive them."""
    opened = Rig(tmp_path_factory.mktemp("rig"), "memory")
    opened.provision()
    yield opened
    opened.close()


def test_a_hundred_kills_leave_nothing_stuck_and_nothing_leaked(rig: Rig) -> None:
    """Orchestrator, native API, gateway, or all of them."""
    image = rig.ec2().describe_images()["Images"][0]["ImageId"]
    for number in range(ROUNDS):
        play(rig, Clients(rig.ec2(), image, "m1.small", number, most=6), patience=30)


def play(rig: Rig, clients: Clients, *, patience: float, work: float = 0.5) -> None:
    """One round: clients at work, a kill, everything started again, and the reckoning."""
    random = Random(clients.seed)
    victims = random.choice(VICTIMS)
    with clients.at_work(4):
        time.sleep(random.uniform(0.05, work))
        rig.kill(victims)
        time.sleep(random.uniform(0, 0.1))
    rig.start(victims)
    rig.settle(patience)
    assert rig.audit() == [], f"round {clients.seed}"
    assert clients.surprises == [], f"round {clients.seed}"
    for token in clients.tokens:
        assert clients.run(token) == clients.run(token), f"round {clients.seed}, token {token}"
    rig.settle(patience)
    assert rig.audit() == [], f"round {clients.seed}, after the tokens were sent again"
