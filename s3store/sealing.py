"""Content encrypted at rest: in chunks, so that it streams and any range of it can be read alone.

A sealed file is a header and then chunks, each of them AES-256-GCM over 64 KiB of the content (the
last one over what is left, be it nothing)::

    magic (8 bytes) | salt (32 bytes) | chunk 0 | tag (16) | chunk 1 | tag (16) | ... | last | tag

No key is ever used for two files: a file's own key is derived (HKDF-SHA256) from the data key of
its object, the random salt in its header and the number of the part it is. Within a file the nonce
is the chunk's number and whether it is the last one, as in the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizár. So chunks that were changed, left out, put in another order, taken
from another file or cut off at the end do not decrypt, nor does one part in another's place.

The data key itself is kept wrapped under a key that is none of this package's business
(:func:`wrap`), together with a context in which alone it can be unwrapped again.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from s3store import faults

Fetch = Callable[[int, int], bytes]
"""Reads stored bytes: ``fetch(offset, length)``; fewer than asked for only at the end."""

KEY = 32
CHUNK = 1 << 16

_MAGIC = b"s3seal\x00\x01"
_SALT = 32
_TAG = 16
_HEADER = len(_MAGIC) + _SALT
_STORED = CHUNK + _TAG
_AT_ONCE = 16
_WRAPPING = b"s3store key wrapping 1"
_CONTENT = b"s3store content 1"


class WrongKey(Exception):
    """A wrapped key does not open: not with this key, or not in this context."""


class Cipher(Protocol):
    """Turns content into what is kept on the disk, and back."""

    def stored(self, size: int) -> int:
        """How many bytes are kept for so many bytes of content."""

    def encrypt(self, pieces: Iterable[bytes], part: int = 0) -> Iterator[bytes]:
        """What to keep of a content that comes in pieces of any size.

        Args:
            part: the number of the part of a multipart upload; 0 for a content kept in one.
        """

    def decrypt(
        self, fetch: Fetch, size: int, start: int, length: int, part: int = 0
    ) -> Iterator[bytes]:
        """A range of the content, which lies within it, in pieces of a bounded size.

        Args:
            fetch: reads what was kept.
            size: of the whole content, in bytes.
            part: as it was encrypted.

        Raises:
            Damaged: what was kept is not what was encrypted, or was so with another key.
        """


class Sealing:
    """The cipher of one object, or of all parts of one upload."""

    def __init__(self, key: bytes) -> None:
        """Take the object's data key, which is 32 bytes and random."""
        self._key = key

    def stored(self, size: int) -> int:
        """How many bytes are kept for so many bytes of content."""
        return _kept(size)

    def encrypt(self, pieces: Iterable[bytes], part: int = 0) -> Iterator[bytes]:
        """See :meth:`Cipher.encrypt`."""
        salt = os.urandom(_SALT)
        box = self._box(salt, part)
        yield _MAGIC + salt
        number, held = 0, bytearray()
        for piece in pieces:
            held += piece
            # The last chunk is known as such only when nothing follows, so something stays held.
            whole = max(len(held) - 1, 0) // CHUNK
            with memoryview(held) as view:
                for offset in range(0, whole * CHUNK, CHUNK):
                    chunk = view[offset : offset + CHUNK]
                    yield box.encrypt(_nonce(number, last=False), chunk, None)
                    chunk.release()
                    number += 1
            del held[: whole * CHUNK]
        yield box.encrypt(_nonce(number, last=True), bytes(held), None)

    def decrypt(
        self, fetch: Fetch, size: int, start: int, length: int, part: int = 0
    ) -> Iterator[bytes]:
        """See :meth:`Cipher.decrypt`."""
        header = fetch(0, _HEADER)
        if len(header) != _HEADER or not header.startswith(_MAGIC):
            raise faults.Damaged("The content is not sealed as it should be.")
        box = self._box(header[len(_MAGIC) :], part)
        end = start + length
        last = _chunks(size) - 1
        low, high = start // CHUNK, max(end - 1, 0) // CHUNK
        for first in range(low, high + 1, _AT_ONCE):
            behind = min(first + _AT_ONCE, high + 1)
            data = memoryview(fetch(_HEADER + first * _STORED, (behind - first) * _STORED))
            for number in range(first, behind):
                sealed = data[(number - first) * _STORED :][:_STORED]
                chunk = _opened(box, number, number == last, sealed)
                offset = number * CHUNK
                if len(chunk) != min(CHUNK, size - offset):
                    raise faults.Damaged("The content has not the size it should have.")
                yield chunk[max(start - offset, 0) : end - offset]

    def _box(self, salt: bytes, part: int) -> AESGCM:
        return AESGCM(_derived(self._key, salt, _CONTENT + part.to_bytes(4, "big")))


def looks_sealed(fetch: Fetch, size: int, stored: int) -> bool:
    """Whether what is kept of a content of so many bytes has the shape of sealed content.

    That is all that can be said of it without its key.
    """
    return stored == _kept(size) and fetch(0, _HEADER).startswith(_MAGIC)


def wrap(wrapping_key: bytes, key: bytes, context: bytes) -> bytes:
    """Encrypt a key under another one, as often as you like.

    Args:
        wrapping_key: 32 random bytes.
        context: what the key is for; the same must be said to unwrap it.
    """
    salt = os.urandom(_SALT)
    box = AESGCM(_derived(wrapping_key, salt, _WRAPPING))
    return salt + box.encrypt(bytes(12), key, context)


def unwrap(wrapping_key: bytes, wrapped: bytes, context: bytes) -> bytes:
    """The key that was wrapped.

    Raises:
        WrongKey.
    """
    box = AESGCM(_derived(wrapping_key, wrapped[:_SALT], _WRAPPING))
    try:
        return box.decrypt(bytes(12), wrapped[_SALT:], context)
    except InvalidTag:
        raise WrongKey from None


def _derived(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY, salt=salt, info=purpose).derive(key)


def _chunks(size: int) -> int:
    """Even nothing is one chunk, so that nothing cannot be mistaken for all cut off."""
    return max(-(-size // CHUNK), 1)


def _kept(size: int) -> int:
    return _HEADER + size + _chunks(size) * _TAG


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _opened(box: AESGCM, number: int, last: bool, sealed: memoryview) -> bytes:
    try:
        return box.decrypt(_nonce(number, last=last), sealed, None)
    except InvalidTag:
        raise faults.Damaged(
            "The content was changed on the disk, or the key is not its own."
        ) from None
