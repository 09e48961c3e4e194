"""Starting and stopping an S3 server, and what its callers need to know of it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from gateway.credentials import Caller
from s3store.store import Store
from tools.parts import ENVIRONMENT, GUNICORN

MOUNT = "/awsapi/rest/AmazonS3"


def caller(name: str, secret: str, access_key: str = "") -> Caller:
    """A caller with an account of their own."""
    return Caller(
        access_key=access_key or f"AK{name.upper()}",
        secret=secret,
        user_id=f"user-{name}",
        username=name,
        account_id=f"account-{name}",
        account=name,
        domain_id="domain",
        enabled=True,
    )


ALICE = caller("alice", "alice/secret+key=")
BOB = caller("bob", "bobs-secret")
GUIDE = caller(
    "guide", "IMY8R7CJQiSGFk4cHwfXXN3D-IRxXc3w_UFXz07", "ChOw-pwdcCFy6fpeyv6kUaR0NnhzmG3tE7HLN_s"
)
GONE = replace(caller("gone", "gone"), enabled=False)


@dataclass(frozen=True)
class Server:
    """A running S3 server. ``root`` holds its store and its callers."""

    port: int
    root: Path
    process: subprocess.Popen[bytes]
    scheme: str = "http"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        """The Host header's value."""
        return f"127.0.0.1:{self.port}"

    def store(self) -> Store:
        """Its store, opened from here too."""
        return Store(self.root / "objects")

    def client(
        self,
        who: Caller = ALICE,
        signature: str = "s3v4",
        mount: str = "",
        region: str = "us-east-1",
        **more: Any,
    ) -> Any:
        """A boto3 client."""
        config = Config(
            signature_version=signature,
            s3={"addressing_style": "path"},
            retries={"max_attempts": 1},
            connect_timeout=5,
            read_timeout=20,
            **more,
        )
        return boto3.client(
            "s3",
            endpoint_url=self.url + mount,
            aws_access_key_id=who.access_key,
            aws_secret_access_key=who.secret,
            region_name=region,
            config=config,
        )

    def tell(self, callers: list[Caller]) -> None:
        """Change the callers it can look up."""
        (self.root / "callers.json").write_text(json.dumps([asdict(each) for each in callers]))


@contextmanager
def serving(
    root: Path,
    region: str = "us-east-1",
    *,
    application: str = "tests.gateway.s3.serving:create()",
    flags: Sequence[str] = (),
) -> Iterator[Server]:
    """Run a server as production does; ``flags`` are gunicorn's and win over production's."""
    root.mkdir(parents=True, exist_ok=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    settings = {"TEST_S3_ROOT": str(root), "TEST_S3_REGION": region}
    environment = os.environ | ENVIRONMENT | settings
    command = [
        *(sys.executable, "-W", "error", "-m", "gunicorn"),
        *(application, f"--bind=127.0.0.1:{port}", "--threads=8", *GUNICORN, *flags),
    ]
    (root / "callers.json").write_text(
        json.dumps([asdict(each) for each in (ALICE, BOB, GUIDE, GONE)])
    )
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, cwd=Path(__file__).parents[3]
        )
        try:
            _wait(process, port, root / "log")
            secure = any(flag.startswith("--certfile") for flag in flags)
            yield Server(port, root, process, "https" if secure else "http")
        finally:
            process.terminate()
            process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server did not start:\n{log.read_text()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not answer in time")
