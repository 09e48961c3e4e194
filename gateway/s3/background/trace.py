"""What becomes known of a request while it is answered, for those who keep books of requests.

One request is answered by one thread from its beginning to its end, so what is being answered is
kept beside the calls instead of being handed through all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.credentials import NOBODY, Caller
from gateway.s3.access.gate import Admission, Proof
from gateway.s3.protocol.target import Target
from gateway.sign.request import Request


@dataclass
class Trace:
    """One request under way.

    Args:
        operation: in the model's words; ``POST`` forms are ``PostObject``; "" until it is known.
        code: of the error that was answered; "" for none.
    """

    request: Request
    request_id: str
    host_id: str
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    operation: str = ""
    about: Target | None = None
    caller: Caller = NOBODY
    proof: Proof = field(default_factory=Proof)
    code: str = ""

    def admitted(self, operation: str, about: Target, admission: Admission) -> None:
        """It is known who asks for what; a form is known by its proof to be one already."""
        if not self.operation:
            self.operation = operation
        self.about, self.caller, self.proof = about, admission.caller, admission.proof


_PRESENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def tracing(trace: Trace) -> Iterator[Trace]:
    """Answer a request inside."""
    token = _PRESENT.set(trace)
    try:
        yield trace
    finally:
        _PRESENT.reset(token)


def present() -> Trace:
    """The request being answered.

    Raises:
        LookupError: none is.
    """
    trace = _PRESENT.get()
    if trace is None:
        raise LookupError("no request is being answered")
    return trace
