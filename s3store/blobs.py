"""The files behind the objects: written whole or not at all, named by random ids, never by keys.

A file is first written under ``incoming/``, forced to the disk, and only then renamed into its
folder, whose entry is forced to the disk too. So a file in ``blobs/`` is always complete, whatever
instant the power failed. What a file means is the index's business: a file without a row there is
rubbish, whichever folder it lies in.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from s3store import faults
from s3store.checksums import Digests

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_UNLINKABLE = frozenset({errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP})


class Blobs:
    """A folder of content files, spread over 256 folders by the first byte of their random id."""

    def __init__(self, root: Path) -> None:
        """Open the folder, making it when it is absent."""
        self._incoming = root / "incoming"
        self._kept = root / "blobs"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for byte in range(256):
            (self._kept / f"{byte:02x}").mkdir(parents=True, exist_ok=True)
        _sync_folder(self._kept)
        _sync_folder(root)

    def write(self, name: str, body: Iterable[bytes], algorithms: Iterable[str]) -> Digests:
        """Write a new incoming file and take digests of it on the way.

        Raises:
            StoreFull. The caller removes what was written so far.
        """
        digests = Digests(algorithms)
        with _room_errors(), (self._incoming / name).open("xb", buffering=0) as file:
            for piece in body:
                digests.update(piece)
                _write_all(file.fileno(), piece)
            os.fsync(file.fileno())
        return digests

    def keep(self, name: str) -> None:
        """Move an incoming file to its place for good.

        Raises:
            StoreFull, UploadAborted: the sweep took the file away.
        """
        target = self._path(name)
        with _room_errors():
            try:
                (self._incoming / name).rename(target)
            except FileNotFoundError:
                raise faults.UploadAborted("The upload was given up.") from None
            _sync_folder(target.parent)

    def link(self, source: str, name: str) -> bool:
        """Give a kept file a second, independent name; False when this file system will not."""
        target = self._path(name)
        try:
            os.link(self._path(source), target)
        except OSError as error:
            if isinstance(error, FileNotFoundError) or error.errno in _UNLINKABLE:
                return False
            raise
        _sync_folder(target.parent)
        return True

    def open(self, name: str) -> BinaryIO:
        """Open a kept file for reading.

        Raises:
            FileNotFoundError.
        """
        return self._path(name).open("rb")

    def remove(self, name: str) -> None:
        """Remove a file wherever it is; one that is not there is fine."""
        for path in (self._incoming / name, self._path(name)):
            with suppress(FileNotFoundError):
                path.unlink()

    def touched(self, name: str) -> float | None:
        """When a file was last written to, in seconds since 1970; None when there is no file."""
        for path in (self._incoming / name, self._path(name)):
            with suppress(FileNotFoundError):
                return path.stat().st_mtime
        return None

    def names(self) -> Iterator[tuple[str, float]]:
        """Every file, with the time it was last written to, in seconds since 1970."""
        for folder in (self._incoming, *sorted(self._kept.iterdir())):
            with os.scandir(folder) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        yield entry.name, entry.stat().st_mtime

    def _path(self, name: str) -> Path:
        return self._kept / name[:2] / name


@contextmanager
def _room_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise faults.StoreFull("There is no room for the data.") from error
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
