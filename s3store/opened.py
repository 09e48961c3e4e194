"""The content of a version, open for reading, wherever it is kept.

It may lie in the index, in one file, or in a file for each part, sealed or not. A reader asks for a
range and gets its bytes; one that can have files sent by the kernel asks for slices of them first.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from s3store import faults
from s3store.engines.ports import Reader
from s3store.records import Version
from s3store.sealing import Cipher, Fetch

_MOST_SLICES = 16  # files held open at once for one reader


class Span(NamedTuple):
    """A file that holds some of the content: so many bytes from ``start``.

    Args:
        number: of the part; 0 for a content kept in one.
    """

    name: str
    start: int
    size: int
    number: int


class Slice(NamedTuple):
    """Part of an open file: from ``start``, ``length`` bytes. The version's holder closes it."""

    file: BinaryIO
    start: int
    length: int


class Opened:
    """A version open for reading: it stays readable whatever happens to its key until closed."""

    def __init__(
        self,
        version: Version,
        body: bytes | None,
        spans: Sequence[Span],
        held: Reader | None,
        opener: Callable[[str], Reader],
    ) -> None:
        """Take the content as it is kept.

        Args:
            body: what is kept of a content that lies in the index.
            spans: the files of one that does not, in order.
            held: the first of them, open.
            opener: opens one by its name.
        """
        self.version = version
        self._body, self._spans, self._held, self._opener = body, spans, held, opener
        self._files = ExitStack()
        if held is not None:
            self._files.callback(held.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open; twice is fine."""
        self._files.close()

    def read(
        self, start: int = 0, length: int | None = None, cipher: Cipher | None = None
    ) -> Iterator[bytes]:
        """A range of the content in pieces of at most some MiB.

        Args:
            length: in bytes; to the end when absent. The range lies within the content.
            cipher: that of the version's seal, when it has one.

        Raises:
            Damaged: a file is missing, too short, or not what was encrypted.
        """
        if (cipher is None) != (self.version.seal is None):
            raise ValueError("a sealed version, and no other, is read with its cipher")
        end = self.version.size if length is None else start + length
        if self._body is not None:
            whole = Span("", 0, self.version.size, 0)
            yield from _range(_of_bytes(self._body), whole, start, end, cipher, max(end, 1))
            return
        for span in self._within(start, end):
            if span is self._spans[0] and self._held is not None:
                held = self._held
                yield from _range(held.fetch, span, start, end, cipher, held.piece)
                continue
            with closing(self._open(span)) as reader:
                yield from _range(reader.fetch, span, start, end, cipher, reader.piece)

    def slices(self, start: int, length: int) -> list[Slice] | None:
        """The range as pieces of plain files, or None when it does not lie so.

        Raises:
            Damaged: a file is missing.
        """
        spans = self._within(start, start + length)
        if self.version.seal is not None or self._held is None or len(spans) > _MOST_SLICES:
            return None
        found = []
        for span in spans:
            file = self._reader(span, self._held).file
            if file is None:
                return None
            low = max(start - span.start, 0)
            found.append(Slice(file, low, min(start + length - span.start, span.size) - low))
        return found

    def _reader(self, span: Span, held: Reader) -> Reader:
        if span is self._spans[0]:
            return held
        return self._files.enter_context(closing(self._open(span)))

    def _within(self, start: int, end: int) -> list[Span]:
        return [s for s in self._spans if s.start < end and start < s.start + s.size]

    def _open(self, span: Span) -> Reader:
        try:
            return self._opener(span.name)
        except FileNotFoundError:
            raise faults.Damaged("Some of the content is missing.") from None


def _range(
    fetch: Fetch, span: Span, start: int, end: int, cipher: Cipher | None, most: int
) -> Iterator[bytes]:
    """What of a range lies in one span, at most so many bytes at once."""
    low, high = max(start - span.start, 0), min(end - span.start, span.size)
    if cipher is not None:
        yield from cipher.decrypt(fetch, span.size, low, high - low, span.number)
        return
    while low < high:
        piece = fetch(low, min(high - low, most))
        if not piece:
            raise faults.Damaged("Some of the content is missing.")
        yield piece
        low += len(piece)


def _of_bytes(body: bytes) -> Fetch:
    return lambda offset, length: body[offset : offset + length]
