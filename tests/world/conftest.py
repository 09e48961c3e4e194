"""Fixtures: one provisioned world per test module, and an audit after every test."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.world.world import World, provision


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A provisioned cloud that the tests of a module share."""
    opened = World(tmp_path_factory.mktemp("world"))
    provision(opened)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def nothing_leaks(world: World) -> Iterator[None]:
    """Whatever a test does, rows and hosts agree afterwards."""
    yield
    assert world.audit() == []


@pytest.fixture
def ec2(world: World) -> Any:
    """The administrator's boto3 EC2 client."""
    return world.aws("ec2")


@pytest.fixture
def native(world: World) -> Any:
    """The administrator's ``cs`` client."""
    return world.native()
