"""Whether what is kept of a content is what it should be: there, of its size, with its checksum.

Of sealed content whoever has the keys can check as much. The store has none, so it is given an
*opener*, which knows those of the service. What a customer alone can open is looked at from
outside: size and header must be those of such a content, but a byte that was changed within it
shows only to its customer.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, NamedTuple

from s3store import faults
from s3store.checksums import Digests
from s3store.index import inspection
from s3store.records import FULL_OBJECT, Checksum, Part, Upload, Version
from s3store.sealing import Cipher, Fetch, WrongKey, looks_sealed
from s3store.store import Store

Opener = Callable[[int, str, Mapping[str, Any]], Cipher | None]
"""What decrypts the object of a bucket's id, a key and a seal; None when only a customer can.

It raises WrongKey when the key that should is not there, or does not open the seal.
"""

MISSING, DAMAGED, UNREADABLE = "missing", "damaged", "unreadable"


class Wrong(NamedTuple):
    """What is wrong with a content."""

    kind: str
    detail: str


class _Kept(NamedTuple):
    """Content that lies in one place: its sizes, plain and kept, and how it is to be read."""

    size: int
    stored: int
    checksum: Checksum
    sealed: bool
    cipher: Cipher | None
    part: int = 0


class Contents:
    """Checks the contents of a store."""

    def __init__(self, store: Store, opener: Opener | None) -> None:
        """See :data:`Opener`; without one all that is sealed is looked at from outside."""
        self._store, self._opener = store, opener

    def wrong(self, version: Version) -> Wrong | None:
        """What is wrong with that of a version."""
        try:
            cipher = self._cipher(version.bucket_id, version.key, version.seal)
        except WrongKey as error:
            return _shut(error)
        sealed = version.seal is not None
        if version.parts:
            return self._parts(version, cipher)
        kept = _Kept(version.size, version.stored, version.checksum, sealed, cipher)
        return self._body(version, kept) if version.inline else self._file(version.id, kept)

    def wrong_part(self, upload: Upload, part: Part) -> Wrong | None:
        """What is wrong with that of a part of an upload."""
        seal = upload.draft.seal
        try:
            cipher = self._cipher(upload.bucket_id, upload.key, seal)
        except WrongKey as error:
            return _shut(error)
        return self._part(part, seal is not None, cipher)

    def _cipher(self, bucket_id: int, key: str, seal: Mapping[str, Any] | None) -> Cipher | None:
        if seal is None or self._opener is None:
            return None
        return self._opener(bucket_id, key, seal)

    def _parts(self, version: Version, cipher: Cipher | None) -> Wrong | None:
        parts = self._store.parts_of(version)
        if (len(parts), sum(part.size for part in parts)) != (version.parts, version.size):
            return Wrong(MISSING, f"{len(parts)} parts instead of {version.parts}")
        sealed = version.seal is not None
        return next(filter(None, (self._part(part, sealed, cipher) for part in parts)), None)

    def _part(self, part: Part, sealed: bool, cipher: Cipher | None) -> Wrong | None:
        kept = _Kept(part.size, part.stored, part.checksum, sealed, cipher, part.number)
        wrong = self._file(part.id, kept)
        return wrong and Wrong(wrong.kind, f"part {part.number}: {wrong.detail}")

    def _body(self, version: Version, kept: _Kept) -> Wrong | None:
        with self._store.index.look() as connection:
            body = inspection.body(connection, version)
        if body is None:
            return Wrong(MISSING, "there is no content in the index")
        if len(body) != kept.stored:
            return Wrong(DAMAGED, f"{len(body)} bytes instead of {kept.stored}")
        whole = body
        return _read(lambda at, length: whole[at : at + length], max(kept.stored, 1), kept)

    def _file(self, name: str, kept: _Kept) -> Wrong | None:
        size = self._store.blobs.size(name)
        if size is None:
            return Wrong(MISSING, f"there is no file {name}")
        if size != kept.stored:
            return Wrong(DAMAGED, f"{size} bytes instead of {kept.stored}")
        try:
            with closing(self._store.blobs.open(name)) as reader:
                return _read(reader.fetch, reader.piece, kept)
        except FileNotFoundError:
            return Wrong(MISSING, f"there is no file {name}")
        except faults.Damaged as fault:
            return Wrong(DAMAGED, str(fault))
        except OSError as error:
            return Wrong(DAMAGED, f"the file cannot be read: {error.strerror}")


def _shut(error: WrongKey) -> Wrong:
    return Wrong(UNREADABLE, f"its key does not open it: {error or 'it is another one'}")


def _read(fetch: Fetch, piece: int, kept: _Kept) -> Wrong | None:
    """Read a content of the right size as far as that can be done, and hold it against its sum."""
    if not kept.sealed:
        pieces = (fetch(at, piece) for at in range(0, kept.stored, piece))
        return _compared(pieces, kept.checksum)
    if not looks_sealed(fetch, kept.size, kept.stored):
        return Wrong(DAMAGED, "it is not sealed as it should be")
    if kept.cipher is None:
        return None
    try:
        return _compared(
            kept.cipher.decrypt(fetch, kept.size, 0, kept.size, kept.part), kept.checksum
        )
    except faults.Damaged as fault:
        return Wrong(DAMAGED, str(fault))


def _compared(pieces: Iterator[bytes], checksum: Checksum) -> Wrong | None:
    """Hold plain content against its checksum, if it has one of its own; read it in any case."""
    whole = checksum.type == FULL_OBJECT
    digests = Digests([checksum.algorithm] if whole else [])
    for piece in pieces:
        digests.update(piece)
    if whole and digests[checksum.algorithm] != checksum.digest:
        return Wrong(DAMAGED, f"the {checksum.algorithm} is another")
    return None
