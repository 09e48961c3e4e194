"""A ``multipart/form-data`` body, read as a stream: small fields first, then one file of any size.

The file is handed on in pieces as it comes, so it is written once and never held. A delimiter line
is exactly ``--boundary`` or ``--boundary--``: content that merely looks like one, as a line that
goes on behind the boundary, stays content.

Protocol source: RFC 7578, RFC 2046 §5.1; names of files as browsers spell them (WHATWG HTML
§4.10.22.8).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.s3.faults import S3Fault
from gateway.s3.protocol.wire import PIECE

Read = Callable[[int], bytes]

LARGEST_FIELDS = 20 << 10  # bytes of everything before the file's content

_LARGEST_HEAD = 4 << 10  # bytes of one part's headers
_CRLF, _BLANK, _CLOSE = b"\r\n", b"\r\n\r\n", b"--\r\n"
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"\r\n]{1,70})"|([^\s;,"]{1,70}))', re.I)
_DISPOSITION = re.compile(rb"content-disposition\s*:\s*form-data\s*(;.*)\Z", re.I | re.S)
_PARAMETER = re.compile(
    rb';\s*(name|filename)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.I | re.S
)
_PERCENT = re.compile(r"%(22|0D|0A)", re.I)


@dataclass(frozen=True)
class Part:
    """The head of one part. ``filename`` is without its folders, None when there was none."""

    name: str
    filename: str | None


def boundary(content_type: str) -> bytes:
    """What parts the body, from the Content-Type header.

    Raises:
        S3Fault: MalformedPOSTRequest.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise S3Fault("MalformedPOSTRequest", "The Content-Type has no boundary.")
    return (found[1] or found[2]).encode("latin-1")


class FormData:
    """A form under way: :meth:`fields` to the file's head, then :meth:`content` to its end."""

    def __init__(self, read: Read, boundary: bytes) -> None:
        """Read a body.

        Args:
            read: gives up to so many bytes, ``b""`` at the end.
        """
        self._read = read
        self._delimiter = b"\r\n--" + boundary
        self._held = _CRLF  # so that the first line is a delimiter like all others
        self._ended = False
        self._last = False
        self._spent = 0

    def fields(self) -> tuple[dict[str, str], str]:
        """The fields before the file, by lower-case name, and the file's own name.

        Raises:
            S3Fault: MalformedPOSTRequest, MaxPostPreDataLengthExceeded, InvalidArgument.
        """
        fields: dict[str, str] = {}
        self._skip_preamble()
        while not self._last:
            part = self._head()
            name = part.name.lower()
            if name == "file":
                return fields, part.filename or ""
            if name in fields:
                raise S3Fault("InvalidArgument", extras={"ArgumentName": part.name})
            fields[name] = _text(b"".join(self.content(LARGEST_FIELDS)))
        raise S3Fault(
            "InvalidArgument",
            "POST requires exactly one file upload per request.",
            {"ArgumentName": "file", "ArgumentValue": "0"},
        )

    def content(self, most: int | None = None) -> Iterator[bytes]:
        """What the part holds whose head was just read, in pieces, up to the next delimiter.

        Args:
            most: bytes it may have, None when that is the caller's business.

        Raises:
            S3Fault: MalformedPOSTRequest, IncompleteBody, and MaxPostPreDataLengthExceeded.
        """
        at = 0
        while True:
            found = self._held.find(self._delimiter, at)
            length = 0 if found < 0 else self._line(found + len(self._delimiter))
            if length is None:
                at = found + len(self._delimiter)
                continue
            # Of what is not known to be content yet, as much is kept as may begin a delimiter.
            known = found if found >= 0 else max(len(self._held) - len(self._delimiter) + 1, 0)
            self._count(known, most)
            if piece := self._take(known):
                yield piece
            if length:
                self._take(len(self._delimiter) + length)
                return
            self._fill()
            at = 0

    # -- the buffer ------------------------------------------------------------------------------

    def _line(self, at: int) -> int | None:
        """How many bytes end a delimiter line; 0: they have not come yet; None: it is none."""
        rest = self._held[at : at + len(_CLOSE)]
        if rest.startswith(_CRLF):
            return len(_CRLF)
        if rest == _CLOSE or (rest == b"--" and self._ended):
            self._last = True
            return len(rest)
        more = not self._ended and (_CRLF.startswith(rest) or _CLOSE.startswith(rest))
        return 0 if more else None

    def _take(self, length: int) -> bytes:
        piece, self._held = self._held[:length], self._held[length:]
        return piece

    def _fill(self) -> None:
        if self._ended:
            raise S3Fault("MalformedPOSTRequest")
        data = self._read(PIECE)
        self._ended = not data
        self._held += data

    def _count(self, length: int, most: int | None) -> None:
        if most is None:
            return
        self._spent += length
        if self._spent > most:
            raise S3Fault(
                "MaxPostPreDataLengthExceeded", extras={"MaxPostPreDataLengthBytes": str(most)}
            )

    # -- heads -----------------------------------------------------------------------------------

    def _skip_preamble(self) -> None:
        """Anything before the first delimiter is for readers that know no form data."""
        for _ in self.content(LARGEST_FIELDS):
            pass

    def _head(self) -> Part:
        while (end := self._held.find(_BLANK, 0, _LARGEST_HEAD)) < 0:
            if len(self._held) >= _LARGEST_HEAD:
                raise S3Fault("MalformedPOSTRequest")
            self._fill()
        self._count(end + len(_BLANK) + len(self._delimiter), LARGEST_FIELDS)
        head = self._take(end)
        self._take(len(_BLANK))
        return _part(head)


def _part(head: bytes) -> Part:
    for line in head.split(b"\r\n"):
        if found := _DISPOSITION.match(line):
            given = {
                name.lower(): quoted or plain
                for name, quoted, plain in _PARAMETER.findall(found[1])
            }
            if b"name" in given:
                filename = given.get(b"filename")
                return Part(
                    _unquoted(given[b"name"]), None if filename is None else _base(filename)
                )
    raise S3Fault("MalformedPOSTRequest", "A part of the form has no name.")


def _unquoted(value: bytes) -> str:
    text = _text(value).replace('\\"', '"')
    return _PERCENT.sub(lambda found: chr(int(found[1], 16)), text)


def _base(filename: bytes) -> str:
    """Some browsers tell the whole path, which is nobody's business."""
    return re.split(r"[/\\]", _unquoted(filename))[-1]


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise S3Fault("InvalidArgument", "The form's fields must be in UTF-8.") from None
