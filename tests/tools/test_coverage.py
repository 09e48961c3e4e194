"""The table of what is supported."""

from pathlib import Path

import pytest

from gateway.ec2 import registry
from tools import coverage

README = Path(__file__).parents[2] / "gateway" / "README.md"


def test_the_readme_has_the_table_as_it_is() -> None:
    """If this fails, put the output of ``python -m tools.coverage`` there."""
    assert "\n".join(coverage.supported()) in README.read_text()


def test_every_operation_is_supported_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage.main(["refused"]) == 0
    refused = capsys.readouterr().out.split()
    assert coverage.main([]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == len(registry.OPERATIONS)
    assert not set(refused) & set(registry.OPERATIONS)
    assert "CreateVpc" in refused
