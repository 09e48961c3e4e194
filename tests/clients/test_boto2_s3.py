"""S3 through boto 2.49, as the guide's users have it: by the mount and at the root."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.s3.servers import GUIDE, MOUNT, Server, serving

PROGRAM = Path(__file__).with_name("boto2_s3.py")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server."""
    with serving(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.mark.parametrize("path", [MOUNT, "/"])
@pytest.mark.parametrize(
    "scenario",
    [
        "a_string_is_stored_and_read_back",
        "a_file_is_stored_and_read_back",
        "keys_are_listed_with_folders_and_removed_together",
        "a_key_is_copied_and_removed",
        "a_url_made_by_boto_works",
        "a_large_file_is_sent_and_copied_in_parts",
        "versions_are_listed_read_and_removed",
        "errors_have_their_codes",
    ],
)
def test_boto2_can_do_what_its_users_do(
    server: Server, tmp_path: Path, scenario: str, path: str
) -> None:
    program = [sys.executable, str(PROGRAM), scenario, str(server.port), path]
    command = [*program, GUIDE.access_key, GUIDE.secret, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
