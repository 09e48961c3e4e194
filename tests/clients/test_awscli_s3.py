"""S3 through the AWS command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.s3.servers import ALICE, BOB, Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server."""
    with serving(tmp_path_factory.mktemp("s3"), region="pileus") as running:
        yield running


class Aws:
    """The command, for one caller."""

    def __init__(self, server: Server, home: Path, who: Any = ALICE) -> None:
        self._command = [str(Path(sys.executable).parent / "aws"), "--endpoint-url", server.url]
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": who.access_key,
            "AWS_SECRET_ACCESS_KEY": who.secret,
            "AWS_DEFAULT_REGION": "pileus",
            "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it, whatever comes of it."""
        return subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def __call__(self, *arguments: str) -> str:
        """Run it; it must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def aws(server: Server, tmp_path: Path) -> Aws:
    """The command for Alice."""
    return Aws(server, tmp_path)


def test_files_go_there_and_back(aws: Aws, tmp_path: Path) -> None:
    folder = tmp_path / "sent"
    (folder / "deep er").mkdir(parents=True)
    (folder / "small").write_bytes(b"small")
    (folder / "deep er" / "ü+1").write_bytes(os.urandom(7 << 20))
    aws("s3", "mb", "s3://cli-files")
    aws("s3", "cp", str(folder), "s3://cli-files/there", "--recursive")
    listed = aws("s3", "ls", "s3://cli-files/", "--recursive")
    assert [line.split(maxsplit=3)[3] for line in listed.splitlines()] == [
        "there/deep er/ü+1",
        "there/small",
    ]
    assert "PRE there/" in aws("s3", "ls", "s3://cli-files")
    aws("s3", "cp", "s3://cli-files/there", str(tmp_path / "back"), "--recursive")
    for name in ("small", "deep er/ü+1"):
        assert (tmp_path / "back" / name).read_bytes() == (folder / name).read_bytes()
    assert aws("s3", "sync", str(folder), "s3://cli-files/there") == ""
    aws("s3", "mv", "s3://cli-files/there/small", "s3://cli-files/moved")
    aws("s3", "rb", "s3://cli-files", "--force")
    assert "cli-files" not in aws("s3", "ls")


def test_single_calls_answer_as_documented(aws: Aws, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"0123456789")
    aws("s3api", "create-bucket", "--bucket", "cli-api")
    where = ("--bucket", "cli-api", "--key", "k")
    aws("s3api", "put-object", *where, "--body", str(tmp_path / "data"), "--metadata", "a_b=1")
    head = json.loads(aws("s3api", "head-object", *where))
    assert (head["ContentLength"], head["Metadata"]) == (10, {"a_b": "1"})
    out = tmp_path / "out"
    aws("s3api", "get-object", *where, "--range", "bytes=2-4", str(out))
    assert out.read_bytes() == b"234"
    found = json.loads(aws("s3api", "list-objects-v2", "--bucket", "cli-api"))
    assert [each["Key"] for each in found["Contents"]] == ["k"]
    place = json.loads(aws("s3api", "get-bucket-location", "--bucket", "cli-api"))
    assert place == {"LocationConstraint": "pileus"}


def test_refusals_are_named(server: Server, aws: Aws, tmp_path: Path) -> None:
    aws("s3api", "create-bucket", "--bucket", "cli-refusals")
    acl = aws.run("s3api", "get-bucket-acl", "--bucket", "cli-refusals")
    assert "(NotImplemented)" in acl.stderr
    bob = Aws(server, tmp_path, BOB)
    assert "(AccessDenied)" in bob.run("s3", "ls", "s3://cli-refusals").stderr
    large = tmp_path / "large"
    large.write_bytes(bytes(9 << 20))
    refused = aws.run("s3", "cp", str(large), "s3://cli-refusals/large")
    assert "CreateMultipartUpload is not implemented" in refused.stderr
    aws("s3api", "put-object", "--bucket", "cli-refusals", "--key", "large", "--body", str(large))
