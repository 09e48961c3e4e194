"""S3 through the AWS command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.programs import contents, folder_of_files
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


def test_versions_tags_and_uploads_are_managed_by_single_calls(aws: Aws, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(os.urandom(5 << 20))
    aws("s3api", "create-bucket", "--bucket", "cli-more")
    where = ("--bucket", "cli-more", "--key", "k")
    enabled = ("--versioning-configuration", "Status=Enabled")
    aws("s3api", "put-bucket-versioning", "--bucket", "cli-more", *enabled)
    upload = json.loads(aws("s3api", "create-multipart-upload", *where))["UploadId"]
    these = (*where, "--upload-id", upload)
    parts = []
    for number in (1, 2):
        sent = aws(
            "s3api", "upload-part", *these, "--part-number", f"{number}", "--body", str(part)
        )
        parts.append({"PartNumber": number, "ETag": json.loads(sent)["ETag"]})
    assert len(json.loads(aws("s3api", "list-parts", *these))["Parts"]) == 2
    whole = json.dumps({"Parts": parts})
    aws("s3api", "complete-multipart-upload", *these, "--multipart-upload", whole)
    aws("s3api", "delete-object", *where)
    aws("s3api", "put-object", *where, "--tagging", "a=1&b=2")
    tags = json.loads(aws("s3api", "get-object-tagging", *where))["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    found = json.loads(aws("s3api", "list-object-versions", "--bucket", "cli-more"))
    assert [each["Size"] for each in found["Versions"]] == [0, 10 << 20]
    assert len(found["DeleteMarkers"]) == 1
    first = found["Versions"][1]["VersionId"]
    aws("s3api", "get-object", *where, "--version-id", first, "--part-number", "2", str(part))
    assert part.stat().st_size == 5 << 20


def test_a_folder_is_kept_in_step(aws: Aws, tmp_path: Path) -> None:
    folder, back = tmp_path / "sent", tmp_path / "back"
    folder_of_files(folder, {"a": b"one", "b/c": os.urandom(9 << 20), "b/d": b"two"})
    aws("s3", "mb", "s3://cli-sync")
    aws("s3", "sync", str(folder), "s3://cli-sync/x")
    (folder / "a").unlink()
    (folder / "e").write_bytes(b"new")
    assert (
        len(
            aws(
                "s3", "sync", "--no-progress", "--delete", str(folder), "s3://cli-sync/x"
            ).splitlines()
        )
        == 2
    )
    aws("s3", "sync", "s3://cli-sync/x", "s3://cli-sync/y")
    aws("s3", "rm", "s3://cli-sync/x", "--recursive")
    aws("s3", "sync", "s3://cli-sync/y", str(back))
    assert contents(back) == contents(folder)
    assert "Total Objects: 3" in aws("s3", "ls", "s3://cli-sync", "--recursive", "--summarize")


def test_refusals_are_named(server: Server, aws: Aws, tmp_path: Path) -> None:
    aws("s3api", "create-bucket", "--bucket", "cli-refusals")
    select = ("--expression", "SELECT *", "--expression-type", "SQL", str(tmp_path / "out"))
    forms = ("--input-serialization", '{"CSV":{}}', "--output-serialization", '{"CSV":{}}')
    where = ("--bucket", "cli-refusals", "--key", "k")
    refused = aws.run("s3api", "select-object-content", *where, *forms, *select)
    assert "SelectObjectContent is not implemented" in refused.stderr
    bob = Aws(server, tmp_path, BOB)
    assert "(AccessDenied)" in bob.run("s3", "ls", "s3://cli-refusals").stderr
    absent = aws.run("s3", "cp", "s3://cli-refusals/absent", str(tmp_path / "out"))
    assert "404" in absent.stderr
