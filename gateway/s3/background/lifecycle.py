"""Lifecycle carried out: what a bucket's rules say must go, goes.

One process at a time walks over every bucket that has rules, in key order, a page at a time, and
deletes in small transactions what is due. Every deletion names the very version that was judged, so
that whatever clients do meanwhile, nothing goes that the rules did not mean; what is locked stays.
A walk that is cut short loses nothing: the next one finds what is still there.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from gateway.s3.background import expiry
from gateway.s3.background.expiry import Rule
from s3store import faults
from s3store.outbox import Lease
from s3store.records import Bucket, Doomed, Upload, Version
from s3store.store import Store

_T = TypeVar("_T")

Watch = Callable[[], AbstractContextManager[None]]
"""Has the changes inside it watched."""

_PAGE, _BATCH = 500, 100
_LASTS = timedelta(minutes=5)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Applied:
    """How much went: objects (or their delete markers came), old versions, markers, uploads."""

    objects: int = 0
    old: int = 0
    markers: int = 0
    uploads: int = 0

    def __add__(self, other: "Applied") -> "Applied":
        return Applied(
            self.objects + other.objects,
            self.old + other.old,
            self.markers + other.markers,
            self.uploads + other.uploads,
        )


def apply(
    store: Store,
    day: timedelta = expiry.DAY,
    *,
    now: datetime | None = None,
    watch: Watch = nullcontext,
    go_on: Callable[[], bool] = lambda: True,
) -> Applied:
    """Apply the rules of all buckets, and say how much went.

    Args:
        day: how long a rule's day lasts.
        now: the time it is taken to be; the present when absent.
        watch: has the deletions watched, so that they are notified.
        go_on: asked before every page; False ends the walk.

    Raises:
        StoreFault: the store does not answer.
    """
    total = Applied()
    for bucket in store.every_bucket():
        given = expiry.rules(bucket)
        if not given:
            continue
        walk = _Walk(store, bucket, given, day, now or datetime.now(UTC), go_on)
        try:
            with watch():
                total += walk.run()
        except faults.NoSuchBucket:
            continue  # it was removed meanwhile
    return total


def keep_applying(store: Store, day: timedelta, watch: Watch = nullcontext) -> threading.Event:
    """Apply the rules again and again in a thread of its own, until the returned event is set.

    Of all processes of a store one at a time does. A day has about twenty-four walks.
    """
    stop, lease = threading.Event(), Lease(store, "lifecycle", _LASTS)
    every = max(day.total_seconds() / 24, 1.0)

    def go_on() -> bool:
        return not stop.is_set() and lease.take()

    def run() -> None:
        while not stop.wait(every * random.uniform(0.5, 1.5)):  # noqa: S311
            try:
                if go_on():
                    applied = apply(store, day, watch=watch, go_on=go_on)
                    if applied != Applied():
                        _log.info("lifecycle: %s", applied)
            except (faults.StoreFault, OSError):
                _log.exception("applying the lifecycle rules failed; it will be tried again")

    threading.Thread(target=run, name="s3-lifecycle", daemon=True).start()
    return stop


class _Walk:
    """One walk over one bucket."""

    def __init__(
        self,
        store: Store,
        bucket: Bucket,
        given: Sequence[Rule],
        day: timedelta,
        now: datetime,
        go_on: Callable[[], bool],
    ) -> None:
        self._store, self._bucket, self._rules = store, bucket, given
        self._day, self._now, self._go_on = day, now, go_on

    def run(self) -> Applied:
        versions = any(
            rule.days is not None
            or rule.date is not None
            or rule.lone_marker
            or rule.noncurrent_days is not None
            for rule in self._rules
        )
        uploads = any(rule.abort_days is not None for rule in self._rules)
        done = self._versions() if versions else Applied()
        return done + (self._uploads() if uploads else Applied())

    # -- versions --------------------------------------------------------------------------------

    def _versions(self) -> Applied:
        """Judge each version beside its neighbours: the newer one of its key, and the next one."""
        total, batch = Applied(), list[tuple[Doomed, Applied]]()
        for each in self._judged():
            batch.append(each)
            if len(batch) == _BATCH:
                total += self._delete(batch)
                batch.clear()
        return total + self._delete(batch)

    def _judged(self) -> Iterator[tuple[Doomed, Applied]]:
        """Those that are due. A page whose mark was deleted meanwhile starts its key once more."""
        newer: Version | None = None
        rank = 0
        for version, following in _with_next(self._all_versions()):
            judged = None
            if version.latest:
                alone = following is None or following.key != version.key
                judged, rank = self._current(version, alone), 0
            elif newer is not None and newer.key == version.key:
                judged, rank = self._old(version, newer.modified, rank), rank + 1
            if judged is not None:
                yield judged
            newer = version

    def _current(self, version: Version, alone: bool) -> tuple[Doomed, Applied] | None:
        if not version.marker:
            due = expiry.ended(self._rules, version, self._now, self._day)
            doomed = Doomed(version.key, None, id=version.id)
            return (doomed, Applied(objects=1)) if due else None
        if alone and expiry.lone_marker_ended(self._rules, version, self._now, self._day):
            doomed = Doomed(version.key, version.version_id, id=version.id)
            return doomed, Applied(markers=1)
        return None

    def _old(self, version: Version, since: datetime, newer: int) -> tuple[Doomed, Applied] | None:
        if not expiry.old_ended(self._rules, version, since, newer, self._now, self._day):
            return None
        doomed = Doomed(version.key, version.version_id, id=version.id, old=True)
        return doomed, Applied(old=1)

    def _delete(self, batch: Sequence[tuple[Doomed, Applied]]) -> Applied:
        """Delete what was judged; what changed meanwhile, or is locked, stays."""
        if not batch:
            return Applied()
        outcomes = self._store.delete_all(self._bucket, [doomed for doomed, _ in batch])
        pairs = zip(batch, outcomes, strict=True)
        gone = [each for (_, each), out in pairs if not isinstance(out, faults.StoreFault)]
        return sum(gone, Applied())

    def _all_versions(self) -> Iterator[Version]:
        after = None
        while self._go_on():
            page = self._store.list_versions(self._bucket, after=after, limit=_PAGE)
            yield from page.entries
            after = page.more
            if after is None:
                return

    # -- uploads ---------------------------------------------------------------------------------

    def _uploads(self) -> Applied:
        gone = 0
        for upload in self._all_uploads():
            if expiry.upload_ended(self._rules, upload, self._now, self._day):
                try:
                    self._store.abort_upload(upload)
                except faults.NoSuchUpload:
                    continue  # it was completed or aborted meanwhile
                gone += 1
        return Applied(uploads=gone)

    def _all_uploads(self) -> Iterator[Upload]:
        after = None
        while self._go_on():
            page = self._store.list_uploads(self._bucket, after=after, limit=_PAGE)
            yield from page.entries
            after = page.more
            if after is None:
                return


def _with_next(items: Iterable[_T]) -> Iterator[tuple[_T, _T | None]]:
    """Each item with the one behind it."""
    rest = iter(items)
    item = next(rest, None)
    while item is not None:
        following = next(rest, None)
        yield item, following
        item = following
