import time
from pathlib import Path

import pytest

from orchestrator.driver.memory import World
from tests.orchestrator.driver.memory.cloudlet import Cloudlet


@pytest.mark.parametrize("kept", [False, True], ids=["in memory", "in a folder"])
def test_a_thousand_machines_are_soon_deployed(tmp_path: Path, kept: bool) -> None:
    # Takes one to two seconds; the limit leaves room for a busy machine.
    world = World(tmp_path if kept else None)
    cloudlet = Cloudlet(world, hosts=20)
    start = time.monotonic()
    for number in range(1000):
        cloudlet.deploy(number)
    seconds = time.monotonic() - start
    print(f"1000 machines in {seconds:.2f} s")
    assert seconds < 60
    assert sum(len(seen.machines) for seen in world.snapshot().hosts.values()) == 1000
    world.close()
