"""The digests an object may carry, and several of them taken in one pass over the data.

The CRCs of the Castagnoli and NVMe polynomials and the xxHash family come from the AWS common
runtime: in Python they would be a hundred times slower than the disk.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
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

    def taking(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Hand pieces on, and take them in on the way."""
        for piece in pieces:
            self.update(piece)
            yield piece

    def __getitem__(self, name: str) -> bytes:
        return self._digests[name].digest()


# -- digests of a whole from those of its parts ----------------------------------------------------

# The polynomials in their reflected form, and their width in bits.
_POLYNOMIALS = {
    "crc32": (0xEDB88320, 32),
    "crc32c": (0x82F63B78, 32),
    "crc64nvme": (0x9A6C9329AC4BC9B5, 64),
}

COMBINABLE = frozenset(_POLYNOMIALS)
"""Algorithms whose digest of a whole follows from the digests and sizes of its parts."""


def combine(algorithm: str, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """The digest of a content from the digests and sizes in bytes of its parts, in order.

    A cyclic redundancy check is a remainder of polynomials over GF(2): to put ``n`` bytes behind a
    content is to multiply its remainder by x to the power of 8n, and then to add theirs.
    """
    polynomial, width = _POLYNOMIALS[algorithm]
    value = 0
    for digest, size in parts:
        shift = _power(8 * size, polynomial, width)
        value = _product(value, shift, polynomial, width) ^ int.from_bytes(digest, "big")
    return value.to_bytes(width // 8, "big")


@lru_cache(maxsize=64)
def _power(exponent: int, polynomial: int, width: int) -> int:
    """x to a power, modulo the polynomial; parts are mostly of one size, so it is remembered."""
    result, factor = 1 << (width - 1), 1 << (width - 2)  # 1 and x: the lowest power is leftmost
    while exponent:
        if exponent & 1:
            result = _product(result, factor, polynomial, width)
        factor = _product(factor, factor, polynomial, width)
        exponent >>= 1
    return result


def _product(left: int, right: int, polynomial: int, width: int) -> int:
    """The product of two polynomials modulo a third, all reflected."""
    product, bit = 0, 1 << (width - 1)
    while left and bit:
        if left & bit:
            product ^= right
            left ^= bit
        right = (right >> 1) ^ polynomial if right & 1 else right >> 1
        bit >>= 1
    return product
