"""Content as objects of any S3-compatible endpoint.

An object appears there whole or not at all, so a content is written where it stays. Removing is
different from a file system: nothing stays readable to those who have it open. So a removed content
is only marked, by an empty object whose key tells the names and the time::

    <prefix>blobs/<name>                                    a content
    <prefix>gone/<seconds since 1970>/<id>/<name>/<name>…   these were removed then

and is taken away some hours later, by the sweep. Who reads for longer gets ``Damaged``.
"""

import itertools
import logging
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from uuid import uuid4

from botocore.exceptions import BotoCoreError

from s3store import faults
from s3store.engines.endpoint import Clients, asking, md5
from s3store.engines.places import Place
from s3store.engines.ports import PATIENCE, Reader

PART = 8 << 20
"""Bytes above which a content is uploaded in parts, and of the first parts."""

_GROWTH = 1000  # so many parts, and the next ones are larger
_MOST_PARTS = 10_000
_MOST_COPIED = 5 << 30
_MARKED_AT_ONCE = 26  # names of 32 letters in a key of at most 1024
_DELETED_AT_ONCE = 1000
_TRIES = 3
_NAME = re.compile(r"[0-9a-f]{32}\Z")
_log = logging.getLogger(__name__)


class S3Engine:
    """A bucket, or a prefix of one, as the place of content. The bucket has to be there."""

    def __init__(self, place: Place, *, patience: timedelta = PATIENCE, part: int = PART) -> None:
        """Take where it is; nothing is connected to before the first call.

        Args:
            patience: how long a removed content stays readable to those who have it open.
            part: bytes above which uploads go in parts; endpoints take no parts under 5 MiB.
        """
        self._clients, self._bucket = Clients(place), place.bucket
        self._kept, self._gone = f"{place.prefix}blobs/", f"{place.prefix}gone/"
        self._patience, self._part = patience, part

    def close(self) -> None:
        """Give connections back."""
        self._clients.close()

    # -- writing -------------------------------------------------------------------------------

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """See :meth:`Engine.write`. One part of it at a time is held in memory."""
        parts = _parts(pieces, self._part)
        first = next(parts)
        second = next(parts, None)
        if second is not None:
            return self._write_parts(name, itertools.chain((first, second), parts))
        with asking():
            self._call("put_object", name, Body=first, ContentMD5=md5(first))
        return len(first)

    def _write_parts(self, name: str, parts: Iterator[bytes]) -> int:
        with asking():
            upload = self._call("create_multipart_upload", name)["UploadId"]
        try:
            return self._send(name, upload, parts)
        except BaseException:
            with suppress(faults.StoreBusy):
                self._abort(name, upload)
            raise

    def _send(self, name: str, upload: str, parts: Iterator[bytes]) -> int:
        size, sent = 0, []
        for number, part in enumerate(parts, start=1):
            if number > _MOST_PARTS:
                raise faults.StoreFull("The content is larger than its place can take.")
            told = {"UploadId": upload, "PartNumber": number, "ContentMD5": md5(part)}
            try:
                with asking():
                    etag = self._call("upload_part", name, Body=part, **told)["ETag"]
            except FileNotFoundError:
                raise faults.UploadAborted("The upload was given up.") from None
            sent.append({"PartNumber": number, "ETag": etag})
            size += len(part)
        # An upload that is not there was given up, or completed by a try whose answer got lost:
        # whether there is an object now is looked at when it is kept.
        with suppress(FileNotFoundError), asking():
            self._call(
                "complete_multipart_upload",
                name,
                UploadId=upload,
                MultipartUpload={"Parts": sent},
            )
        return size

    def keep(self, name: str) -> None:
        """See :meth:`Engine.keep`."""
        if self.size(name) is None:
            raise faults.UploadAborted("The upload was given up.")

    def link(self, source: str, name: str) -> bool:
        """See :meth:`Engine.link`. The endpoint copies it, up to 5 GiB."""
        size = self.size(source)
        if size is None or size > _MOST_COPIED:
            return False
        origin = {"Bucket": self._bucket, "Key": self._kept + source}
        try:
            with asking():
                self._call("copy_object", name, CopySource=origin)
        except FileNotFoundError:
            return False
        return True

    # -- reading -------------------------------------------------------------------------------

    def open(self, name: str) -> Reader:
        """See :meth:`Engine.open`."""
        size = self.size(name)
        if size is None:
            raise FileNotFoundError(name)
        return _Object(self._clients, self._bucket, self._kept + name, size)

    def hold(self, name: str) -> Reader:
        """See :meth:`Engine.hold`. It need not do more: all that is removed stays for a while."""
        return self.open(name)

    def size(self, name: str) -> int | None:
        """See :meth:`Engine.size`."""
        head = self._head(name)
        return None if head is None else int(head["ContentLength"])

    def touched(self, name: str) -> float | None:
        """See :meth:`Engine.touched`. An upload is touched when one of its parts has come."""
        head = self._head(name)
        if head is not None:
            removed = name in self._removed()
            return None if removed else float(head["LastModified"].timestamp())
        return max((self._grown(*each) for each in self._uploads(name)), default=None)

    def names(self) -> Iterator[tuple[str, float]]:
        """See :meth:`Engine.names`. Keys that cannot be ours are passed over."""
        removed = self._removed()
        kept = ((row["Key"], row["LastModified"]) for page in self._pages() for row in page)
        begun = ((self._kept + name, when) for name, _, when in self._uploads())
        for key, when in itertools.chain(kept, begun):
            name = key.removeprefix(self._kept)
            if _NAME.match(name) and name not in removed:
                yield name, when.timestamp()

    # -- removing ------------------------------------------------------------------------------

    def release(self, names: Sequence[str]) -> bool:
        """See :meth:`Engine.release`."""
        try:
            self._mark(names)
        except faults.StoreBusy:
            return False
        return True

    def remove(self, *names: str) -> None:
        """See :meth:`Engine.remove`."""
        try:
            self._mark(names)
        except faults.StoreBusy:
            _log.warning("%d removed contents are left to the sweep", len(names))

    def discard(self, *names: str) -> None:
        """See :meth:`Engine.discard`."""
        try:
            self._take_away(names)
        except faults.StoreBusy:
            _log.warning("%d discarded contents are left to the sweep", len(names))

    def collect(self) -> int:
        """See :meth:`Engine.collect`."""
        due, taken = time.time() - self._patience.total_seconds(), 0
        for page in self._pages(self._gone):
            keys = [row["Key"] for row in page]
            old = [key for key in keys if int(self._marker(key)[0]) <= due]
            names = [name for key in old for name in self._marker(key)[2:]]
            self._take_away(names)
            self._delete(old)
            taken += len(names)
            if len(old) < len(keys):
                break  # keys come in order, which is that of their times
        return taken

    def _mark(self, names: Sequence[str]) -> None:
        for start in range(0, len(names), _MARKED_AT_ONCE):
            some = names[start : start + _MARKED_AT_ONCE]
            key = "/".join((f"{self._gone}{int(time.time()):012d}", uuid4().hex, *some))
            with asking():
                self._clients.get().put_object(Bucket=self._bucket, Key=key, Body=b"")

    def _marker(self, key: str) -> list[str]:
        return key.removeprefix(self._gone).split("/")

    def _removed(self) -> set[str]:
        """Names of all that was removed and is still there."""
        pages = self._pages(self._gone)
        return {name for page in pages for row in page for name in self._marker(row["Key"])[2:]}

    def _take_away(self, names: Sequence[str]) -> None:
        if names:
            wanted = set(names)
            for name, upload, _ in self._uploads(names[0] if len(names) == 1 else ""):
                if name in wanted:
                    self._abort(name, upload)
            self._delete([self._kept + name for name in names])

    def _delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), _DELETED_AT_ONCE):
            doomed = [{"Key": key} for key in keys[start : start + _DELETED_AT_ONCE]]
            with asking():
                done = self._clients.get().delete_objects(
                    Bucket=self._bucket, Delete={"Objects": doomed, "Quiet": True}
                )
            if any(error.get("Code") != "NoSuchKey" for error in done.get("Errors", ())):
                raise faults.StoreBusy("Some content cannot be removed now.")

    # -- asking --------------------------------------------------------------------------------

    def _call(self, operation: str, name: str, **told: Any) -> Any:
        call = getattr(self._clients.get(), operation)
        return call(Bucket=self._bucket, Key=self._kept + name, **told)

    def _head(self, name: str) -> Any:
        try:
            with asking():
                return self._call("head_object", name)
        except FileNotFoundError:
            return None

    def _abort(self, name: str, upload: str) -> None:
        with suppress(FileNotFoundError), asking():
            self._call("abort_multipart_upload", name, UploadId=upload)

    def _grown(self, name: str, upload: str, begun: datetime) -> float:
        """When a part of an upload came last; when it was begun if there is none."""
        pages = self._listing("list_parts", Key=self._kept + name, UploadId=upload)
        parts = (part for page in pages for part in page.get("Parts", ()))
        return max((part["LastModified"] for part in parts), default=begun).timestamp()

    def _uploads(self, name: str = "") -> Iterator[tuple[str, str, datetime]]:
        """Uploads in parts under way, of one name or of all: name, id, when each was begun."""
        for page in self._listing("list_multipart_uploads", Prefix=self._kept + name):
            for row in page.get("Uploads", ()):
                yield row["Key"].removeprefix(self._kept), row["UploadId"], row["Initiated"]

    def _pages(self, prefix: str = "") -> Iterator[list[Any]]:
        """Objects below a prefix, that of the contents unless another is told."""
        for page in self._listing("list_objects_v2", Prefix=prefix or self._kept):
            yield page.get("Contents", [])

    def _listing(self, operation: str, **told: Any) -> Iterator[Any]:
        with suppress(FileNotFoundError):
            with asking():
                pages = iter(
                    self._clients.get()
                    .get_paginator(operation)
                    .paginate(Bucket=self._bucket, **told)
                )
            while True:
                with asking():
                    page = next(pages, None)
                if page is None:
                    return
                yield page


