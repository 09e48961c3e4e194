"""Backups with restic: made, thinned out, checked and restored."""

import json
import os
from pathlib import Path

from tests.clients.programs import Program, contents, folder_of_files, new_bucket
from tests.gateway.s3.servers import ALICE, Server


def test_a_backup_is_made_pruned_checked_and_restored(s3: Server, tmp_path: Path) -> None:
    restic = Program(
        tmp_path,
        "restic",
        RESTIC_REPOSITORY=f"s3:{s3.url}/{new_bucket(s3, 'restic')}/backups",
        RESTIC_PASSWORD="secret",
        AWS_ACCESS_KEY_ID=ALICE.access_key,
        AWS_SECRET_ACCESS_KEY=ALICE.secret,
        AWS_DEFAULT_REGION="us-east-1",
    )
    data = folder_of_files(
        tmp_path / "data", {"a/b c": os.urandom(9 << 20), "a/ü": b"text", "gone": os.urandom(10000)}
    )
    restic("init")
    restic("backup", str(data))
    (data / "gone").unlink()
    (data / "new").write_bytes(os.urandom(2 << 20))
    restic("backup", str(data))
    assert len(json.loads(restic("snapshots", "--json"))) == 2
    restic("forget", "--keep-last", "1", "--prune")
    assert len(json.loads(restic("snapshots", "--json"))) == 1
    restic("check", "--read-data")
    restic("restore", "latest", "--target", str(tmp_path / "back"))
    assert contents(tmp_path / "back" / data.relative_to("/")) == contents(data)
