"""What every start of a workflow needs to know of the request that asks for it."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy.orm import Session

from orchestrator.engine import journal
from orchestrator.engine.workflow import Args, Workflow
from orchestrator.resources.scope import Caller
from orchestrator.schema.jobs import Job


class Ask(Protocol):
    """A request: its transaction, who makes it, and by which command."""

    @property
    def db(self) -> Session:
        """The transaction that reserves rows and records the job."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...

    @property
    def command(self) -> str:
        """The native command, by which the job's result is rendered later."""
        ...


def start(
    ask: Ask,
    workflow: Workflow[Any],
    args: Args,
    *,
    resource: tuple[str, str],
    locks: Sequence[str],
    owner: str | None = None,
) -> Job:
    """Record a job for the one who asks; ``owner`` is the account, if it is not the caller's."""
    return journal.start(
        ask.db,
        workflow,
        args,
        resource=resource,
        locks=locks,
        command=ask.command,
        account_id=owner or ask.caller.account_id,
        user_id=ask.caller.user_id,
    )
