"""Workflows: durable work as a list of steps.

A change that touches more than the database (a guest, a disk, a filter) cannot be one transaction.
So it is a *list of steps*, each with an undo, and a journal that is written before and after every
one of them. Whatever dies, the job is taken up again from its journal and ends either done or
undone. The rules:

* A workflow is a **list**. Choices are made when the job is made, and stored in its arguments;
  there is no graph, no replay of functions, no generated code.
* A :class:`DbStep` acts in the same transaction as its journal row: exactly once.
* A :class:`Step` is journalled *started*, acts outside any transaction, and is journalled *done*:
  at least once. So it must be idempotent, which is why every driver verb is an ``ensure_…``.
* **Name first.** Ids, addresses, slots and paths are stored before a step uses them, so that undo
  never needs the output of what it undoes.
* Undo runs for every step that was *started*, newest first, and accepts "nothing was done". What
  the request itself reserved, in the transaction that recorded the job, is given back by
  ``release`` in the transaction that ends the undone job.
* Some work has no way back (a stopped guest cannot be un-stopped, a deleted disk not un-deleted).
  Such a workflow is ``forward``: it is tried again until it succeeds, and is *stuck*, visibly, when
  it keeps failing.

A step may read and write the database in small transactions of its own (``work.sessions``), as long
as doing so twice is doing so once.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy.orm import Session

from orchestrator.driver.ports import Fleet
from orchestrator.schema.session import Sessions


@dataclass(frozen=True)
class Args:
    """The arguments of a job: plain values. Raise ``VERSION`` when the fields change meaning."""

    VERSION: ClassVar[int] = 1


A = TypeVar("A", bound=Args)


@dataclass(frozen=True)
class Work(Generic[A]):
    """What a step is given: the job's arguments, and the means to act.

    ``outputs`` holds what earlier steps of this job returned, by step name.
    """

    job: str
    args: A
    sessions: Sessions
    fleet: Fleet
    outputs: dict[str, Any]


@dataclass(frozen=True)
class Step(Generic[A]):
    """Acts on the world outside the database; at least once.

    ``act`` may return a JSON value, kept as the step's output. ``tries`` is how often a Transient
    failure is forgiven before the job unwinds.
    """

    name: str
    act: Callable[[Work[A]], Any]
    undo: Callable[[Work[A]], None] | None = None
    tries: int = 8


@dataclass(frozen=True)
class DbStep(Generic[A]):
    """Acts on the database alone; exactly once, in the transaction of its journal row."""

    name: str
    act: Callable[[Session, Work[A]], None]
    undo: Callable[[Session, Work[A]], None] | None = None
    tries: int = 8


class Workflow(Generic[A]):
    """A named list of steps.

    Args:
        name: ``noun.verb``; unique, stored with every job.
        args: the dataclass of its arguments.
        steps: in order.
        release: gives back what the request's own transaction had reserved; runs in the
            transaction that ends an undone job.
        forward: there is no way back; try on until it succeeds.
    """

    def __init__(
        self,
        name: str,
        args: type[A],
        steps: Sequence[Step[A] | DbStep[A]],
        *,
        release: Callable[[Session, Work[A]], None] | None = None,
        forward: bool = False,
    ) -> None:
        self.name = name
        self.args = args
        self.steps = tuple(steps)
        self.release = release
        self.forward = forward
        names = [step.name for step in self.steps]
        if len(set(names)) != len(names):
            raise ValueError(f"{name}: two steps have the same name")
        if forward and (release or any(step.undo for step in self.steps)):
            raise ValueError(f"{name}: a forward workflow never undoes")
        if name in WORKFLOWS:
            raise ValueError(f"{name}: declared twice")
        WORKFLOWS[name] = self

    def dump(self, args: A) -> str:
        """Arguments as the JSON that is stored."""
        return json.dumps(dataclasses.asdict(args))

    def load(self, text: str) -> A:
        """Stored arguments as the dataclass again."""
        return self.args(**json.loads(text))


WORKFLOWS: dict[str, Workflow[Any]] = {}
