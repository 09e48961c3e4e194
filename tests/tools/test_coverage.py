"""The lists of what is supported."""

import shutil
from pathlib import Path

import pytest

from gateway.ec2 import registry
from tools import coverage

PAGES = ("README.md", "gateway/README.md")


def test_the_readmes_have_the_lists_as_they_are(tmp_path: Path) -> None:
    """If this fails, run ``python -m tools.coverage``."""
    (tmp_path / "gateway").mkdir()
    for page in PAGES:
        shutil.copy(coverage.ROOT / page, tmp_path / page)
    assert coverage.main([], tmp_path) == 0
    for page in PAGES:
        assert (tmp_path / page).read_text() == (coverage.ROOT / page).read_text()


def test_every_operation_is_supported_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage.main(["refused"]) == 0
    refused = capsys.readouterr().out.split()
    assert len(coverage.supported()) == 2 + len(registry.OPERATIONS)
    assert not set(refused) & set(registry.OPERATIONS)
    assert "CreateVpc" in refused
    assert "PutObject" in coverage.names()
