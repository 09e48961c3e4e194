"""A round of a kill loop."""

import time
from random import Random

from tests.crash.clients import Clients
from tests.crash.rig import PARTS, Rig

VICTIMS = (("orchestrator",), ("orchestrator",), ("native",), ("gateway",), PARTS)


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
    assert not clients.surprises, f"round {clients.seed}: {clients.surprises}"
    for token in clients.tokens:
        assert clients.run(token) == clients.run(token), f"round {clients.seed}, token {token}"
    rig.settle(patience)
    assert rig.audit() == [], f"round {clients.seed}, after the tokens were sent again"
