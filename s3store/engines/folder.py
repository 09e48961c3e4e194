"""Content as files in a folder: written whole or not at all, named by random ids, never by keys.

A file is first written under ``incoming/``, forced to the disk, and only then renamed into its
folder, whose entry is forced to the disk too. So a file in ``blobs/`` is always complete, whatever
instant the power failed. What a file means is the index's business: a file without a row there is
rubbish, whichever folder it lies in.
"""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from s3store import faults
from s3store.engines.ports import Reader

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PIECE = 256 << 10  # bytes read at once; every reader that sends from here holds some
_UNLINKABLE = frozenset({errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP})


class Folder:
    """A folder of content files, spread over 256 folders by the first byte of their random id."""

    def __init__(self, root: Path, durable: bool = True) -> None:
        """Open the folder, making it when it is absent.

        Args:
            durable: whether writing waits for the disk; without, a file may be lost or torn when
                the power fails.
        """
        self._durable = durable
        self._incoming = root / "incoming"
        self._kept = root / "blobs"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for byte in range(256):
            (self._kept / f"{byte:02x}").mkdir(parents=True, exist_ok=True)
        _sync_folder(self._kept)
        _sync_folder(root)

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """Write a new incoming file; returns its size in bytes.

        Raises:
            StoreFull. The caller removes what was written so far.
        """
        size = 0
        with _room_errors(), (self._incoming / name).open("xb", buffering=0) as file:
            for piece in pieces:
                _write_all(file.fileno(), piece)
                size += len(piece)
            if self._durable:
                os.fsync(file.fileno())
        return size

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
            self._settle(target.parent)

    def link(self, source: str, name: str) -> bool:
        """Give a kept file a second, independent name; False when this file system will not."""
        target = self._path(name)
        try:
            os.link(self._path(source), target)
        except OSError as error:
            if isinstance(error, FileNotFoundError) or error.errno in _UNLINKABLE:
                return False
            raise
        self._settle(target.parent)
        return True

    def open(self, name: str) -> Reader:
        """Open a kept file for reading.

        Raises:
            FileNotFoundError.
        """
        return _File(self._path(name).open("rb"))

    def hold(self, name: str) -> Reader:
        """Open a kept file so that :meth:`release` leaves it, and what goes with it, alone.

        The hold ends when the file is closed.

        Raises:
            FileNotFoundError: it is not there, or is just being removed.
        """
        file = self._path(name).open("rb")
        if not _flock(file, fcntl.LOCK_SH):
            file.close()
            raise FileNotFoundError(errno.ENOENT, "the file is being removed", name)
        return _File(file)

    def release(self, names: Sequence[str]) -> bool:
        """Remove files that go together unless somebody holds the first; says if they are gone."""
        try:
            # To write, for on a network file system only writers get a lock against all others.
            first = self._path(names[0]).open("r+b")
        except FileNotFoundError:
            self.remove(*names)
            return True
        with first:
            if not _flock(first, fcntl.LOCK_EX):
                return False
            # The first goes last: as long as it is there, so is what a crash left of the others.
            self.remove(*names[1:])
            self.remove(names[0])
        return True

    def remove(self, *names: str) -> None:
        """Remove files wherever they are; one that is not there is fine."""
        for name in names:
            for path in (self._incoming / name, self._path(name)):
                with suppress(FileNotFoundError):
                    path.unlink()

    def discard(self, *names: str) -> None:
        """Remove files that nobody has open."""
        self.remove(*names)

    def size(self, name: str) -> int | None:
        """Of a kept file, in bytes; None when there is none."""
        try:
            return self._path(name).stat().st_size
        except FileNotFoundError:
            return None

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

    def collect(self) -> int:
        """Nothing: an open file stays readable without its name, and goes when it is closed."""
        return 0

    def close(self) -> None:
        """Nothing is kept open."""

    def _settle(self, folder: Path) -> None:
        if self._durable:
            _sync_folder(folder)

    def _path(self, name: str) -> Path:
        return self._kept / name[:2] / name


class _File:
    """A file open for reading, at any offset."""

    piece = _PIECE

    def __init__(self, file: BinaryIO) -> None:
        self.file: BinaryIO | None = file
        self._descriptor, self.close = file.fileno(), file.close

    def fetch(self, offset: int, length: int) -> bytes:
        """Read at an offset, so that several readers may share the file."""
        pieces = []
        while length and (piece := os.pread(self._descriptor, length, offset)):
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return b"".join(pieces)


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


def _flock(file: BinaryIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
