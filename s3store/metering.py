"""What accounts had, hour by hour: kept in the index, for whoever makes bills of it.

A sample is what the counters said when an hour was first looked at, so it costs one sum over the
buckets' rows, whatever they hold. Any number of processes may meter one store: an hour is noted
once. An account that had no bucket in an hour has no sample of it; an hour without any sample is
one in which no gateway ran.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from s3store.faults import StoreFault
from s3store.index import samples
from s3store.records import Sample, Usage
from s3store.store import Store

EVERY = timedelta(minutes=5)
"""How often it is looked whether a new hour has come."""

KEPT = timedelta(days=400)
"""How long a sample is kept: a year, and some weeks to bill it."""

_log = logging.getLogger(__name__)


def usages(store: Store) -> dict[str, Usage]:
    """What every account with a bucket has now, by owner."""
    with store.index.look() as connection:
        return samples.usages(connection)


def contents(store: Store) -> dict[int, tuple[int, int]]:
    """Objects and bytes of every bucket now, by its id."""
    with store.index.look() as connection:
        return samples.contents(connection)


def meter(store: Store, now: datetime) -> None:
    """Note what every account has, once for the hour that ``now`` (UTC) is in."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    store.index.change(lambda c: samples.record(c, hour, hour - KEPT), durable=False)


def metered(
    store: Store, since: datetime, until: datetime, owner: str | None = None
) -> list[Sample]:
    """The samples from ``since`` on and before ``until``, of one account or of all."""
    with store.index.look() as connection:
        return list(samples.between(connection, since, until, owner))


def keep_metering(
    store: Store,
    every: timedelta = EVERY,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> threading.Event:
    """Meter again and again in a thread of its own, until the returned event is set."""
    stop = threading.Event()

    def run() -> None:
        while True:
            try:
                meter(store, clock())
            except (StoreFault, OSError):
                _log.exception("what accounts have could not be noted; it will be tried again")
            if stop.wait(every.total_seconds()):
                return

    threading.Thread(target=run, name="s3store-metering", daemon=True).start()
    return stop
