"""What S3 is, said once more and as plainly as can be: one bucket, in dictionaries and lists.

Every method does to the model what the request of that name does to a bucket, or raises
:class:`Refused` with S3's error code. Version ids are the server's to choose, so they are given.

Protocol source: the S3 API reference and the S3 user guide's chapters on versioning and locks.
"""

import hashlib
from dataclasses import dataclass, field

LEAST_PART = 4
"""Bytes of a part that is not the last, in the server under test."""

NULL = "null"


class Refused(Exception):
    """S3 says no; ``code`` is its error code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Version:
    """A version of an object; a delete marker has no ``body``."""

    id: str
    body: bytes | None
    etag: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    mode: str = ""
    hold: bool = False


@dataclass
class Upload:
    """A multipart upload; ``made`` is what it became."""

    key: str
    parts: dict[int, bytes] = field(default_factory=dict)
    made: Version | None = None


@dataclass
class Bucket:
    """A bucket: the versions of each key, newest first, and the uploads by their ids."""

    locking: bool
    versioning: str = ""
    keys: dict[str, list[Version]] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def current(self, key: str) -> Version | None:
        """The object that a key shows."""
        versions = self.keys.get(key)
        return versions[0] if versions and versions[0].body is not None else None

    def shown(self) -> dict[str, str]:
        """What a plain listing shows: ETags by key."""
        found = {key: self.current(key) for key in sorted(self.keys, key=str.encode)}
        return {key: version.etag for key, version in found.items() if version}

    def history(self, markers: bool) -> list[tuple[str, str, bool]]:
        """What a listing of versions shows, of objects or of delete markers: key, id, whether it is
        the newest of its key."""
        return [
            (key, version.id, place == 0)
            for key in sorted(self.keys, key=str.encode)
            for place, version in enumerate(self.keys[key])
            if (version.body is None) == markers
        ]

    def look(self, key: str, ident: str | None) -> Version:
        """GetObject, HeadObject, and what is done to an object that must be there."""
        if ident is None:
            if (current := self.current(key)) is None:
                raise Refused("NoSuchKey")
            return current
        version = self._find(key, ident)
        if version is None:
            raise Refused("NoSuchVersion")
        if version.body is None:
            raise Refused("MethodNotAllowed")
        return version

    def check(self, key: str, absent: bool, match: str | None) -> None:
        """The conditions of a write."""
        current = self.current(key)
        if absent and current:
            raise Refused("PreconditionFailed")
        if match is not None and current is None:
            raise Refused("NoSuchKey")
        if match is not None and current and current.etag != match:
            raise Refused("PreconditionFailed")

    def put(self, key: str, body: bytes, ident: str, etag: str = "") -> Version:
        """PutObject and everything that ends in an object."""
        version = Version(ident, body, etag or hashlib.md5(body).hexdigest())
        self._place(key, version)
        return version

    def delete(self, key: str, marker: str) -> None:
        """DeleteObject without a version; ``marker`` is the id of the one that is left, if any."""
        if self.versioning:
            self._place(key, Version(marker, None))
        else:
            self._drop(key, NULL)

    def delete_version(self, key: str, ident: str, bypass: bool) -> None:
        """DeleteObject of a version."""
        version = self._find(key, ident)
        if version is None:
            return
        kept = version.mode == "COMPLIANCE" or (version.mode == "GOVERNANCE" and not bypass)
        if version.hold or kept:
            raise Refused("AccessDenied")
        self._drop(key, ident)

    def retain(self, key: str, ident: str | None, mode: str) -> None:
        """PutObjectRetention to a date that no test lives to see, later than any before."""
        version = self.look(key, ident)
        if not self.locking:
            raise Refused("InvalidRequest")
        if version.mode == "COMPLIANCE" and mode != "COMPLIANCE":
            raise Refused("AccessDenied")
        version.mode = mode

    def hold(self, key: str, ident: str | None, on: bool) -> None:
        """PutObjectLegalHold."""
        version = self.look(key, ident)
        if not self.locking:
            raise Refused("InvalidRequest")
        version.hold = on

    def upload(self, ident: str) -> Upload:
        """An upload that may still be added to."""
        upload = self.uploads.get(ident)
        if upload is None or upload.made:
            raise Refused("NoSuchUpload")
        return upload

    def complete(self, ident: str, numbers: list[int]) -> bytes:
        """CompleteMultipartUpload with the ETags that the parts had: the object's content."""
        upload = self.upload(ident)
        if numbers != sorted(set(numbers)):
            raise Refused("InvalidPartOrder")
        if not set(numbers) <= upload.parts.keys():
            raise Refused("InvalidPart")
        bodies = [upload.parts[number] for number in numbers]
        if any(len(body) < LEAST_PART for body in bodies[:-1]):
            raise Refused("EntityTooSmall")
        return b"".join(bodies)

    def _find(self, key: str, ident: str) -> Version | None:
        return next((each for each in self.keys.get(key, ()) if each.id == ident), None)

    def _place(self, key: str, version: Version) -> None:
        if version.id == NULL:
            self._drop(key, NULL)
        self.keys.setdefault(key, []).insert(0, version)

    def _drop(self, key: str, ident: str) -> None:
        left = [version for version in self.keys.get(key, ()) if version.id != ident]
        self.keys[key] = left
        if not left:
            del self.keys[key]


def etag_of_parts(parts: list[bytes]) -> str:
    """The ETag of an object that was uploaded in parts."""
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    return f"{hashlib.md5(digests).hexdigest()}-{len(parts)}"
