"""Whole files and locks."""

import threading
from pathlib import Path

import pytest

from orchestrator.driver.files import locked, write_whole
from orchestrator.driver.ports import Transient


def test_a_file_is_written_once_and_says_whether_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    assert write_whole(path, b"one", mode=0o600)
    assert not write_whole(path, b"one", mode=0o600)
    assert write_whole(path, b"two", mode=0o600)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_a_lock_keeps_the_second_out_until_it_gives_up(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), pytest.raises(Transient), locked(tmp_path / "lock", 0.2):
        raise AssertionError("both are inside")


def test_a_lock_whose_file_was_removed_by_its_holder_still_excludes(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    inside: list[int] = []
    most: list[int] = []

    def enter() -> None:
        for _ in range(20):
            with locked(path):
                inside.append(1)
                most.append(len(inside))
                path.unlink()
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert max(most) == 1
