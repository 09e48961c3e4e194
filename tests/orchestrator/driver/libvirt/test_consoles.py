"""Logs of serial consoles."""

import os
import time
from pathlib import Path

from orchestrator.driver.libvirt.consoles import Consoles
from orchestrator.ids import new_id


def test_a_log_that_grew_is_cut_to_its_end(tmp_path: Path) -> None:
    consoles, machine = Consoles(tmp_path / "console"), new_id()
    path = consoles.begin(machine)
    with path.open("ab", buffering=0) as guest:
        guest.write(b"x" * 3_000_000 + b"the end")
        consoles.trim({machine})
        assert path.stat().st_size == 64 * 1024
        guest.write(b" and more")
    assert path.read_bytes().endswith(b"the end and more")


def test_a_log_outlives_its_machine_by_an_hour(tmp_path: Path) -> None:
    consoles, gone, kept = Consoles(tmp_path), new_id(), new_id()
    long_ago = time.time() - 4000
    for machine in (gone, kept):
        os.utime(consoles.begin(machine), (long_ago, long_ago))
    recent = consoles.begin(new_id())
    consoles.trim({kept})
    assert not consoles.path(gone).exists()
    assert consoles.path(kept).exists()
    assert recent.exists()


def test_a_machine_that_starts_has_a_fresh_log_for_root_alone(tmp_path: Path) -> None:
    consoles, machine = Consoles(tmp_path), new_id()
    consoles.begin(machine).write_text("old")
    path = consoles.begin(machine)
    assert path.read_text() == ""
    assert path.stat().st_mode & 0o777 == 0o600
