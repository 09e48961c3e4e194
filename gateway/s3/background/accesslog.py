"""Server access logs: what was asked of a bucket, delivered as objects into another one.

Every process writes the lines of buckets with a ``logging`` setting to a file of its own, at once,
and gives the file up every few minutes. Any process may deliver what nobody writes to any more, be
it that its writer gave it up or died: a file in use is locked by its writer, and a lock goes with
its process. An object's key is derived from the file's name, so a delivery that is cut short and
repeated says nothing twice.

As S3's own, the log is best effort: the lines of the last second may be lost with the machine.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from gateway.s3.background import logformat
from gateway.s3.background.trace import Trace
from gateway.s3.faults import S3Fault
from gateway.s3.protocol.codec import Headers
from s3store import faults
from s3store.records import Bucket
from s3store.store import Store

Put = Callable[[Bucket, str, bytes, Sequence[Mapping[str, Any]]], None]
"""Stores an object as the owner of its bucket would, with grants where the bucket has lists."""

_LARGEST = 16 << 20  # bytes of a file, which is held in memory when it is delivered
_BY_EVENT = "EventTime"
_SETTING = "PutBucketLogging"
_REMEMBERED = 5.0  # seconds that a bucket's setting is
_MOST = 4096  # buckets that are remembered
_OURS = re.compile(r"[0-9a-f]{32}\.log\Z")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Destination:
    """Where the lines of a bucket go; ``folders`` names S3's partitioned prefixes, "" for none."""

    source: str
    owner: str
    bucket: str
    prefix: str
    folders: str


