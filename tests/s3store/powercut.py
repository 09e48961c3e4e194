"""What a disk holds when the power fails: all that was synced, and of the rest what chance left.

A program runs with ``powercut.c`` preloaded, which notes down what it does to the files below a
folder. :class:`Disk` goes through those notes, and can say at any of them which files there would
be if the power failed now: files whose folder was synced since they came, with the bytes they had
when they themselves were synced.
"""

import os
import random
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_NUMBERS = struct.Struct("=4Q")


class Note(NamedTuple):
    """Something a program did; see ``powercut.c``."""

    kind: str
    inode: int
    offset: int
    path: str
    data: bytes


def run(command: list[str], below: Path, workshop: Path) -> list[Note]:
    """Run a program; what it did to the files below a folder."""
    library, notes = workshop / "powercut.so", workshop / "notes"
    source = Path(__file__).with_suffix(".c")
    subprocess.run(
        ["gcc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl", "-lpthread"],
        check=True,
    )
    asked = {"POWERCUT_NOTES": str(notes), "POWERCUT_BELOW": str(below)}
    subprocess.run(command, check=True, env=os.environ | asked | {"LD_PRELOAD": str(library)})
    return list(_parsed(notes.read_bytes()))


def _parsed(data: bytes) -> Iterator[Note]:
    at = 0
    while at < len(data):
        inode, offset, path, size = _NUMBERS.unpack_from(data, at + 1)
        kind = chr(data[at])
        at += 1 + _NUMBERS.size
        yield Note(
            kind, inode, offset, data[at : at + path].decode(), data[at + path : at + path + size]
        )
        at += path + size


class File:
    """The bytes of a file, as programs see them and as they are safe on the disk."""

    def __init__(self, content: bytes = b"") -> None:
        self.seen, self.safe = bytearray(content), content


class Disk:
    """Folders, by path, of files, by name: as programs see them, and as they are safe."""

    def __init__(self, below: Path) -> None:
        """Take the files there are now; all of them are safe."""
        self._files: dict[int, File] = {}
        self._folders = {each.stat().st_ino: str(each) for each in [below, *below.rglob("*/")]}
        self._seen: dict[str, dict[str, File]] = {path: {} for path in self._folders.values()}
        for path in below.rglob("*"):
            if path.is_file():
                file = self._files[path.stat().st_ino] = File(path.read_bytes())
                self._seen[str(path.parent)][path.name] = file
        self._safe = {path: dict(entries) for path, entries in self._seen.items()}

    def apply(self, note: Note) -> None:
        """Something was done."""
        folder, name = os.path.split(note.path)
        if note.kind == "C":
            self._seen[folder][name] = self._files[note.inode] = File()
        elif note.kind == "W":
            seen = self._files[note.inode].seen
            seen.extend(bytes(max(note.offset - len(seen), 0)))
            seen[note.offset : note.offset + len(note.data)] = note.data
        elif note.kind == "T":
            seen = self._files[note.inode].seen
            del seen[note.offset :]
            seen.extend(bytes(note.offset - len(seen)))
        elif note.kind == "S":
            self._sync(note.inode)
        elif note.kind == "R":
            other, renamed = os.path.split(note.data.decode())
            self._seen[other][renamed] = self._seen[folder].pop(name)
        elif note.kind == "L":
            self._seen[folder][name] = self._files[note.inode]
        else:
            del self._seen[folder][name]

    def _sync(self, inode: int) -> None:
        if inode in self._folders:
            path = self._folders[inode]
            self._safe[path] = dict(self._seen[path])
        else:
            self._files[inode].safe = bytes(self._files[inode].seen)

    def fail(self, below: Path, target: Path, dice: random.Random | None) -> None:
        """Write what is left after a power failure to another folder.

        Args:
            dice: decides what is left of what was not synced; nothing is, when None.
        """
        for path in self._safe:
            made = target / Path(path).relative_to(below)
            made.mkdir(parents=True, exist_ok=True)
            for name, file in self._entries(path, dice).items():
                (made / name).write_bytes(_left(file, dice))

    def _entries(self, path: str, dice: random.Random | None) -> dict[str, File]:
        safe, seen = self._safe[path], self._seen[path]
        if dice is None:
            return safe
        left = {}
        for name in safe.keys() | seen.keys():
            file = dice.choice((safe.get(name), seen.get(name)))
            if file is not None:
                left[name] = file
        return left


def _left(file: File, dice: random.Random | None) -> bytes:
    """Of bytes that were not synced each block may be the old or the new one."""
    if dice is None or file.seen == file.safe:
        return file.safe
    size = dice.choice((len(file.safe), len(file.seen)))
    left = bytearray(size)
    for at in range(0, size, 512):
        source = dice.choice((file.safe, bytes(file.seen)))
        block = source[at : at + 512][: size - at]
        left[at : at + len(block)] = block
    return bytes(left)
