"""What the store asks of the place where content lies: the verbs of every engine.

An engine keeps pieces of content under random names, each written once, complete or not there at
all. It knows no keys and no rows: what a name means is the index's business, and a content without
a row there is rubbish. All verbs may be called by many threads and processes at once, and, unless
they say otherwise, raise ``StoreBusy`` when the place cannot be reached now.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import BinaryIO, Protocol

PATIENCE = timedelta(hours=6)
"""How long a removed content stays readable to those who have it open, where that goes by time."""


class Reader(Protocol):
    """A content open for reading."""

    piece: int
    """Bytes that are best fetched at once."""

    file: BinaryIO | None
    """The content as a plain file that the kernel can send; None where there is none."""

    def fetch(self, offset: int, length: int) -> bytes:
        """Read so many bytes; fewer only at the end. Several readers may share it.

        Raises:
            Damaged, StoreBusy.
        """

    def close(self) -> None:
        """Read no more; twice is fine."""


class Engine(Protocol):
    """A place for content."""

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """Write a new content; returns its size in bytes. It is on the disk when this returns.

        Raises:
            StoreFull, UploadAborted, and whatever ``pieces`` raises. The caller discards what was
            written so far.
        """

    def keep(self, name: str) -> None:
        """What was written stays for good, and can be opened from now on.

        Raises:
            StoreFull, UploadAborted: the sweep took it away.
        """

    def link(self, source: str, name: str) -> bool:
        """Give a kept content a second, independent name without moving its bytes.

        Returns:
            False when that cannot be done.
        """

    def open(self, name: str) -> Reader:
        """Open a kept content.

        Raises:
            FileNotFoundError.
        """

    def hold(self, name: str) -> Reader:
        """As :meth:`open`, and :meth:`release` leaves alone what goes with it until it is closed.

        Raises:
            FileNotFoundError: it is not there, or is just being removed.
        """

    def release(self, names: Sequence[str]) -> bool:
        """Remove contents that go together, unless somebody holds the first.

        Returns:
            Whether they are gone; if not, the sweep will ask again.
        """

    def remove(self, *names: str) -> None:
        """Remove contents, and leave them readable to those who have them open.

        What is not there is fine; what cannot be removed now is left to the sweep.
        """

    def discard(self, *names: str) -> None:
        """As :meth:`remove`, of what nobody can have open: what is under way, parts of uploads."""

    def size(self, name: str) -> int | None:
        """Of a kept content, in bytes; None when there is none."""

    def touched(self, name: str) -> float | None:
        """When a content last grew, in seconds since 1970; None when there is none."""

    def names(self) -> Iterator[tuple[str, float]]:
        """Every content, kept or under way, that is not removed; with when it was last touched."""

    def collect(self) -> int:
        """Take away what was removed while somebody might have been reading it; how many."""

    def close(self) -> None:
        """Give connections back."""
