"""How the body of an answer leaves: bytes at once, a file by sendfile, anything else in pieces."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.s3.protocol.reply import Body, Slice, Stream
from gateway.s3.protocol.wire import PIECE

_SMALL = 64 << 10  # bytes; up to here content goes out without the detours that pay for more


def send(body: bytes | Body, environ: Mapping[str, Any]) -> Iterable[bytes]:
    """What the server iterates over, and closes when it is done or the client has gone."""
    if isinstance(body, bytes):
        return [body] if body else []
    if body.length <= _SMALL:
        return [_whole(body)]
    if isinstance(body, Stream):
        return body
    body.file.seek(body.start)
    if "wsgi.file_wrapper" in environ:
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](_Lent(body), PIECE)
        return wrapped
    return _pieces(body)


class _Lent:
    """A file for the server to send. When it closes it, all that was open for it is closed."""

    def __init__(self, body: Slice) -> None:
        self._file = body.file
        self.close = body.close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _whole(body: Body) -> bytes:
    try:
        if isinstance(body, Stream):
            return b"".join(body)
        return os.pread(body.file.fileno(), body.length, body.start)
    finally:
        body.close()


def _pieces(body: Slice) -> Iterator[bytes]:
    left = body.length
    try:
        while left and (piece := body.file.read(min(left, PIECE))):
            left -= len(piece)
            yield piece
    finally:
        body.close()
