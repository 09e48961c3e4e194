"""Fixtures: a provisioned cloud."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.schema.secrets import vault
from tests.orchestrator.cloud import Cloud, open_cloud


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A provisioned cloud with simulated hosts, its database in a folder of its own."""
    vault.open(tmp_path / "secrets.key")
    opened = open_cloud(tmp_path)
    yield opened
    opened.sessions.close()
