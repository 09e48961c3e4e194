"""Removing what nobody will see again: files under way that nobody continues, files without a row,
parts of removed objects that were still being read, and old answers to completed uploads.

All that is invisible to every caller, so the sweep is about room on the disk only. It may run at
any time and in several processes at once. A file under way is given up when it was announced, and
last written to, longer ago than the grace period: a slow upload lives as long as bytes arrive. A
multipart upload is never given up here: it belongs to its owner, who may abort it.
"""

import itertools
import logging
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from s3store.faults import StoreFault
from s3store.index import leftovers, uploads
from s3store.store import Store

GRACE = timedelta(hours=24)

ANSWERS = timedelta(days=7)
"""How long one who completed a multipart upload may ask again and get the same answer."""

_BATCH = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """How many uploads were given up, files without a use removed, and answers forgotten."""

    uploads: int
    files: int
    answers: int = 0


def sweep(store: Store, grace: timedelta = GRACE) -> Swept:
    """Remove all rubbish older than the grace period, and say how much it was."""
    time = datetime.now(UTC)
    before = time - grace
    with store.index.look() as connection:
        unfinished = leftovers.unfinished(connection, before)
        dropped = uploads.dropped(connection, time)
    given_up = sum(_give_up(store, name, before) for name in unfinished)
    files = sum(store.release(name) for name in dropped) + _remove_unknown(store, before)
    store.blobs.collect()
    answers = store.index.change(lambda c: uploads.forget_answers(c, time - ANSWERS))
    return Swept(given_up, files, answers)


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
    if not store.index.change(lambda c: leftovers.abandon(c, name), durable=False):
        return False
    store.blobs.discard(name)
    return True


def _remove_unknown(store: Store, before: datetime) -> int:
    files = 0
    old = _old_files(store, before)
    while batch := list(itertools.islice(old, _BATCH)):
        with store.index.look() as connection:
            unknown = set(batch) - leftovers.known(connection, batch)
        store.blobs.remove(*unknown)
        files += len(unknown)
    return files


def _old_files(store: Store, before: datetime) -> Iterator[str]:
    return (name for name, touched in store.blobs.names() if touched < before.timestamp())
