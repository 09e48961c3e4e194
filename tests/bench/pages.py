"""Pages of a bucket with a million keys: how long one takes, wherever in the bucket it lies.

The bucket is filled behind the store's back, by rows that are copies of one that the store wrote:
what is measured is reading, and a million uploads would take an hour.
"""

import socket
import sqlite3
import statistics
import time
from collections.abc import Iterable

import click

from tests.bench import wrk
from tests.bench.peers import Peer
from tests.gateway.s3.raw import receive

BUCKET = "million"
MILLION = 1_000_000
_ROUNDS = 300

# Of folders in folders, a hundred each, with a hundred keys in the innermost.
_PAGES = {
    "first page": "",
    "in the middle": "&start-after=d50%2Fe00%2Ff00",
    "last page": "&start-after=d99%2Fe99%2Ff00",
    "a folder of a million": "&prefix=d",
    "a folder of ten thousand": "&prefix=d50%2F",
    "a folder of a hundred": "&prefix=d50%2Fe50%2F",
    "folders at the root": "&delimiter=%2F",
    "folders of a folder": "&prefix=d50%2F&delimiter=%2F",
    "keys of the last folder": "&prefix=d50%2Fe50%2F&delimiter=%2F",
    "a thousand folders": "&delimiter=%2Ff",
    "folders among keys": "&delimiter=%2Ff0",
}


def keys() -> Iterable[str]:
    """The million, in order."""
    return (f"d{n // 10000:02}/e{n // 100 % 100:02}/f{n % 100:02}" for n in range(MILLION))


def fill(peer: Peer, bucket: str, names: Iterable[str]) -> None:
    """A new bucket of ours with these keys, all with the content of one real object."""
    peer.ask("PUT", f"/{bucket}")
    peer.ask("PUT", f"/{bucket}/+", b"x")
    index = sqlite3.connect(peer.root / "objects" / "index.sqlite", isolation_level=None)
    table = index.execute("PRAGMA table_info(version)").fetchall()
    columns = [f'"{column[1]}"' for column in table if column[1] not in ("id", "key")]
    copied = ", ".join(columns)
    (model,) = index.execute("SELECT id FROM version ORDER BY rowid DESC LIMIT 1").fetchone()
    index.execute("BEGIN IMMEDIATE")
    index.executemany(
        f"INSERT INTO version (id, key, {copied}) "  # noqa: S608 - the columns' names are ours
        f"SELECT lower(hex(randomblob(16))), ?, {copied} FROM version WHERE id = ?",
        ((name.encode(), model) for name in names),
    )
    index.execute("COMMIT")
    index.close()
    peer.ask("DELETE", f"/{bucket}/+")


def measure(peer: Peer) -> None:
    """Fill the bucket, and print the latencies of pages of a thousand."""
    fill(peer, BUCKET, keys())
    click.echo(f"\n{'page of 1,000 in a million keys':34}{'median ms':>12}{'p99 ms':>12}")
    for name, query in _PAGES.items():
        spent = _latencies(peer, f"/{BUCKET}?list-type=2&max-keys=1000{query}")
        p99 = statistics.quantiles(spent, n=100)[98]
        click.echo(f"{name:34}{statistics.median(spent):12.1f}{p99:12.1f}")


def _latencies(peer: Peer, path: str) -> list[float]:
    """Milliseconds of one request after the other over one connection."""
    request = wrk.signed(peer.port, "GET", path)
    spent = []
    with socket.create_connection(("127.0.0.1", peer.port), timeout=60) as connection:
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            connection.sendall(request)
            if receive(connection, "GET").status != 200:
                raise RuntimeError(f"{path} was refused")
            spent.append((time.perf_counter() - began) * 1000)
    return spent
