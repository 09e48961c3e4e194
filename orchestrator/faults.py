"""The one way in which the cloud says no.

A fault is data: a kind from a closed list, the subject it concerns, a public text, and a private
detail that only reaches the log. Each face translates (kind, subject) into its protocol's code;
nobody reads the English text to decide anything.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What went wrong, as an adjective of the request."""

    NOT_FOUND = "not_found"
    EXISTS = "exists"
    INVALID = "invalid"
    MISSING = "missing"
    IN_USE = "in_use"
    WRONG_STATE = "wrong_state"
    LIMIT = "limit"
    NO_CAPACITY = "no_capacity"
    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    UNKNOWN_COMMAND = "unknown_command"
    MISMATCH = "mismatch"
    UNAVAILABLE = "unavailable"
    BUG = "bug"


class Fault(Exception):
    """A refusal with a kind and a subject.

    Args:
        kind: which of the closed list of kinds.
        subject: the noun concerned, in wire spelling: ``volume``, ``virtualmachine``, ``keypair``.
        public: a text for the caller that says what to do.
        field: the request parameter at fault, in wire spelling, when there is one.
        detail: for the log only; may name hosts, paths and other private things.
    """

    def __init__(
        self,
        kind: Kind,
        subject: str,
        public: str,
        *,
        field: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(public)
        self.kind = kind
        self.subject = subject
        self.public = public
        self.field = field
        self.detail = detail

    def __repr__(self) -> str:
        return f"Fault({self.kind}, {self.subject!r}, {self.public!r})"


def not_found(subject: str, ident: str, field: str | None = None) -> Fault:
    """The object does not exist, or belongs to somebody else: the caller cannot tell which."""
    return Fault(Kind.NOT_FOUND, subject, f"There is no {subject} {ident!r}.", field=field)


def invalid(subject: str, public: str, field: str | None = None) -> Fault:
    """A parameter has a value that can never be right."""
    return Fault(Kind.INVALID, subject, public, field=field)


def wrong_state(subject: str, ident: str, state: str, wanted: str) -> Fault:
    """The object is in a state in which this cannot be done."""
    return Fault(
        Kind.WRONG_STATE,
        subject,
        f"The {subject} {ident} is {state}; it must be {wanted} for this.",
    )
