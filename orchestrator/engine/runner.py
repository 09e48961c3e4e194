"""The runner: walks a job's list of steps forward, and backward when it has to.

One commit stands between two steps: it says that the one is done and the next is started. A crash
before it repeats a step, a crash after it goes on; both are safe by the rules of
:mod:`orchestrator.engine.workflow`.

How a step can fail:

* ``Transient``: the job is given back and taken up later, with growing pauses, up to ``tries``.
* ``Refused`` or a ``Fault``: the job unwinds, and its fault is what the caller reads.
* Anything else is a bug of ours: the job unwinds too, and the traceback is kept in its row.

A forward workflow never unwinds; it tries on, and is *stuck* in the end. So is a job whose undo
keeps failing, and one whose journal this code does not understand. A stuck job keeps its locks:
nobody touches what it left half-made until an operator has looked (``pileus jobs``).
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from orchestrator.driver.ports import Fleet, NoSpace, Refused, Transient
from orchestrator.engine import journal
from orchestrator.engine.journal import Claim, Line, LostLease
from orchestrator.engine.workflow import WORKFLOWS, DbStep, Step, Work, Workflow
from orchestrator.faults import Fault, Kind
from orchestrator.schema.base import now
from orchestrator.schema.jobs import JobState, StepState
from orchestrator.schema.session import Sessions

log = logging.getLogger(__name__)

AnyStep = Step[Any] | DbStep[Any]
Witness = Callable[[str, str], None]

_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


def _nobody(point: str, step: str) -> None:
    """The witness of ordinary runs: looks away."""


@dataclass(frozen=True)
class Runner:
    """Runs claimed jobs.

    Args:
        sessions: the database.
        fleet: the drivers.
        lease: seconds a job stays ours without a sign of life.
        witness: told of every point between two effects (``act``, ``commit``, ``committed`` on the
            way forward, ``undo``, ``undo commit``, ``undone`` on the way back) with the step's
            name; crash tests raise there.
    """

    sessions: Sessions
    fleet: Fleet
    lease: float = 180.0
    witness: Witness = _nobody

    def run(self, claim: Claim) -> None:
        """Take a claimed job as far as it goes: to its end, or to a pause."""
        workflow = WORKFLOWS.get(claim.workflow)
        try:
            if workflow is None or claim.version != workflow.args.VERSION:
                self._stick(claim, "this version of the program does not know the workflow")
                return
            run = _Run(self, claim, workflow)
            if claim.state == JobState.UNDOING:
                run.backward()
            else:
                run.forward()
        except LostLease:
            log.warning("job %s was taken over by another runner", claim.id)

    def _stick(self, claim: Claim, why: str) -> None:
        log.error("job %s (%s) is stuck: %s", claim.id, claim.workflow, why)
        with self.sessions.write() as db:
            journal.hold(db, claim, 0, state=JobState.STUCK, detail=why, owner=None)


class _Run:
    """One claimed job on its way."""

    def __init__(self, runner: Runner, claim: Claim, workflow: Workflow[Any]) -> None:
        self.runner = runner
        self.claim = claim
        self.workflow = workflow
        with runner.sessions.read() as db:
            self.lines: dict[str, Line] = journal.lines(db, claim.seq)
        self.work = Work(
            job=claim.id,
            args=workflow.load(claim.args),
            sessions=runner.sessions,
            fleet=runner.fleet,
            outputs={line.name: line.output for line in self.lines.values()},
        )

    # -- forward ---------------------------------------------------------------------------

    def forward(self) -> None:
        """Do the steps that are not done yet, in order."""
        if self._unknown():
            return
        todo = [step for step in self.workflow.steps if not self._is(step, StepState.DONE)]
        if not todo:
            self.runner.sessions.transact(self._finish)
            return
        self._commit_start(todo[0])
        for step, following in zip(todo, [*todo[1:], None], strict=True):
            try:
                self._do(step, following)
            except (Transient, Refused, Fault) as failure:
                self._failed(step, failure, None)
                return
            except LostLease:
                raise
            except Exception as bug:
                self._failed(step, bug, traceback.format_exc())
                return

    def _do(self, step: AnyStep, following: AnyStep | None) -> None:
        self.runner.witness("act", step.name)
        output = None
        if isinstance(step, Step):
            output = step.act(self.work)
        self.runner.witness("commit", step.name)
        self.runner.sessions.transact(lambda db: self._done(db, step, output, following))
        self.work.outputs[step.name] = output
        self.runner.witness("committed", step.name)

    def _done(self, db: Session, step: AnyStep, output: Any, following: AnyStep | None) -> None:
        if isinstance(step, DbStep):
            step.act(db, self.work)
        journal.end_step(db, self.claim, step.name, StepState.DONE, output)
        if following is None:
            journal.finish(db, self.claim, JobState.DONE)
        else:
            self._start(db, following)

    def _finish(self, db: Session) -> None:
        journal.finish(db, self.claim, JobState.DONE)

    def _commit_start(self, step: AnyStep) -> None:
        self.runner.sessions.transact(lambda db: self._start(db, step))
        self.runner.witness("committed", step.name)

    def _start(self, db: Session, step: AnyStep) -> None:
        journal.hold(db, self.claim, self.runner.lease, state=JobState.RUNNING)
        journal.begin_step(db, self.claim, self.workflow.steps.index(step), step.name)

    def _failed(self, step: AnyStep, failure: Exception, trace: str | None) -> None:
        """Decide between trying again, unwinding and being stuck."""
        if trace:
            log.error("job %s, step %s: %s", self.claim.id, step.name, trace)
        tries = self._tries(step)
        again = isinstance(failure, Transient) or self.workflow.forward
        if again and tries < step.tries:
            self._later(step, failure, tries)
        elif self.workflow.forward:
            self.runner._stick(self.claim, f"step {step.name}: {failure}")
        else:
            columns = journal.fault_columns(_as_fault(failure), trace)
            with self.runner.sessions.write() as db:
                journal.note_error(db, self.claim, step.name, str(failure))
                journal.hold(db, self.claim, self.runner.lease, state=JobState.UNDOING, **columns)
            self.runner.witness("committed", step.name)
            self.backward()

    def _later(self, step: AnyStep, failure: Exception, tries: int) -> None:
        pause = min(_PAUSE * 2 ** (tries - 1), _LONGEST_PAUSE)
        with self.runner.sessions.write() as db:
            journal.note_error(db, self.claim, step.name, str(failure))
            journal.postpone(db, self.claim, self.runner.lease, now() + timedelta(seconds=pause))

    # -- backward --------------------------------------------------------------------------

    def backward(self) -> None:
        """Undo every step that was started, newest first."""
        if self._unknown():
            return
        with self.runner.sessions.read() as db:
            self.lines = journal.lines(db, self.claim.seq)
        started = [
            step
            for step in reversed(self.workflow.steps)
            if self._is(step, StepState.STARTED) or self._is(step, StepState.DONE)
        ]
        for step in started:
            try:
                self._undo(step)
            except LostLease:
                raise
            except Exception as failure:
                self._undo_failed(step, failure)
                return
        self.runner.witness("undo commit", "release")
        self.runner.sessions.transact(self._release)
        self.runner.witness("undone", "release")

    def _release(self, db: Session) -> None:
        journal.hold(db, self.claim, self.runner.lease)
        if self.workflow.release:
            self.workflow.release(db, self.work)
        journal.finish(db, self.claim, JobState.FAILED)

    def _undo(self, step: AnyStep) -> None:
        self.runner.witness("undo", step.name)
        if isinstance(step, Step) and step.undo:
            step.undo(self.work)
        self.runner.witness("undo commit", step.name)
        self.runner.sessions.transact(lambda db: self._undone(db, step))
        self.runner.witness("undone", step.name)

    def _undone(self, db: Session, step: AnyStep) -> None:
        journal.hold(db, self.claim, self.runner.lease)
        # A DbStep that was started but not done has changed nothing: its act and its journal row
        # are one transaction.
        if isinstance(step, DbStep) and step.undo and self._is(step, StepState.DONE):
            step.undo(db, self.work)
        journal.end_step(db, self.claim, step.name, StepState.UNDONE)

    def _undo_failed(self, step: AnyStep, failure: Exception) -> None:
        with self.runner.sessions.write() as db:
            journal.hold(db, self.claim, self.runner.lease)
            journal.begin_step(db, self.claim, self.workflow.steps.index(step), step.name)
        tries = self._tries(step)
        if tries < 2 * step.tries:
            self._later(step, failure, max(1, tries - step.tries))
        else:
            self.runner._stick(self.claim, f"undo of {step.name}: {failure}")

    # -- the journal as read ---------------------------------------------------------------

    def _is(self, step: AnyStep, state: StepState) -> bool:
        line = self.lines.get(step.name)
        return line is not None and line.state == state

    def _tries(self, step: AnyStep) -> int:
        with self.runner.sessions.read() as db:
            return journal.lines(db, self.claim.seq)[step.name].tries

    def _unknown(self) -> bool:
        """A journal that does not fit this code's list of steps is never guessed at."""
        names = [step.name for step in self.workflow.steps]
        if list(self.lines) == names[: len(self.lines)]:
            return False
        self.runner._stick(self.claim, "the journal names steps this version does not have")
        return True


def _as_fault(failure: Exception) -> Fault:
    if isinstance(failure, Fault):
        return failure
    if isinstance(failure, NoSpace):
        return Fault(Kind.NO_CAPACITY, "storagepool", "There is not enough storage for this.")
    if isinstance(failure, Refused | Transient):
        return Fault(Kind.UNAVAILABLE, "host", "The host could not do this.", detail=str(failure))
    return Fault(Kind.BUG, "job", "Something went wrong inside the cloud; it was undone.")
