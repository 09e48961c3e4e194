"""S3 through rclone."""

import os
from pathlib import Path

import pytest

from tests.clients.programs import Program, contents, folder_of_files, new_bucket
from tests.gateway.s3.servers import ALICE, Server

FILES = {
    "small": b"small",
    "deep er/ü+1": os.urandom(100_000),
    "deep er/more/.hidden": b"",
    "large": os.urandom((11 << 20) + 3),
}


@pytest.fixture
def rclone(s3: Server, tmp_path: Path) -> Program:
    """The command for Alice; files of more than 5 MiB go in parts."""
    options = {
        "TYPE": "s3",
        "PROVIDER": "Other",
        "ENDPOINT": s3.url,
        "ACCESS_KEY_ID": ALICE.access_key,
        "SECRET_ACCESS_KEY": ALICE.secret,
        "REGION": "us-east-1",
        "UPLOAD_CUTOFF": "5Mi",
        "CHUNK_SIZE": "5Mi",
        "LIST_CHUNK": "2",
    }
    settings = {f"RCLONE_CONFIG_OURS_{name}": value for name, value in options.items()}
    settings["RCLONE_CONFIG"] = str(tmp_path / "rclone.conf")
    return Program(tmp_path, "rclone", "--low-level-retries=1", "--retries=1", **settings)


def test_rclone_copies_syncs_and_checks(s3: Server, rclone: Program, tmp_path: Path) -> None:
    there = f"ours:{new_bucket(s3, 'rclone')}/there"
    sent = folder_of_files(tmp_path / "sent", FILES)
    rclone("copy", str(sent), there)
    rclone("check", "--download", str(sent), there)
    rclone("check", str(sent), there)
    (sent / "small").write_bytes(b"changed")
    (sent / "large").unlink()
    rclone("sync", str(sent), there)
    rclone("check", str(sent), there)
    rclone("copy", there, str(tmp_path / "back"))
    assert contents(tmp_path / "back") == contents(sent)
    assert rclone("cat", f"{there}/small") == "changed"
    rclone("moveto", f"{there}/small", f"{there}/moved")
    assert "moved" in rclone("lsf", there).splitlines()
    rclone("purge", there)
    assert rclone("lsf", there) == ""


def test_rclone_notices_a_difference(s3: Server, rclone: Program, tmp_path: Path) -> None:
    bucket = new_bucket(s3, "rclone")
    sent = folder_of_files(tmp_path / "sent", {"k": b"one"})
    rclone("copy", str(sent), f"ours:{bucket}")
    s3.client().put_object(Bucket=bucket, Key="k", Body=b"two")
    assert rclone.run("check", str(sent), f"ours:{bucket}").returncode == 1
