"""Logs of serial consoles: written by guests, so kept small by us."""

import os
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_LIMIT = 1024 * 1024
_KEPT = 64 * 1024
# How long what a machine said last can be read after it is gone.
_MEMORY_SECONDS = 3600


class Consoles:
    """One folder with one log per machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, machine_id: str) -> Path:
        """The log of a machine."""
        return self._folder / f"{machine_id}.log"

    def begin(self, machine_id: str) -> Path:
        """Start the machine's log afresh, readable by root alone."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self.path(machine_id)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        return path

    def trim(self, machines: Collection[str]) -> None:
        """Cut what grew too long, and drop the logs of machines that are long gone."""
        for path in self._folder.glob("*.log"):
            # Another process may be trimming too.
            with suppress(FileNotFoundError):
                _trim(path, is_known=path.stem in machines)


def _trim(path: Path, *, is_known: bool) -> None:
    state = path.stat()
    if state.st_size > _LIMIT:
        _cut(path)
    elif not is_known and time.time() - state.st_mtime > _MEMORY_SECONDS:
        path.unlink()


def _cut(path: Path) -> None:
    """Keep the end. What the guest writes in this very moment may be lost; it appends."""
    with path.open("r+b") as file:
        file.seek(-_KEPT, os.SEEK_END)
        end = file.read(_KEPT)
        file.truncate(0)
        file.seek(0)
        file.write(end)