class _Object:
    """An object open for reading: every fetch is a request of its own."""

    file: BinaryIO | None = None

    def __init__(self, clients: Clients, bucket: str, key: str, size: int) -> None:
        self.piece = PART
        self._clients, self._object, self._size = clients, {"Bucket": bucket, "Key": key}, size

    def fetch(self, offset: int, length: int) -> bytes:
        """See :meth:`Reader.fetch`."""
        length = min(length, self._size - offset)
        if length <= 0:
            return b""
        try:
            with asking():
                data = self._read(f"bytes={offset}-{offset + length - 1}")
        except FileNotFoundError:
            raise faults.Damaged("Some of the content is missing.") from None
        if len(data) != length:
            raise faults.Damaged("Some of the content is missing.")
        return data

    def _read(self, wanted: str) -> bytes:
        for _ in range(_TRIES - 1):
            with suppress(BotoCoreError):
                return self._read_once(wanted)
        return self._read_once(wanted)

    def _read_once(self, wanted: str) -> bytes:
        with self._clients.get().get_object(Range=wanted, **self._object)["Body"] as body:
            return bytes(body.read())

    def close(self) -> None:
        """Nothing is kept open."""


def _parts(pieces: Iterable[bytes], least: int) -> Iterator[bytes]:
    """The content in parts, at least one; they grow, so that there need not be too many."""
    held, number = bytearray(), 0
    for piece in pieces:
        held += piece
        while len(held) >= (size := least * (1 + number // _GROWTH)):
            yield bytes(held[:size])
            del held[:size]
            number += 1
    if held or not number:
        yield bytes(held)
