"""The digests an object may carry, and several of them taken in one pass over the data.

The CRCs of the Castagnoli and NVMe polynomials and the xxHash family come from the AWS common
runtime: in Python they would be a hundred times slower than the disk.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterable
from typing import Protocol

from awscrt import checksums as crt


class Digest(Protocol):
    """What hashlib's objects do."""

    def update(self, data: bytes, /) -> None:
        """Take more data in."""

    def digest(self) -> bytes:
        """The digest of all data so far, most significant byte first."""


class _Crc:
    """A cyclic redundancy check behind hashlib's manners."""

    def __init__(self, step: Callable[[bytes, int], int], width: int) -> None:
        self._step, self._width, self._value = step, width, 0

    def update(self, data: bytes, /) -> None:
        """Take more data in."""
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        """Most significant byte first."""
        return self._value.to_bytes(self._width, "big")


class _XxHash:
    """awscrt's xxHash; it can be finished once only, so the result is kept."""

    def __init__(self, state: crt.XXHash) -> None:
        self._state, self._result = state, b""

    def update(self, data: bytes, /) -> None:
        """Take more data in."""
        self._state.update(data)

    def digest(self) -> bytes:
        """As the runtime spells it: most significant byte first."""
        self._result = self._result or bytes(self._state.finalize())
        return self._result


ALGORITHMS: dict[str, Callable[[], Digest]] = {
    "crc32": lambda: _Crc(zlib.crc32, 4),
    "crc32c": lambda: _Crc(crt.crc32c, 4),
    "crc64nvme": lambda: _Crc(crt.crc64nvme, 8),
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "xxhash64": lambda: _XxHash(crt.XXHash.new_xxhash64()),
    "xxhash3": lambda: _XxHash(crt.XXHash.new_xxhash3_64()),
    "xxhash128": lambda: _XxHash(crt.XXHash.new_xxhash3_128()),
}


class Digests:
    """Several digests of one stream, and its length in bytes."""

    def __init__(self, names: Iterable[str]) -> None:
        self._digests = {name: ALGORITHMS[name]() for name in names}
        self.size = 0

    def update(self, data: bytes) -> None:
        """Take more data in."""
        self.size += len(data)
        for digest in self._digests.values():
            digest.update(data)

    def __getitem__(self, name: str) -> bytes:
        return self._digests[name].digest()
