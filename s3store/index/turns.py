"""Group commit: changes that wait for the one writer go to the disk together.

SQLite has one writer at a time, and a durable commit waits for the disk. So that sixteen small
uploads do not wait for sixteen syncs, a thread that finds nobody at work becomes the writer, takes
what has queued up meanwhile, runs each change in a savepoint of one transaction, and commits once.
Every caller gets the outcome of its own change: one that is refused undoes its own part only, and
nobody is told of success before the commit.
"""

import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from s3store import faults

Work = Callable[[Connection], Any]
Batch = Callable[[Sequence["Change"]], None]

_T = TypeVar("_T")
_MOST = 64


@dataclass(eq=False)
class Change:
    """A change that waits its turn, and then its outcome: a result or what it raised."""

    work: Work
    durable: bool
    result: Any = None
    failure: BaseException | None = None
    leads: bool = False
    awake: threading.Event = field(default_factory=threading.Event)


class Turns:
    """The queue of one process; other processes are waited for at the database's own lock."""

    def __init__(self, commit: Batch) -> None:
        """Take the function that runs a batch in one transaction and fills the outcomes in.

        What it raises fails every change of the batch.
        """
        self._commit = commit
        self._mutex = threading.Lock()
        self._queue: list[Change] = []
        self._busy = False

    def run(self, work: Callable[[Connection], _T], durable: bool) -> _T:
        """Run a change in its turn; raises what it raises, or what the commit did.

        It may run in another thread, but always with the caller's context variables.
        """
        context = copy_context()
        change = Change(lambda connection: context.run(work, connection), durable)
        with self._mutex:
            self._queue.append(change)
            leads = not self._busy
            self._busy = True
        if not leads:
            change.awake.wait()
        if leads or change.leads:
            self._lead(change)
        if change.failure is not None:
            raise change.failure
        result: _T = change.result
        return result

    def _lead(self, own: Change) -> None:
        """Commit our own change and what waits with it, then hand the lead on."""
        with self._mutex:
            batch, self._queue = self._queue[:_MOST], self._queue[_MOST:]
        try:
            self._commit(batch)
        except BaseException as error:
            for change in batch:
                change.failure = faults.StoreBusy("The index does not answer now.")
                change.failure.__cause__ = error
            own.failure = error
        finally:
            self._hand_on()
            for change in batch:
                if change is not own:
                    change.awake.set()

    def _hand_on(self) -> None:
        with self._mutex:
            if self._queue:
                self._queue[0].leads = True
                self._queue[0].awake.set()
            else:
                self._busy = False