class AccessLog:
    """The logs of all buckets of a store, as one process writes and delivers them."""

    def __init__(self, store: Store, folder: Path, every: timedelta, region: str, put: Put) -> None:
        """Name the folder that all processes of the store share."""
        self._store, self._folder, self._put = store, folder, put
        self._every, self._region = every.total_seconds(), region
        self._writing = threading.Lock()
        self._file: BinaryIO | None = None
        self._known: dict[str, tuple[float, Destination | None]] = {}

    # -- writing ---------------------------------------------------------------------------------

    def record(self, trace: Trace, status: int, headers: Headers) -> None:
        """Write down how a request was answered, if its bucket wants that."""
        bucket = trace.about.bucket if trace.about is not None else None
        if bucket and trace.operation == _SETTING:
            self._known.pop(bucket, None)  # at once here, a little later in other processes
        try:
            wanted = self._destination(bucket) if bucket else None
            if wanted is not None:
                text = logformat.line(trace, wanted.owner, status, headers, datetime.now(UTC))
                moment = f"{trace.began:%Y/%m/%d}"
                self._write(json.dumps([*vars(wanted).values(), moment, text]))
        except (OSError, faults.StoreFault):
            _log.exception("an access log line is lost")

    def _destination(self, name: str) -> Destination | None:
        now = time.monotonic()
        until, found = self._known.get(name, (0.0, None))
        if until < now:
            try:
                found = _destination(self._store.bucket(name))
            except faults.NoSuchBucket:
                found = None
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[name] = now + _REMEMBERED, found
        return found

    def _write(self, text: str) -> None:
        with self._writing:
            if self._file is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = _own(self._folder)
            self._file.write(text.encode() + b"\n")
            if self._file.tell() > _LARGEST:
                self._give_up()

    def _give_up(self) -> None:
        """Let go of our file; whoever delivers next takes it. The lock on writing is held."""
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    # -- delivering ------------------------------------------------------------------------------

    def start(self) -> threading.Event:
        """Deliver from now on, in a thread of its own, until the returned event is set."""
        stop = threading.Event()

        def run() -> None:
            due = time.monotonic() + self._every
            while not stop.wait(min(self._every, 1.0)):
                try:
                    self._make_durable()
                    if time.monotonic() >= due:
                        due = time.monotonic() + self._every
                        self.deliver()
                except (OSError, faults.StoreFault):
                    _log.exception("access logs could not be delivered; it will be tried again")

        threading.Thread(target=run, name="s3-access-log", daemon=True).start()
        return stop

    def _make_durable(self) -> None:
        with self._writing:
            if self._file is not None:
                os.fsync(self._file.fileno())

    def deliver(self) -> int:
        """Deliver every file that nobody writes to, our own given up first; says how many.

        Raises:
            StoreFault, OSError: for now.
        """
        with self._writing:
            self._give_up()
        done = 0
        if not self._folder.is_dir():
            return 0
        for path in sorted(self._folder.iterdir()):
            if not _OURS.match(path.name):
                continue
            with _taken(path) as file:
                if file is not None:
                    self._deliver(path, file)
                    path.unlink()
                    done += 1
        return done

    def _deliver(self, path: Path, file: BinaryIO) -> None:
        moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        groups = defaultdict[tuple[Destination, str], list[str]](list)
        for line in file:
            if line.endswith(b"\n"):  # what was being written when the machine died is no line
                *parts, day, text = json.loads(line)
                destination = Destination(*parts)
                if destination.folders != _BY_EVENT:
                    day = f"{moment:%Y/%m/%d}"
                groups[destination, day].append(text)
        for (destination, day), lines in groups.items():
            key = self._key(destination, day, moment, path.stem)
            self._store_lines(destination, key, lines)

    def _store_lines(self, destination: Destination, key: str, lines: Sequence[str]) -> None:
        body = "".join(f"{line}\n" for line in lines).encode()
        try:
            target = self._store.bucket(destination.bucket)
            self._put(target, key, body, self._grants(destination))
        except (faults.NoSuchBucket, faults.QuotaExceeded, S3Fault) as fault:
            _log.warning("the access log of %s is lost: %s", destination.source, fault)

    def _grants(self, destination: Destination) -> Sequence[Mapping[str, Any]]:
        """Who besides its owner may read the log; nobody, once its bucket is gone."""
        try:
            document = self._store.bucket(destination.source).settings.get("logging") or {}
        except faults.NoSuchBucket:
            return ()
        grants: Sequence[Mapping[str, Any]]
        grants = document.get("LoggingEnabled", {}).get("TargetGrants", ())
        return grants

    def _key(self, destination: Destination, day: str, moment: datetime, stem: str) -> str:
        text = json.dumps([*vars(destination).values(), day, stem])
        unique = hashlib.sha256(text.encode()).hexdigest()[:16].upper()
        folders = ""
        if destination.folders:
            parts = (destination.owner, self._region, destination.source, day)
            folders = "/".join(parts) + "/"
        return f"{destination.prefix}{folders}{logformat.name(moment, unique)}"


def _destination(bucket: Bucket) -> Destination | None:
    document: Mapping[str, Any] = bucket.settings.get("logging") or {}
    enabled = document.get("LoggingEnabled")
    if enabled is None:
        return None
    parts = enabled.get("TargetObjectKeyFormat", {}).get("PartitionedPrefix")
    folders = "" if parts is None else parts.get("PartitionDateSource") or "DeliveryTime"
    return Destination(
        bucket.name, bucket.owner, enabled["TargetBucket"], enabled["TargetPrefix"], folders
    )


def _own(folder: Path) -> BinaryIO:
    """A new file that is ours: before it was locked somebody may have taken it for a dead one's."""
    while True:
        file = (folder / f"{uuid4().hex}.log").open("ab", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


@contextmanager
def _taken(path: Path) -> Iterator[BinaryIO | None]:
    """A file that nobody else writes to or delivers; None for one that somebody does."""
    with contextlib.ExitStack() as stack:
        try:
            # To write, for on a network file system only writers get a lock against all others.
            file = stack.enter_context(path.open("r+b"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileNotFoundError, BlockingIOError):
            yield None
            return
        # Between our opening it and our lock it may have been delivered, and removed.
        yield file if os.fstat(file.fileno()).st_nlink else None
