"""Faults of the cloud in CloudStack's numbers.

One table: the kind of a fault decides the error code, which is the HTTP status too, and the
``cserrorcode``, which tells old clients the class of the exception. Clients of ours read ``kind``,
``subject`` and ``field``, which go along.
"""

from dataclasses import dataclass

from orchestrator.faults import Fault, Kind


@dataclass(frozen=True)
class Code:
    """An error code and HTTP status, and the number of the exception's class."""

    error: int
    cs: int


CODES = {
    Kind.NOT_FOUND: Code(431, 4350),
    Kind.EXISTS: Code(431, 4350),
    Kind.INVALID: Code(431, 4350),
    Kind.MISSING: Code(431, 9999),
    Kind.MISMATCH: Code(431, 4350),
    Kind.WRONG_STATE: Code(431, 4350),
    Kind.IN_USE: Code(536, 4375),
    Kind.LIMIT: Code(535, 4370),
    Kind.NO_CAPACITY: Code(533, 4325),
    Kind.FORBIDDEN: Code(531, 4365),
    Kind.UNAUTHENTICATED: Code(401, 4290),
    Kind.UNKNOWN_COMMAND: Code(432, 9999),
    Kind.UNAVAILABLE: Code(534, 4380),
    Kind.BUG: Code(530, 4250),
}


class Malformed(Fault):
    """A parameter's name is not of the form ``name`` or ``name[0].field``: error code 430."""

    def __init__(self, name: str) -> None:
        super().__init__(Kind.INVALID, "command", f"Malformed parameter name {name!r}.", field=name)


_MALFORMED = Code(430, 9999)


def code(fault: Fault) -> Code:
    """The numbers of a fault."""
    return _MALFORMED if isinstance(fault, Malformed) else CODES[fault.kind]


def missing(command: str, field: str) -> Fault:
    """A required parameter was not sent."""
    text = f"Unable to execute API command {command.lower()} due to missing parameter {field}"
    return Fault(Kind.MISSING, "command", text, field=field)


def bad_value(command: str, field: str, value: str, why: str) -> Fault:
    """A parameter's text cannot be what it should be."""
    shown = value if len(value) <= 100 else f"{value[:100]}…"
    text = (
        f"Unable to execute API command {command.lower()} due to invalid value {shown} "
        f"for parameter {field}: {why}"
    )
    return Fault(Kind.INVALID, "command", text, field=field)


def unauthenticated() -> Fault:
    """One text whatever was wrong, so that nobody learns which keys exist."""
    return Fault(
        Kind.UNAUTHENTICATED,
        "signature",
        "unable to verify user credentials and/or request signature",
    )


def unknown_command(name: str) -> Fault:
    """There is no such command, or not for this caller."""
    text = f"The given command {name!r} does not exist or is not available for your role."
    return Fault(Kind.UNKNOWN_COMMAND, "command", text)


def bug(request_id: str) -> Fault:
    """Something broke in here; the log has the traceback under the same request id."""
    return Fault(
        Kind.BUG, "command", f"Internal error. The log explains it under request {request_id}."
    )
