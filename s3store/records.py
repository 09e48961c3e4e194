"""What goes into the store and what comes out: plain immutable values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from s3store import faults
from s3store.sealing import Cipher

FULL_OBJECT, COMPOSITE = "FULL_OBJECT", "COMPOSITE"
"""What a checksum is taken of: the content, or its parts' checksums one after the other."""

GOVERNANCE, COMPLIANCE = "GOVERNANCE", "COMPLIANCE"
"""How a version is retained: so that leave to bypass it helps, or so that nothing does."""

ENABLED, SUSPENDED = "Enabled", "Suspended"
"""The states of a bucket's versioning besides the empty text of one that never had any."""

NULL_VERSION = "null"
"""The public id of a version written while its bucket's versioning was not enabled."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket.

    Args:
        owner: an account id the store never interprets.
        created: UTC.
        versioning: ``""``, ``"Enabled"`` or ``"Suspended"``.
        settings: JSON documents by name, never interpreted here. Shared: not to be changed.
    """

    id: int
    name: str
    owner: str
    created: datetime
    versioning: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checksum:
    """A digest of a content; ``algorithm`` is one of ``checksums.ALGORITHMS``.

    Args:
        type: ``FULL_OBJECT``, or ``COMPOSITE``: a digest of the parts' digests.
    """

    algorithm: str
    digest: bytes
    type: str = FULL_OBJECT


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
class Lock:
    """What keeps a version from being removed.

    Args:
        mode: ``GOVERNANCE`` or ``COMPLIANCE`` until ``until`` (UTC); empty when not retained.
        hold: a legal hold, which has no end but being lifted.
    """

    mode: str = ""
    until: datetime | None = None
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a writer says of a version to come.

    Args:
        owner: an account id; the bucket's owner when empty.
        acl: a JSON document, never interpreted here.
        seal: how the content is encrypted, to be kept; never interpreted here.
        cipher: encrypts the content on its way to the disk; not kept.
        opaque_etag: the ETag is random instead of the content's MD5.
    """

    attributes: Attributes = field(default_factory=Attributes)
    owner: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    acl: Any = None
    lock: Lock = field(default_factory=Lock)
    seal: Mapping[str, str] | None = None
    cipher: Cipher | None = None
    opaque_etag: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object, or a delete marker.

    Args:
        id: 32 hex digits, the store's own name for it.
        version_id: the public id: ``id`` or ``"null"``.
        size: of the content, in bytes.
        etag: without quotes.
        modified: when the version became visible, UTC, to the millisecond.
        latest: whether its key shows it.
        marker: a delete marker: it has no content, and its size, ETag and checksum are empty.
        parts: how many parts it was uploaded in; 0 when it came in one.
        stored: bytes that its content takes on the disk: more than ``size`` when it is sealed.
        inline: whether the content is kept in the index.
    """

    id: str
    bucket_id: int
    key: str
    version_id: str
    size: int
    etag: str
    modified: datetime
    checksum: Checksum
    attributes: Attributes
    owner: str
    tags: Mapping[str, str] = field(default_factory=dict)
    acl: Any = None
    lock: Lock = field(default_factory=Lock)
    seal: Mapping[str, str] | None = None
    latest: bool = True
    marker: bool = False
    parts: int = 0
    stored: int = 0
    inline: bool = False


class Entry(NamedTuple):
    """One object in a plain listing; a tuple, since a thousand are made for a page."""

    key: bytes
    size: int
    etag: str
    modified: datetime
    storage_class: str
    checksum_algorithm: str
    checksum_type: str = FULL_OBJECT
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart upload, or of the object it became.

    Args:
        id: 32 hex digits; also the name of the file that holds the content.
        modified: when it was uploaded, UTC, to the millisecond.
        stored: bytes that its content takes on the disk.
    """

    id: str
    number: int
    size: int
    etag: str
    checksum: Checksum
    modified: datetime
    stored: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload.

    Args:
        draft: of the version to come, without a cipher.
        checksum: the algorithm the writer chose; None when they chose none.
        checksum_type: what they chose of it, else what that algorithm has by itself.
        initiator: an account or user id, never interpreted here.
        completed: the object exists; only completing it once more is still possible.
    """

    id: str
    bucket_id: int
    key: str
    draft: Draft
    checksum: str | None
    checksum_type: str
    initiator: str
    started: datetime
    completed: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A part to complete an upload with; ``checksum`` is its digest where the caller repeats it."""

    number: int
    etag: str
    checksum: bytes | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the current object in the moment of the change.

    A delete marker counts as no object.

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
class Doomed:
    """An object, or one version of it, to be deleted.

    Args:
        id: the store's own id of the version that must be the one found, when one was looked at
            before: anything else fails as a condition does.
        old: and its key must show another one.
    """

    key: str
    version_id: str | None = None
    condition: Condition = field(default_factory=Condition)
    id: str | None = None
    old: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion did.

    Args:
        version_id: the version that was asked for; None when the key was.
        marker: a delete marker was added, or was what was removed.
        existed: there was something: an object of that key, or that version.
        marker_id: public id of the marker that was added or removed.
    """

    key: str
    version_id: str | None
    marker: bool
    existed: bool
    marker_id: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account has: every version counts, and every part of an unfinished upload."""

    buckets: int
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What an account had at the full hour ``taken`` (UTC)."""

    owner: str
    taken: datetime
    usage: Usage


@dataclass(frozen=True, slots=True)
class Quota:
    """What an account may have; None stands for no limit."""

    buckets: int | None = None
    objects: int | None = None
    bytes: int | None = None


_Item = TypeVar("_Item")
_More = TypeVar("_More")


@dataclass(frozen=True)
class Listing(Generic[_Item, _More]):
    """Some of a listing, in byte order.

    Args:
        items: what was listed, and the common prefixes (``bytes``) among it.
        more: where the next page starts (pass it as ``after``); None at the end.
    """

    items: tuple[_Item | bytes, ...]
    more: _More | None

    @property
    def entries(self) -> tuple[_Item, ...]:
        """What was listed, without the prefixes."""
        return tuple(item for item in self.items if not isinstance(item, bytes))

    @property
    def prefixes(self) -> tuple[bytes, ...]:
        """The common prefixes of the page."""
        return tuple(item for item in self.items if isinstance(item, bytes))


Marker = tuple[bytes, str | None]
"""A key and the public id of a version, or of an upload, of it: a place in their listings."""

Page = Listing[Entry, bytes]
VersionPage = Listing[Version, Marker]
UploadPage = Listing[Upload, Marker]
