"""What a request is about, read from the raw request line: mount, bucket, key and query.

The raw line is all there is to go by: WSGI's own ``PATH_INFO`` is decoded already, so that ``%2F``
and ``/`` are the same there, and keys may hold both. Nothing is normalised: ``//``, ``.`` and
``..`` are parts of keys like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gateway.s3.faults import S3Fault
from gateway.s3.protocol.hosts import NO_HOSTS, Hosts
from gateway.sign.request import Request

LONGEST_KEY = 1024  # bytes of UTF-8


@dataclass(frozen=True)
class Target:
    """What a request is about.

    Args:
        path: still encoded, without the mount.
        bucket, key: decoded; None where the path has none.
        query: decoded, the first value of each name; a bare name has the value "".
        virtual: the bucket was named by the host, and the whole path is the key.
    """

    path: str
    bucket: str | None
    key: str | None
    query: Mapping[str, str]
    virtual: bool = False


def parse(request: Request, mount: str, hosts: Hosts = NO_HOSTS) -> Target:
    """Read a request's target.

    Raises:
        S3Fault: InvalidURI, KeyTooLongError.
    """
    if not request.path.startswith("/"):
        raise S3Fault("InvalidURI")
    place = hosts.place(request.header("host"))
    if place is not None:
        return Target(request.path, place.bucket, _key(request.path), _query(request.query), True)
    path = request.path
    if path == mount or path.startswith(mount + "/"):
        path = path[len(mount) :] or "/"
    bucket, _, key = path[1:].partition("/")
    if key and not bucket:
        raise S3Fault("InvalidURI")
    return Target(path, _text(bucket) or None, _key(f"/{key}"), _query(request.query))


def check_length(key: str) -> None:
    """Whether a key is short enough to be one.

    Raises:
        S3Fault: KeyTooLongError.
    """
    size = len(key.encode())
    if size > LONGEST_KEY:
        extras = {"Size": str(size), "MaxSizeAllowed": str(LONGEST_KEY)}
        raise S3Fault("KeyTooLongError", extras=extras)


def _key(path: str) -> str | None:
    """Everything behind the first slash; None for nothing."""
    decoded = _text(path[1:])
    check_length(decoded)
    return decoded or None


def copy_source(header: str) -> tuple[str, str, str | None]:
    """Bucket, key and version id that an ``x-amz-copy-source`` header names.

    The version is cut off before anything is decoded, and everything is decoded exactly once:
    ``%3FversionId=`` is part of a key.

    Raises:
        S3Fault: InvalidArgument.
    """
    # Headers come as UTF-8; what is decoded here is bytes, spelled as the request line has them.
    raw = header.encode("utf-8", "surrogateescape").decode("latin-1")
    path, mark, version = raw.partition("?versionId=")
    bucket, _, key = path.removeprefix("/").partition("/")
    names = _text(bucket), _text(key)
    if not all(names):
        raise S3Fault(
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            {"ArgumentName": "x-amz-copy-source", "ArgumentValue": header},
        )
    return *names, _text(version) if mark else None


def _query(query: str) -> dict[str, str]:
    """A plus sign stands for itself: S3 has it so in paths, and clients sign it so."""
    found: dict[str, str] = {}
    for token in query.split("&"):
        name, _, value = token.partition("=")
        if name:
            found.setdefault(_text(name), _text(value))
    return found


def _text(encoded: str) -> str:
    try:
        return unquote_to_bytes(encoded.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise S3Fault("InvalidURI") from None
