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
    """A bucket that still holds objects cannot be removed."""


class NoSuchKey(StoreFault):
    """The bucket holds no object of that key."""


class ConditionFailed(StoreFault):
    """The current object is not what the caller made a condition; decided with the commit."""


class UploadAborted(StoreFault):
    """The sweep gave the upload up because no byte had come for longer than its grace period."""


class StoreFull(StoreFault):
    """The disk, or a quota or limit on it, has no room for the data."""


class StoreBusy(StoreFault):
    """The index did not answer in time; the same call may succeed later."""


class Damaged(StoreFault):
    """The index names a file that is not there."""


class WrongFormat(StoreFault):
    """The index was written by another, incompatible edition of this package."""
