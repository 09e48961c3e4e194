"""The gateway's stubs of the native API."""

from pathlib import Path

import pytest

from tools import stubs


def test_the_stubs_are_fresh() -> None:
    """If this fails, run ``python -m tools.stubs``."""
    assert stubs.FILE.read_text() == stubs.text()
    assert stubs.main(["--check"]) == 0


def test_stale_stubs_are_told_and_mended(tmp_path: Path) -> None:
    copy = tmp_path / "native_calls.py"
    assert stubs.main(["--check"], copy) == 1
    assert stubs.main([], copy) == 0
    assert stubs.main(["--check"], copy) == 0
    copy.write_text(copy.read_text() + "# edited by hand")
    assert stubs.main(["--check"], copy) == 1


@pytest.mark.parametrize(
    ("wire", "snake"),
    [
        ("attachVolume", "attach_volume"),
        ("listSSHKeyPairs", "list_ssh_key_pairs"),
        ("getVMPassword", "get_vm_password"),
    ],
)
def test_commands_are_spelled_in_snake_case(wire: str, snake: str) -> None:
    assert stubs._snake(wire) == snake
