"""Who watches the changes of a request, and what they want told of them.

A witness is set for the time of a call and is asked within the transaction of each change. What it
says goes into the outbox in that same transaction: so a message is kept exactly when its change is,
whatever crashes. Delivering is somebody else's business (:class:`s3store.outbox.Outbox`).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum

from s3store.records import Bucket


class Kind(Enum):
    """What happened to a version."""

    ADDED = "added"
    REMOVED = "removed"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one version.

    Args:
        version_id: the public id.
        marker: the version is a delete marker.
        sequence: grows with every change in the bucket.
    """

    kind: Kind
    key: str
    version_id: str
    size: int
    etag: str
    marker: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be told.

    Args:
        target: where to, never interpreted here.
        body: the text.
    """

    target: str
    body: str


Witness = Callable[[Bucket, Change], Iterable[Message]]

_PRESENT: ContextVar[Witness | None] = ContextVar("witness", default=None)


@contextmanager
def witnessed(by: Witness) -> Iterator[None]:
    """Have every change that is made inside watched."""
    token = _PRESENT.set(by)
    try:
        yield
    finally:
        _PRESENT.reset(token)


def present() -> Witness | None:
    """Who watches now."""
    return _PRESENT.get()
