"""Buckets without locks: versioning may be off, on, suspended, and on again."""

from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.gateway.s3.machine.machine import Machine
from tests.gateway.s3.machine.server import Server

RUNS = settings(
    max_examples=1000,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def test_a_bucket_without_locks_does_what_the_model_does(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        run_state_machine_as_test(
            type("Plain", (Machine,), {"server": server, "locking": False}), settings=RUNS
        )
    finally:
        server.kill()
