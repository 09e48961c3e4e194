"""Background work of many processes on one store: messages to deliver, and leases."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from s3store.index import outbox
from s3store.index.outbox import Waiting
from s3store.store import Store
from s3store.witness import Message


class Lease:
    """A job that one process at a time may do.

    It lasts a while and is prolonged by being taken again, so that the job of a process that dies
    goes to another. A holder that stops for longer than that may come to work beside its
    successor: what is done under a lease must bear being done twice.
    """

    def __init__(self, store: Store, name: str, lasts: timedelta) -> None:
        self._store, self._name, self._lasts = store, name, lasts
        self._holder = uuid4().hex

    def take(self) -> bool:
        """Take it, or go on holding it; False while another process does.

        Raises:
            StoreBusy.
        """
        now = datetime.now(UTC)
        return self._store.index.change(
            lambda c: outbox.lease(c, self._name, self._holder, now, now + self._lasts),
            durable=False,
        )

    def give_back(self) -> None:
        """Let another process have it at once.

        Raises:
            StoreBusy.
        """
        self._store.index.change(
            lambda c: outbox.end_lease(c, self._name, self._holder), durable=False
        )


class Outbox:
    """The messages that witnesses left, in the order of their changes."""

    def __init__(self, store: Store) -> None:
        self._index = store.index

    def add(self, messages: Iterable[Message]) -> None:
        """Keep messages that no change of a version leaves."""
        kept = list(messages)
        self._index.change(lambda c: outbox.add(c, kept, datetime.now(UTC)))

    def due(self, resting: Collection[str], most: int) -> list[Waiting]:
        """The oldest messages that are due, those for ``resting`` targets left out."""
        with self._index.look() as connection:
            return outbox.due(connection, datetime.now(UTC), resting, most)

    def forget(self, messages: Collection[Waiting]) -> None:
        """Messages that were delivered, or given up."""
        ids = [message.id for message in messages]
        self._index.change(lambda c: outbox.forget(c, ids))

    def postpone(self, message: Waiting, wait: timedelta) -> None:
        """Try a message again later."""
        until = datetime.now(UTC) + wait
        self._index.change(lambda c: outbox.postpone(c, message, until), durable=False)
