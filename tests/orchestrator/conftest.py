"""Fixtures: a provisioned cloud."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.schema.secrets import vault
from tests.orchestrator.cloud import Cloud, copy_cloud, open_cloud


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed cloud to copy: making one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("original")
    vault.open(folder / "secrets.key")
    open_cloud(folder).close()
    return folder


@pytest.fixture
def cloud(original: Path, tmp_path: Path) -> Iterator[Cloud]:
    """A provisioned cloud with simulated hosts, in a folder of its own."""
    opened = copy_cloud(original, tmp_path)
    yield opened
    opened.close()
