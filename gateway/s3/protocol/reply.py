"""What an operation answers with."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO


@dataclass(frozen=True)
class Slice:
    """Part of an open file: from ``start``, ``length`` bytes. Whoever sends it closes it.

    Args:
        close: gives the file back, and whatever else was opened with it.
    """

    file: BinaryIO
    start: int
    length: int
    close: Callable[[], None]


@dataclass(frozen=True)
class Stream:
    """Content that is made or put together while it is sent. Whoever sends it closes it.

    Args:
        length: bytes of all pieces together.
        close: gives back what the pieces are read from.
    """

    pieces: Iterator[bytes]
    length: int
    close: Callable[[], None]

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces


Body = Slice | Stream


@dataclass(frozen=True)
class Reply:
    """An answer in the model's words.

    Args:
        members: by the model's names.
        status: the model's own when None.
        body: the content of an object.
    """

    members: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = None
    body: Body | None = None

    def close(self) -> None:
        """Give back what the body is read from: it will not be sent."""
        if self.body is not None:
            self.body.close()
