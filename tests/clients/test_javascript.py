"""S3 through the AWS SDK for JavaScript; npm brings it into a cache of the user's, once."""

import fcntl
import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.clients.programs import Program, new_bucket
from tests.gateway.s3.servers import ALICE, Server

PROGRAM = Path(__file__).with_name("javascript.mjs")
# The last that runs on the Node.js of Debian 12.
PACKAGES = {
    "@aws-sdk/client-s3": "3.896.0",
    "@aws-sdk/lib-storage": "3.896.0",
    "@aws-sdk/s3-request-presigner": "3.896.0",
}


@pytest.fixture(scope="session")
def modules() -> Path:
    """The folder whose ``node_modules`` hold the SDK."""
    wanted = json.dumps({"private": True, "dependencies": PACKAGES}, indent=2)
    cache = Path.home() / ".cache" / "pileus" / "npm"
    folder = cache / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # two test processes may be at it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            (folder / "package.json").write_text(wanted)
            command = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock")
            subprocess.run(command, cwd=folder, check=True, timeout=300, capture_output=True)
            (folder / "complete").touch()
    return folder


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_the_sdk_for_javascript_uploads_in_parts_and_reads_back(
    request: pytest.FixtureRequest,
    modules: Path,
    authority: tuple[Path, Path],
    tmp_path: Path,
    secure: bool,
) -> None:
    server: Server = request.getfixturevalue("s3_over_tls" if secure else "s3")
    environment = {"MODULES": str(modules), "NODE_EXTRA_CA_CERTS": str(authority[0])}
    node = Program(tmp_path, "node", str(PROGRAM), **environment)
    node(server.url, ALICE.access_key, ALICE.secret, new_bucket(server, "javascript"))
