"""``python -m tests.bench ec2``: how fast the EC2 face is, next to moto_server in the same run.

Both servers are real processes on loopback, asked in turn by one client that signs requests with
botocore and reads raw bytes: what is measured is the server. Ours keeps every instance in a durable
database behind two HTTP hops; moto keeps them in memory. Figures are medians; what matters is the
ratio, which holds on a slow or busy machine.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.bench.peers import process
from tests.crash.rig import PARTS, Rig, free_port
from tools.environment import REGION

INSTANCES = 1000
_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


@dataclass(frozen=True)
class Server:
    """An EC2 endpoint with keys."""

    name: str
    url: str
    access: str
    secret: str

    def ask(self, body: str) -> bytes:
        """One signed Query request; the raw answer."""
        request = AWSRequest("POST", self.url, headers=_FORM, data=body.encode())
        SigV4Auth(Credentials(self.access, self.secret), "ec2", REGION).add_auth(request)
        answer = _HTTP.request(
            "POST", self.url, body=body.encode(), headers=dict(request.headers), timeout=300
        )
        if answer.status != 200:
            raise RuntimeError(f"{self.name}: {answer.data[:500]!r}")
        return answer.data


_HTTP = urllib3.PoolManager(retries=False)


@click.command()
@click.option("--rounds", default=15, show_default=True, help="Measurements of each request.")
def ec2(rounds: int) -> None:
    """Measure, and print ratios."""
    with (
        tempfile.TemporaryDirectory(prefix="pileus-bench-") as folder,
        _pileus(Path(folder)) as (ours, rig),
        _moto() as moto,
    ):
        _fill(ours, INSTANCES)
        _fill(moto, INSTANCES)
        rig.settle(600)  # the jobs of the filling would use the same two cores
        describe = _describe(INSTANCES)
        _compare(f"DescribeInstances of {INSTANCES}", ours, moto, describe, rounds)
        _compare("DescribeInstances of one id", ours, moto, _describe_one, rounds)
        _compare("RunInstances of one", ours, moto, _run_one, rounds * 2)


def _describe(expected: int) -> Callable[[Server], None]:
    def ask(server: Server) -> None:
        answer = server.ask("Action=DescribeInstances&Version=2016-11-15")
        found = answer.count(b"<privateIpAddress>") // (2 if server.name == "moto" else 1)
        if answer.count(b"<instanceId>") < expected or not found:
            raise RuntimeError(f"{server.name} forgot instances")

    return ask


def _describe_one(server: Server) -> None:
    server.ask(f"Action=DescribeInstances&Version=2016-11-15&InstanceId.1={_FIRST[server.name]}")


def _run_one(server: Server) -> None:
    server.ask(_run(server, 1))


_FIRST: dict[str, str] = {}
_IMAGE: dict[str, str] = {}


def _run(server: Server, count: int) -> str:
    what = f"ImageId={_IMAGE[server.name]}&InstanceType=t2.nano"
    return f"Action=RunInstances&Version=2016-11-15&{what}&MinCount={count}&MaxCount={count}"


def _fill(server: Server, count: int) -> None:
    images = server.ask("Action=DescribeImages&Version=2016-11-15")
    _IMAGE[server.name] = _between(images, b"<imageId>")
    for _ in range(count // 100):
        answer = server.ask(_run(server, 100))
    _FIRST[server.name] = _between(answer, b"<instanceId>")


def _between(answer: bytes, tag: bytes) -> str:
    return answer.split(tag, 1)[1].split(b"<", 1)[0].decode()


def _compare(
    name: str, ours: Server, moto: Server, ask: Callable[[Server], None], rounds: int
) -> None:
    """Ask both in turn, and print medians and the ratio."""
    seconds: dict[str, list[float]] = {ours.name: [], moto.name: []}
    for _ in range(rounds):
        for server in (ours, moto):
            began = time.perf_counter()
            ask(server)
            seconds[server.name].append(time.perf_counter() - began)
    mine, theirs = (statistics.median(seconds[server.name]) * 1000 for server in (ours, moto))
    figures = f"pileus {mine:8.1f} ms   moto {theirs:8.1f} ms   moto/pileus {theirs / mine:6.2f}"
    click.echo(f"{name:32} {figures}")


@contextmanager
def _pileus(folder: Path) -> Iterator[tuple[Server, Rig]]:
    rig = Rig(folder, "memory")
    try:
        rig.provision()
        admin = rig.home.key("admin")
        yield Server("pileus", rig.config.aws_url, admin.access, admin.secret), rig
        rig.settle(300)
    finally:
        rig.kill([name for name in PARTS if name in rig.processes])
        rig.sessions.close()


@contextmanager
def _moto() -> Iterator[Server]:
    port = free_port()
    command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
    with process(command, port):
        yield Server("moto", f"http://127.0.0.1:{port}/", "testing", "testing")
