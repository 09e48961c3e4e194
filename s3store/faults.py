"""Everything the store refuses, one class per reason. None of them leaves anything behind."""


class StoreFault(Exception):
    """The root of the store's own refusals; ``str()`` of one is safe to show to a caller."""


class NoSuchBucket(StoreFault):
    """There is no bucket of that name, or it went away while the call ran."""


class BucketExists(StoreFault):
    """The name is taken. Names are global: ``owner`` tells whose it is."""

    def __init__(self, name: str, owner: str) -> None:
        super().__init__(f"The bucket {name} exists.")
        self.owner = owner


class BucketNotEmpty(StoreFault):
    """A bucket that still holds objects, or delete markers, cannot be removed."""


class WrongBucketState(StoreFault):
    """The bucket's versioning does not allow it: locks need it, and then it stays."""


class NoSuchKey(StoreFault):
    """The bucket holds no object of that key."""


class IsDeleteMarker(NoSuchKey):
    """What was asked for is a delete marker: it has no content and no attributes.

    ``version_id`` is the marker's own, ``latest`` whether it is what the key shows, ``modified``
    when it was made (:class:`datetime.datetime`, UTC).
    """

    def __init__(self, version_id: str, latest: bool, modified: object) -> None:
        super().__init__("The object was deleted.")
        self.version_id, self.latest, self.modified = version_id, latest, modified


class NoSuchVersion(StoreFault):
    """The key has no version of that id."""


class Locked(StoreFault):
    """The version is held or retained, so that it can be neither removed nor set free now."""


class ConditionFailed(StoreFault):
    """The current object is not what the caller made a condition; decided with the commit."""


class UploadAborted(StoreFault):
    """The sweep gave the upload up because no byte had come for longer than its grace period."""


class NoSuchUpload(StoreFault):
    """There is no multipart upload of that id for that key, or it was completed or aborted."""


class InvalidPartNumber(StoreFault):
    """A part's number must be 1 to 10,000."""


class InvalidPart(StoreFault):
    """A part to complete an upload with was not uploaded, or is not the one named."""

    def __init__(self, number: int, etag: str) -> None:
        super().__init__(f"Part {number} is not the one that was uploaded.")
        self.number, self.etag = number, etag


class InvalidPartOrder(StoreFault):
    """The parts to complete an upload with are not in ascending order, each once."""


class PartTooSmall(StoreFault):
    """A part that is not the last one is smaller than allowed; all sizes in bytes."""

    def __init__(self, number: int, etag: str, size: int, least: int) -> None:
        super().__init__(f"Part {number} is too small.")
        self.number, self.etag, self.size, self.least = number, etag, size, least


class WrongSize(StoreFault):
    """The completed object has not the size the caller said."""


class WrongChecksum(StoreFault):
    """The completed object has not the checksum the caller said."""


class QuotaExceeded(StoreFault):
    """The account would have more buckets, objects or bytes than it may."""


class StoreFull(StoreFault):
    """The disk, or a quota or limit on it, has no room for the data."""


class StoreBusy(StoreFault):
    """The index did not answer in time; the same call may succeed later."""


class Damaged(StoreFault):
    """The index names a file that is not there, or what is there is not what was written."""


class WrongFormat(StoreFault):
    """The index was written by another, incompatible edition of this package."""
