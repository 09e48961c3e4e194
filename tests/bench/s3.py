"""``python -m tests.bench s3``: how fast the object store is, next to moto_server and nginx.

Every figure is measured for all servers in turn before the next one is, and again for every round;
the table shows the best round of each, since whatever else the machine does can only slow one down.
What matters is the ratio. The two cores are shared with the client, so what the client costs counts
for everybody alike.
"""

import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tests.bench import heads, pages, wrk
from tests.bench.moto import KEYS, LISTED, key
from tests.bench.peers import BUCKET, Peer, peers

SMALL = os.urandom(4 << 10)
LARGE = os.urandom(64 << 20)

Client = Callable[[int, Sequence[bytes], int, float, bool], wrk.Result]
"""Port, requests, connections, seconds, and whether each request is sent only once."""

_PROGRAMS = {"wrk": "wrk", "nginx": "nginx"}
_SHA256 = {len(SMALL): hashlib.sha256(SMALL).hexdigest(), 0: hashlib.sha256(b"").hexdigest()}


@dataclass(frozen=True)
class Case:
    """One figure: requests to make, and how many of what one answer is worth.

    Args:
        unit: what is counted, ``weight`` of it for each answer.
        once: every request can be sent only once; ``prepare`` makes that possible again.
    """

    name: str
    unit: str
    requests: Callable[[Peer], list[bytes]]
    concurrent: tuple[int, ...] = (1, 16, 64)
    client: Client = wrk.run
    weight: float = 1
    once: bool = False
    listing: bool = False


def _get(peer: Peer) -> list[bytes]:
    return [_signed(peer, "GET", f"/{BUCKET}/small/{n}") for n in range(64)]


def _head(peer: Peer) -> list[bytes]:
    return [_signed(peer, "HEAD", f"/{BUCKET}/small/{n}") for n in range(64)]


def _put(peer: Peer) -> list[bytes]:
    return [_signed(peer, "PUT", f"/{BUCKET}/put/{n}", SMALL) for n in range(500)]


def _delete(peer: Peer) -> list[bytes]:
    """Of objects that are there: they are put first, and that is not measured."""
    paths = [f"/{BUCKET}/doomed/{n}" for n in range(1500)]
    wrk.run(peer.port, [_signed(peer, "PUT", path, b"x") for path in paths], 16, 6, once=True)
    return [_signed(peer, "DELETE", path) for path in paths]


def _list(peer: Peer) -> list[bytes]:
    """Ten pages of a thousand keys."""
    page = f"/{LISTED}?list-type=2&max-keys=1000"
    after = [f"&start-after={key(n * 1000 - 1)}" if n else "" for n in range(KEYS // 1000)]
    return [_signed(peer, "GET", page + one) for one in after]


def _get_large(peer: Peer) -> list[bytes]:
    return [_signed(peer, "GET", f"/{BUCKET}/large")]


def _put_large(peer: Peer) -> list[bytes]:
    path = f"/{BUCKET}/put-large"
    return [wrk.signed(peer.port, "PUT", path, LARGE)]


CASES = (
    Case("GET 4 KiB", "requests/s", _get),
    Case("HEAD", "requests/s", _head, client=heads.run),
    Case("PUT 4 KiB", "requests/s", _put),
    Case("DELETE", "requests/s", _delete, once=True),
    Case("LIST 10,000", "keys/s", _list, (1, 16), weight=1000, listing=True),
    Case("GET 64 MiB", "MiB/s", _get_large, (1, 16, 64), weight=64),
    Case("PUT 64 MiB", "MiB/s", _put_large, (1, 4), weight=64),
)


def _signed(peer: Peer, method: str, path: str, body: bytes = b"") -> bytes:
    digest = _SHA256.get(len(body)) or hashlib.sha256(body).hexdigest()
    return wrk.signed(peer.port, method, path, body, digest)


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Measurements of each figure.")
@click.option("--seconds", default=2.0, show_default=True, help="How long each takes.")
@click.option("--only", default="", help="Only figures whose name begins so.")
@click.option("--million", is_flag=True, help="Also pages of a bucket with a million keys.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the stores are; a new one.")
def s3(rounds: int, seconds: float, only: str, million: bool, folder: Path | None) -> None:
    """Object store: requests a second next to moto_server and nginx."""
    absent = [package for program, package in _PROGRAMS.items() if not shutil.which(program)]
    if absent:
        raise click.ClickException(f"needed: apt-get install {' '.join(absent)}")
    with (
        tempfile.TemporaryDirectory(prefix="pileus-bench-", dir=folder) as place,
        peers(Path(place)) as running,
    ):
        Path(place).chmod(0o755)  # nginx's workers are somebody else
        for peer in running:
            _fill(peer)
        pages.fill(running[0], LISTED, map(key, range(KEYS)))
        click.echo(_row("", "", [peer.name for peer in running], "of moto", "of nginx"))
        for case in CASES:
            if case.name.startswith(only):
                _measure(case, running, rounds, seconds)
        for peer in running:
            click.echo(f"peak memory of {peer.name}'s processes (PSS), MiB: {peer.peak()}")
        if million:
            pages.measure(running[0])


def _fill(peer: Peer) -> None:
    for number in range(64):
        peer.ask("PUT", f"/{BUCKET}/small/{number}", SMALL)
    peer.ask("PUT", f"/{BUCKET}/large", LARGE)


def _measure(case: Case, running: list[Peer], rounds: int, seconds: float) -> None:
    for concurrent in case.concurrent:
        rates: dict[str, float] = {}
        bad = Counter[str]()
        for _ in range(rounds):
            for peer in running:
                if case.listing and not peer.lists:
                    continue
                requests = case.requests(peer)
                result = case.client(peer.port, requests, concurrent, seconds, case.once)
                peer.settle()
                bad[peer.name] += result.bad
                rates[peer.name] = max(rates.get(peer.name, 0), result.rate * case.weight)
        _print(f"{case.name} at {concurrent}", case.unit, running, rates, bad)


def _print(
    name: str, unit: str, running: list[Peer], rates: dict[str, float], bad: Counter[str]
) -> None:
    ours = rates["pileus"]
    ratios = (f"{ours / rates[peer]:.2f}" if rates.get(peer) else "-" for peer in ("moto", "nginx"))
    figures = [f"{rates[peer.name]:,.0f}" if peer.name in rates else "-" for peer in running]
    errors = (f"  {count} ERRORS of {peer}" for peer, count in bad.items() if count)
    click.echo(_row(name, unit, figures, *ratios) + "".join(errors))


def _row(name: str, unit: str, figures: list[str], *ratios: str) -> str:
    columns = "".join(f"{figure:>12}" for figure in (*figures, *ratios))
    return f"{name:20}{unit:11}{columns}"
