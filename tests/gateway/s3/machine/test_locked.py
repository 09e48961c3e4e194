"""Buckets whose versions may be locked."""

from pathlib import Path

from hypothesis.stateful import run_state_machine_as_test

from tests.gateway.s3.machine.machine import Machine
from tests.gateway.s3.machine.server import Server
from tests.gateway.s3.machine.test_plain import RUNS


def test_a_bucket_with_locks_does_what_the_model_does(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        run_state_machine_as_test(
            type("Locked", (Machine,), {"server": server, "locking": True}), settings=RUNS
        )
    finally:
        server.kill()
