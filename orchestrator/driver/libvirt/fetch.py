"""Downloading over HTTP and HTTPS, with every limit that a stranger's URL needs.

Redirects are followed by hand and judged like the first address. The connection goes to the
address that was judged. Bytes are counted as they come, and again as they are unpacked, so that
neither an endless answer nor a compressed bomb fills the disk.
"""

import bz2
import errno
import hashlib
import http.client
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import BinaryIO, Protocol
from urllib.parse import SplitResult, urljoin, urlsplit

from orchestrator.driver.libvirt import addresses
from orchestrator.driver.ports import BadImage, NoSpace, Transient

_CHUNK = 1024 * 1024
_HOPS = 5
_SILENCE_SECONDS = 30
_MOVED = {301, 302, 303, 307, 308}
_PASSING = {408, 425, 429}
_DIGESTS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}


@dataclass(frozen=True)
class Limits:
    """How much a download may be: bytes after unpacking, and seconds."""

    size: int = 64 * 1024**3
    seconds: float = 3600


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    def feed(self, data: bytes) -> Iterator[bytes]: ...


def fetch(
    url: str,
    target: BinaryIO,
    checksum: str,
    sites: tuple[IPv4Network, ...],
    limits: Limits,
) -> None:
    """Write what the URL answers into ``target``, unpacked if its path ends in .gz or .bz2.

    Args:
        checksum: hexadecimal digest of the bytes as served, before unpacking; "" for none.
        sites: internal networks that may be asked.

    Raises:
        BadImage: a wrong URL, a forbidden address, a client error, too large, a wrong checksum.
        Transient: the server or the network failed.
        NoSpace: the disk is full.
    """
    digest = _digest(checksum)
    try:
        for chunk in _unpacked(url, _served(url, sites, limits, digest.update)):
            target.write(chunk)
            if target.tell() > limits.size:
                raise BadImage(f"the image is larger than {limits.size} bytes")
    except (http.client.HTTPException, ssl.SSLError, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("the disk is full") from error
        raise Transient(f"the download broke off: {error!r}") from error
    if checksum and digest.hexdigest() != checksum.lower():
        raise BadImage(f"the checksum of the image is {digest.hexdigest()}, not {checksum}")


def _digest(checksum: str) -> "hashlib._Hash":
    name = _DIGESTS.get(len(checksum), "sha256" if not checksum else "")
    if not name or set(checksum.lower()) - set("0123456789abcdef"):
        raise BadImage(f"{checksum!r} is no hexadecimal MD5, SHA-1, SHA-256 or SHA-512")
    return hashlib.new(name, usedforsecurity=False)


def _served(
    url: str, sites: tuple[IPv4Network, ...], limits: Limits, seen: Callable[[bytes], None]
) -> Iterator[bytes]:
    deadline = time.monotonic() + limits.seconds
    for _ in range(_HOPS + 1):
        connection = _connected(url, sites)
        try:
            answer = _asked(connection, url)
            location = answer.headers.get("Location")
            if answer.status in _MOVED and location:
                url = urljoin(url, location)
                continue
            _check(answer)
            yield from _body(answer, limits, deadline, seen)
            return
        finally:
            connection.close()
    raise BadImage(f"more than {_HOPS} redirects")


def _body(
    answer: http.client.HTTPResponse,
    limits: Limits,
    deadline: float,
    seen: Callable[[bytes], None],
) -> Iterator[bytes]:
    announced = answer.length
    if announced is not None and announced > limits.size:
        raise BadImage(f"the image is larger than {limits.size} bytes")
    total = 0
    # read1, or a short answer would be read to its end before its length is looked at.
    while chunk := answer.read1(_CHUNK):
        total += len(chunk)
        if total > limits.size:
            raise BadImage(f"the image is larger than {limits.size} bytes")
        if time.monotonic() > deadline:
            raise Transient(f"the download took longer than {limits.seconds:.0f} s")
        seen(chunk)
        yield chunk
    if announced is not None and total != announced:
        raise Transient(f"the server sent {total} of {announced} bytes")


def _check(answer: http.client.HTTPResponse) -> None:
    if answer.status == 200:
        return
    text = f"the server answered {answer.status} {answer.reason}"
    passing = answer.status >= 500 or answer.status in _PASSING
    raise (Transient if passing else BadImage)(text)


def _asked(connection: http.client.HTTPConnection, url: str) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"User-Agent": "pileus", "Accept-Encoding": "identity"}
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def _connected(url: str, sites: tuple[IPv4Network, ...]) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, port = _place(parts)
    wire = socket.create_connection((addresses.chosen(host, port, sites), port), _SILENCE_SECONDS)
    if parts.scheme == "https":
        try:
            wire = ssl.create_default_context().wrap_socket(wire, server_hostname=host)
        except OSError:
            wire.close()
            raise
    connection = http.client.HTTPConnection(host, port)
    connection.sock = wire
    return connection


def _place(parts: SplitResult) -> tuple[str, int]:
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadImage(f"{parts.geturl()!r} is no URL") from error
    if parts.scheme not in ("http", "https") or not host:
        raise BadImage("images are fetched by http:// and https:// URLs only")
    return host, port or (443 if parts.scheme == "https" else 80)


def _unpacked(url: str, served: Iterator[bytes]) -> Iterator[bytes]:
    path = urlsplit(url).path.lower()
    unpacker: _Unpacker
    if path.endswith(".gz"):
        unpacker = _Gzip()
    elif path.endswith(".bz2"):
        unpacker = _Bzip2()
    else:
        yield from served
        return
    for chunk in served:
        try:
            yield from unpacker.feed(chunk)
        except (zlib.error, OSError, ValueError) as error:
            raise BadImage(f"the image is not packed as its name says: {error}") from error
    if not unpacker.eof:
        raise BadImage("the packed image ends too early")


class _Gzip:
    """Unpacks in bounded pieces. What follows the end of the stream is ignored."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._stream.eof:
            yield self._stream.decompress(data, _CHUNK)
            data = self._stream.unconsumed_tail


class _Bzip2:
    """Unpacks in bounded pieces. What follows the end of the stream is ignored."""

    def __init__(self) -> None:
        self._stream = bz2.BZ2Decompressor()

    @property
    def eof(self) -> bool:
        return self._stream.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        while not self._stream.eof and (data or not self._stream.needs_input):
            yield self._stream.decompress(data, _CHUNK)
            data = b""
