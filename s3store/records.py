"""What goes into the store and what comes out: plain immutable values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Self

from s3store import faults


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket. ``owner`` is an account id the store never interprets; ``created`` is UTC."""

    id: int
    name: str
    owner: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Checksum:
    """A digest of the whole content; ``algorithm`` is one of ``checksums.ALGORITHMS``."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the writer says about an object: kept and handed back, never interpreted.

    Args:
        headers: standard properties, by whatever names the caller has for them.
        metadata: the writer's own pairs. Text that was not valid UTF-8 on the wire may hold
            surrogate escapes.
        storage_class: the class asked for; there is only one kind of storage behind it.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"


@dataclass(frozen=True, slots=True)
class Version:
    """One complete version of an object.

    Args:
        id: 32 hex digits; also the name of the file that holds the content.
        size: in bytes.
        etag: without quotes.
        modified: when the version became visible, UTC, to the millisecond.
    """

    id: str
    bucket_id: int
    key: str
    size: int
    etag: str
    modified: datetime
    checksum: Checksum
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Entry:
    """One object in a listing."""

    key: bytes
    size: int
    etag: str
    modified: datetime
    storage_class: str
    checksum_algorithm: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a listing, in byte order.

    Args:
        items: objects, and the common prefixes (``bytes``) among them.
        more: where the next page starts (pass it as ``after``); None at the end.
    """

    items: tuple[Entry | bytes, ...]
    more: bytes | None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The objects of the page."""
        return tuple(item for item in self.items if isinstance(item, Entry))

    @property
    def prefixes(self) -> tuple[bytes, ...]:
        """The common prefixes of the page."""
        return tuple(item for item in self.items if isinstance(item, bytes))


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the current object in the moment of the change.

    Args:
        absent: there must be none.
        etags: there must be one with one of these tags; ``*`` stands for any.
    """

    absent: bool = False
    etags: frozenset[str] | None = None

    def check(self, etag: str | None) -> None:
        """Compare with the current object's tag, None when there is no object.

        Raises:
            ConditionFailed, NoSuchKey.
        """
        if self.absent and etag is not None:
            raise faults.ConditionFailed("An object of this key exists.")
        if self.etags is None:
            return
        if etag is None:
            raise faults.NoSuchKey("There is no object to compare with.")
        if etag not in self.etags and "*" not in self.etags:
            raise faults.ConditionFailed("The object is not the one expected.")


@dataclass(frozen=True, slots=True)
class Opened:
    """A version with its content open for reading: it stays readable whatever happens to the key.

    The holder closes it.
    """

    version: Version
    file: BinaryIO

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()
