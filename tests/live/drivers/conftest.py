from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.drivers.lab import OPEN_SSH, Box, Lab, served
from tools.image import cache_folder, ensure_image


@pytest.fixture(scope="session")
def image_url() -> Iterator[str]:
    image = ensure_image("tiny", cache_folder())
    with served(image.parent) as site:
        yield f"{site}/{image.name}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, image_url: str) -> Iterator[Lab]:
    """A cloud's drivers, for one file of tests."""
    lab = Lab(_long(tmp_path_factory.mktemp("home")), image_url)
    try:
        lab.prepare()
        yield lab
    finally:
        lab.close()


@pytest.fixture(scope="module")
def box(lab: Lab) -> Box:
    """A guest that is up, open to SSH, with user data that ran."""
    script = b"#!/bin/sh\necho it ran >/root/user-data-was-here\n"
    wire = lab.wire("10.77.0.0/24")
    box = lab.start(wire, 10, lab.group(OPEN_SSH), user_data=script)
    lab.wait(box)
    return box


def _long(folder: Path) -> Path:
    """A folder so deep that no socket fits below it."""
    deep = folder / ("a-home-with-a-long-name-" * 4)
    deep.mkdir()
    return deep
