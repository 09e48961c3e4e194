"""The table of what is supported."""

from pathlib import Path

import pytest

from gateway.ec2 import registry
from tools import coverage


def test_the_readme_has_the_table_as_it_is(tmp_path: Path) -> None:
    """If this fails, run ``python -m tools.coverage``."""
    page = coverage.FILE.read_text()
    assert "\n".join(coverage.supported()) in page
    stale = tmp_path / "README.md"
    stale.write_text(page.replace("| DeleteVolume |", "| PaintVolume |"))
    assert coverage.main([], stale) == 0
    assert stale.read_text() == page


def test_every_operation_is_supported_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage.main(["refused"]) == 0
    refused = capsys.readouterr().out.split()
    assert len(coverage.supported()) == 2 + len(registry.OPERATIONS)
    assert not set(refused) & set(registry.OPERATIONS)
    assert "CreateVpc" in refused
