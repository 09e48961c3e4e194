"""Life of a call, from parameters to the tree of the answer.

The order of the checks is part of the protocol: an unknown command is refused before anybody asks
who calls, and a command that the role may not call before the signature is looked at. Then the
parameters are read (without the database), the objects they name are fetched within the caller's
reach, and the command runs: everything in one transaction, which is committed once at the end, and
only by commands that write.

A refusal of ours (:class:`Fault`) is answered with its own code. Anything else that is raised is
a bug: the caller learns a request id, the log learns the traceback under the same id. What was sent
is never logged, because some of it is secret.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nativeapi import envelopes, faults, parameters, references, signature
from nativeapi.call import Call, role_of
from nativeapi.declare import Job, Page, View
from nativeapi.registry import Command, Form
from nativeapi.request import Request
from orchestrator.faults import Fault, Kind
from orchestrator.resources import accounts
from orchestrator.resources.accounts import Identity
from orchestrator.resources.scope import Caller
from orchestrator.schema.session import Session, Sessions

log = logging.getLogger("nativeapi")

_NO_COMMAND = "errorresponse"


@dataclass(frozen=True)
class Answer:
    """What goes back: HTTP status, outermost key and content; ``text`` describes an error."""

    status: int
    envelope: str
    content: envelopes.Tree
    text: str | None = None


class Dispatcher:
    """Answers calls of the commands it knows, out of one cloud's database."""

    def __init__(
        self,
        commands: Mapping[str, Command],
        sessions: Callable[[], Sessions],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._commands = commands
        self._sessions = sessions
        self._clock = clock

    def answer(self, request: Request) -> Answer:
        """Answer a call, whatever it is; never raises."""
        command = self._commands.get(request.command)
        try:
            if command is None:
                raise faults.unknown_command(request.command[:100])
            return Answer(200, command.envelope, self._perform(command, request))
        except Fault as fault:
            return refusal(fault, command)
        except Exception:
            return _bug(command)

    def _perform(self, command: Command, request: Request) -> envelopes.Tree:
        caller = self._authenticate(command, request)
        values = parameters.bind(command.name, command.parameters, request.folded)
        asked = parameters.asked(request.folded)

        def act(db: Session) -> envelopes.Tree:
            call = Call(db, caller, command.name, asked)
            known = references.fetch(call, command, values)
            return content(command, command.factory(**known).run(call))

        if not command.reads:
            return self._sessions().transact(act)
        with self._sessions().read() as db:
            return act(db)

    def _authenticate(self, command: Command, request: Request) -> Caller:
        with self._sessions().read() as db:
            identity = accounts.identify(db, request.folded.get("apikey", ""))
        if identity is None or not identity.active:
            raise faults.unauthenticated()
        if not command.allows(role_of(identity.caller())):
            raise faults.unknown_command(command.name)
        self._check_signature(identity, request)
        return identity.caller()

    def _check_signature(self, identity: Identity, request: Request) -> None:
        secret = identity.user.secret_key
        if not secret or not signature.verify(secret, request.parameters, self._clock()):
            raise faults.unauthenticated()


def content(command: Command, result: Any) -> envelopes.Tree:
    """What stands in the envelope of a successful answer."""
    if command.reply.form is Form.DONE:
        return {"success": "true"}
    if isinstance(result, Page):
        return _page(command.key, result)
    if isinstance(result, Job):
        return (
            {"id": result.created, "jobid": result.id} if result.created else {"jobid": result.id}
        )
    shown = envelopes.tree(result)
    return {command.key: shown} if command.key else shown


def _page(key: str, page: Page[View]) -> envelopes.Tree:
    """An empty list has neither count nor rows; a page past the end has the count alone."""
    if not page.total:
        return {}
    if not page.rows:
        return {"count": page.total}
    return {"count": page.total, key: [envelopes.tree(row) for row in page.rows]}


def refusal(fault: Fault, command: Command | None) -> Answer:
    """The answer that says no. ``detail`` stays in the house."""
    if fault.detail:
        log.warning("%s: %s: %s", command and command.name, fault, fault.detail)
    numbers = faults.code(fault)
    known = command is not None and fault.kind is not Kind.UNKNOWN_COMMAND
    said: dict[str, envelopes.Node] = {
        "uuidList": [],
        "errorcode": numbers.error,
        "cserrorcode": numbers.cs,
        "errortext": fault.public,
        "kind": str(fault.kind),
        "subject": fault.subject,
        "field": fault.field,
    }
    return Answer(
        numbers.error,
        command.envelope if command and known else _NO_COMMAND,
        {name: value for name, value in said.items() if value is not None},
        fault.public,
    )


def _bug(command: Command | None) -> Answer:
    request_id = secrets.token_hex(6)
    log.exception("request %s: %s failed", request_id, command.name if command else "?")
    return refusal(faults.bug(request_id), command)
