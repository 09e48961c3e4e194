"""A check of the whole store: every row has its bytes, every file its row, all counts are right.

It may run while the store is in use: what looks wrong is looked at once more before it is reported,
since it may just be changing. It reads all content there is; the memory it takes does not grow with
that.

Repairing removes rubbish, lets every key show its newest version, and counts anew. It never removes
the bytes of a row, nor a row whose bytes are missing or damaged: that there was such an object is
all that is left to know of it, and what becomes of it is its owner's to say.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from s3store import faults
from s3store.contents import DAMAGED, MISSING, UNREADABLE, Contents, Opener
from s3store.core import now
from s3store.index import inspection, leftovers, rows, uploads
from s3store.index.inspection import Seen
from s3store.records import Bucket, Part, Upload, Version
from s3store.store import Store

__all__ = ["DAMAGED", "MISSING", "UNREADABLE", "Finding", "check"]

_BATCH = 500

STRAY_FILE, STRAY_CONTENT, STRAY_PARTS = "stray file", "stray content", "stray parts"
WRONG_LATEST, WRONG_COUNTERS = "wrong latest", "wrong counters"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Args:
        kind: ``missing`` or ``damaged`` content; ``unreadable``: sealed content whose key is not
            there; ``stray file``, ``stray content`` or ``stray parts`` that belong to nothing;
            ``wrong latest``: a key shows another version than its newest; ``wrong counters`` of a
            bucket.
        subject: a bucket, a bucket with a key, or the name of a file.
        detail: what is wrong with it.
        repaired: it was put right.
    """

    kind: str
    subject: str
    detail: str
    repaired: bool = False


def check(
    store: Store,
    repair: bool = False,
    tell: Callable[[str], None] = lambda where: None,
    opener: Opener | None = None,
) -> Iterator[Finding]:
    """Go through everything, and report what is wrong as it is found.

    Args:
        tell: is told where the check is, bucket by bucket.
        opener: opens sealed content, so that all of it is checked; without, its shape is.

    Raises:
        StoreBusy, StoreFull.
    """
    contents = Contents(store, opener)
    every = store.every_bucket()
    for number, bucket in enumerate(every, start=1):
        tell(f"bucket {number} of {len(every)}: {bucket.name}")
        with suppress(faults.NoSuchBucket):  # one that is removed meanwhile needs no repair
            yield from _bucket(store, contents, bucket, repair)
    tell("what belongs to nothing")
    yield from _rows(store, repair)
    yield from _files(store, repair)


def _bucket(store: Store, contents: Contents, bucket: Bucket, repair: bool) -> Iterator[Finding]:
    for key, versions in itertools.groupby(_walk(store, bucket), lambda seen: seen.place[0]):
        latest, markers = [], []
        for seen in versions:
            latest.append(seen.latest)
            markers.append(seen.version.marker)
            yield from _version(store, contents, bucket, seen.version)
        if latest != inspection.shown(markers):
            yield from _latest(store, bucket, key, repair)
    yield from _open_uploads(store, contents, bucket)
    with store.index.look() as connection:
        found = inspection.counters(connection, bucket)
    if found is not None and found[0] != found[1]:
        if repair:
            store.index.change(lambda c: inspection.recount(c, bucket, store.default_quota))
        yield Finding(WRONG_COUNTERS, bucket.name, f"{found[0]} but {found[1]}", repair)


def _walk(store: Store, bucket: Bucket) -> Iterator[Seen]:
    place = None
    while True:
        with store.index.look() as connection:
            batch = inspection.versions(connection, bucket, place, _BATCH)
        yield from batch
        if len(batch) < _BATCH:
            return
        place = batch[-1].place


def _latest(store: Store, bucket: Bucket, key: bytes, repair: bool) -> Iterator[Finding]:
    with store.index.look() as connection:
        wrong = inspection.shows_wrongly(connection, bucket, key)
    if wrong:
        if repair:
            store.index.change(
                lambda c: inspection.show_newest(c, bucket, key, store.default_quota)
            )
        name = f"{bucket.name}/{key.decode()}"
        yield Finding(WRONG_LATEST, name, "the key does not show its newest version", repair)


# -- content ---------------------------------------------------------------------------------------


def _version(
    store: Store, contents: Contents, bucket: Bucket, version: Version
) -> Iterator[Finding]:
    """A version's content, wherever it is kept."""
    wrong = None if version.marker else contents.wrong(version)
    if wrong is None:
        return
    with store.index.look() as connection:
        if not inspection.there(connection, version):
            return
    name = f"{bucket.name}/{version.key} ({version.version_id})"
    yield Finding(wrong.kind, name, wrong.detail)


def _open_uploads(store: Store, contents: Contents, bucket: Bucket) -> Iterator[Finding]:
    """The parts of uploads that are not complete yet."""
    after = None
    while batch := store.scan_uploads(bucket, after, _BATCH):
        after = batch[-1].key.encode(), batch[-1].id
        for upload in batch:
            with store.index.look() as connection:
                parts = uploads.parts(connection, upload.id)
            for part in parts:
                wrong = contents.wrong_part(upload, part)
                if wrong and _same(store, upload, part):
                    name = f"{bucket.name}/{upload.key} ({upload.id})"
                    yield Finding(wrong.kind, name, wrong.detail)


def _same(store: Store, upload: Upload, part: Part) -> bool:
    """Whether a part is still that of its upload."""
    with store.index.look() as connection:
        return part in uploads.parts(connection, upload.id, part.number - 1, 1)


# -- what belongs to nothing -----------------------------------------------------------------------


def _rows(store: Store, repair: bool) -> Iterator[Finding]:
    with store.index.look() as connection:
        contents = inspection.stray_contents(connection)
        parts = inspection.stray_parts(connection)
    for name in contents:
        if repair:
            store.index.change(partial(inspection.forget_content, name=name))
        yield Finding(STRAY_CONTENT, name, "a content without a version", repair)
    for name in parts:
        if repair:
            store.index.change(partial(inspection.drop_parts, name=name, now=rows.stamp(now())))
            store.release(name)
        yield Finding(STRAY_PARTS, name, "parts without an upload and without a version", repair)


def _files(store: Store, repair: bool) -> Iterator[Finding]:
    names = (name for name, _ in store.blobs.names())
    while batch := list(itertools.islice(names, _BATCH)):
        with store.index.look() as connection:
            unknown = set(batch) - leftovers.known(connection, batch)
        for name in unknown:
            if store.blobs.touched(name) is None:
                continue  # it was just being removed
            if repair:
                store.blobs.remove(name)
            yield Finding(STRAY_FILE, name, "a file without a row", repair)
