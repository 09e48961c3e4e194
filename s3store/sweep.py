"""Removing what crashes left over: uploads nobody continues, and files without a row.

Both are invisible to every caller, so the sweep is about room on the disk only. It may run at any
time and in several processes at once. An upload is given up when it began, and its file was last
written to, longer ago than the grace period: a slow upload lives as long as bytes arrive.
"""

import itertools
import logging
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from s3store.faults import StoreFault
from s3store.store import Store

GRACE = timedelta(hours=24)

_BATCH = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """How many uploads were given up and how many files without a row were removed."""

    uploads: int
    files: int


def sweep(store: Store, grace: timedelta = GRACE) -> Swept:
    """Remove all rubbish older than the grace period, and say how much it was."""
    before = datetime.now(UTC) - grace
    uploads = sum(_give_up(store, name, before) for name in store.index.unfinished(before))
    files = 0
    old = _old_files(store, before)
    while batch := list(itertools.islice(old, _BATCH)):
        unknown = set(batch) - store.index.known(batch)
        for name in unknown:
            store.blobs.remove(name)
        files += len(unknown)
    return Swept(uploads, files)


def keep_sweeping(store: Store, every: timedelta, grace: timedelta = GRACE) -> threading.Event:
    """Sweep again and again in a thread of its own, until the returned event is set.

    The waits vary, so that the processes of one gateway do not all sweep at the same time.
    """
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(every.total_seconds() * random.uniform(0.5, 1.5)):  # noqa: S311
            try:
                _log.info("swept: %s", sweep(store, grace))
            except (StoreFault, OSError):
                _log.exception("the sweep failed; it will be tried again")

    threading.Thread(target=run, name="s3store-sweep", daemon=True).start()
    return stop


def _give_up(store: Store, name: str, before: datetime) -> bool:
    touched = store.blobs.touched(name)
    if touched is not None and touched >= before.timestamp():
        return False
    if not store.index.abandon(name):
        return False
    store.blobs.remove(name)
    return True


def _old_files(store: Store, before: datetime) -> Iterator[str]:
    return (name for name, touched in store.blobs.names() if touched < before.timestamp())
