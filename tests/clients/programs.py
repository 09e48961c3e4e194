"""Running other people's programs against an S3 server."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from tests.gateway.s3.servers import ALICE, Server

PATIENCE = 120  # seconds; a guard against hanging


class Program:
    """A command with a home and an environment of its own."""

    def __init__(self, home: Path, *command: str, **environment: str) -> None:
        self._command = command
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(home), **environment}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it, whatever comes of it."""
        return subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def __call__(self, *arguments: str) -> str:
        """Run it; it must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def new_bucket(server: Server, name: str = "programs") -> str:
    """Alice's new, empty bucket."""
    bucket = f"{name}-{uuid4().hex[:12]}"
    server.store().create_bucket(bucket, ALICE.account_id)
    return bucket


def folder_of_files(root: Path, files: Mapping[str, bytes]) -> Path:
    """A folder with these files in it."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def contents(root: Path) -> dict[str, bytes]:
    """What is in a folder."""
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
