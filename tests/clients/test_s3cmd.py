"""S3 through s3cmd."""

import os
from pathlib import Path

import pytest

from tests.clients.programs import Program, contents, folder_of_files
from tests.gateway.s3.servers import ALICE, Server

FILES = {
    "small": b"small",
    "deep er/ü+1": os.urandom(100_000),
    "large": os.urandom((11 << 20) + 3),
}


@pytest.fixture(params=["False", "True"], ids=["version 4", "version 2"])
def s3cmd(request: pytest.FixtureRequest, s3: Server, tmp_path: Path) -> Program:
    """The command for Alice, with either signature."""
    (tmp_path / "config").write_text(
        "[default]\n"
        f"access_key = {ALICE.access_key}\nsecret_key = {ALICE.secret}\n"
        f"host_base = {s3.host}\nhost_bucket = {s3.host}\nuse_https = False\n"
        f"signature_v2 = {request.param}\nmultipart_chunk_size_mb = 5\n"
        "bucket_location = us-east-1\nmax_retries = 1\n"
    )
    return Program(tmp_path, "s3cmd", "-c", str(tmp_path / "config"), LC_ALL="C.UTF-8")


def test_s3cmd_puts_lists_syncs_and_removes(s3: Server, s3cmd: Program, tmp_path: Path) -> None:
    # It copies ACLs along with the objects, so the bucket has to have them.
    name = f"s3cmd-{os.urandom(6).hex()}"
    s3.client().create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    bucket = f"s3://{name}"
    sent = folder_of_files(tmp_path / "sent", FILES)
    s3cmd("sync", f"{sent}/", f"{bucket}/there/")
    assert sorted(line.split(maxsplit=3)[3] for line in s3cmd("ls", "-r", bucket).splitlines()) == [
        f"{bucket}/there/{name}" for name in sorted(FILES)
    ]
    back = tmp_path / "back"
    back.mkdir()
    s3cmd("sync", f"{bucket}/there/", f"{back}/")
    assert contents(back) == FILES
    s3cmd("cp", f"{bucket}/there/small", f"{bucket}/a copy")
    s3cmd("mv", f"{bucket}/a copy", f"{bucket}/moved")
    assert "MD5 sum" in s3cmd("info", f"{bucket}/moved")
    assert s3cmd("du", bucket).split()[0] == str(sum(map(len, FILES.values())) + 5)
    s3cmd("del", f"{bucket}/moved")
    s3cmd("rb", "--recursive", "--force", bucket)
    assert bucket not in s3cmd("ls")
    s3cmd("mb", bucket)
    assert bucket in s3cmd("ls")
