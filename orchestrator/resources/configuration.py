"""Global configuration parameters: each declared once, changed at run time by the administrator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestrator.faults import invalid, not_found
from orchestrator.schema.configuration import Configuration

_YEARS = 10 * 365 * 86_400
"""Ten years in seconds: what is longer is a slip of the finger."""


def _networks(text: str) -> tuple[IPv4Network, ...]:
    return tuple(IPv4Network(item.strip()) for item in text.split(",") if item.strip())


def _flag(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in ("true", "false"):
        raise ValueError("it is neither true nor false")
    return lowered == "true"


def _whole(low: int, high: int) -> Callable[[str], int]:
    """Reads whole numbers from ``low`` to ``high``."""

    def read(text: str) -> int:
        return int(_within(int(text), low, high))

    return read


def _number(low: float, high: float) -> Callable[[str], float]:
    """Reads numbers from ``low`` to ``high``; neither infinite nor "not a number"."""

    def read(text: str) -> float:
        return _within(float(text), low, high)

    return read


def _within(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ValueError(f"it must be from {low:g} to {high:g}")
    return value


@dataclass(frozen=True)
class Parameter:
    """One parameter. ``read`` turns its text into a value, or raises ValueError."""

    name: str
    category: str
    default: str
    read: Callable[[str], object]
    help: str


PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "default.page.size",
            "Advanced",
            "500",
            _whole(1, 10_000),
            "Most items in the answer to a list.",
        ),
        Parameter(
            "cpu.overprovisioning.factor",
            "Advanced",
            "1.0",
            _number(0.01, 1000),
            "How many times a host's clock cycles are given out.",
        ),
        Parameter(
            "mem.overprovisioning.factor",
            "Advanced",
            "1.0",
            _number(0.01, 1000),
            "How many times a host's memory is given out.",
        ),
        Parameter(
            "custom.diskoffering.size.max",
            "Storage",
            "1024",
            _whole(1, 1 << 20),
            "Largest disk in GiB that a user may ask for.",
        ),
        Parameter(
            "expunge.delay",
            "Advanced",
            "86400",
            _whole(0, _YEARS),
            "Seconds from the destruction of an instance to the release of its disks.",
        ),
        Parameter(
            "expunge.memory",
            "Advanced",
            "3600",
            _whole(0, _YEARS),
            "Seconds for which an expunged instance is still listed, as Destroyed.",
        ),
        Parameter("enable.ec2.api", "Advanced", "false", _flag, "Whether the gateway answers EC2."),
        Parameter("enable.s3.api", "Advanced", "false", _flag, "Whether the gateway answers S3."),
        Parameter(
            "job.expire.minutes",
            "Advanced",
            "1440",
            _whole(0, _YEARS),
            "Minutes for which a job is remembered.",
        ),
        Parameter(
            "stop.patience",
            "Advanced",
            "60",
            _number(0, 86_400),
            "Seconds that a guest is given to power off before it is switched off.",
        ),
        Parameter(
            "secstorage.allowed.internal.sites",
            "Advanced",
            "",
            _networks,
            "Networks in CIDR form, parted by commas, that templates may be fetched from although "
            "they are internal (loopback, private or link-local).",
        ),
        Parameter(
            "vm.user.data.max",
            "Advanced",
            "32768",
            _whole(0, 65_535),
            "Most bytes of user data of an instance.",
        ),
    )
}


def text(db: Session, name: str) -> str:
    """The value in force, as text."""
    row = db.get(Configuration, name)
    return PARAMETERS[name].default if row is None else row.value


def integer(db: Session, name: str) -> int:
    """The value in force of a whole-number parameter."""
    return int(text(db, name))


def numbers(db: Session, *names: str) -> list[float]:
    """The values in force of number parameters, by one query."""
    return [float(value) for value in _texts(db, names)]


def flags(db: Session, *names: str) -> list[bool]:
    """The values in force of parameters that are true or false, by one query."""
    return [_flag(value) for value in _texts(db, names)]


def networks(db: Session, name: str) -> tuple[IPv4Network, ...]:
    """The value in force of a parameter that lists networks."""
    return _networks(text(db, name))


def _texts(db: Session, names: Sequence[str]) -> list[str]:
    rows = db.scalars(select(Configuration).where(Configuration.name.in_(names)))
    changed = {row.name: row.value for row in rows}
    return [changed.get(name, PARAMETERS[name].default) for name in names]


def values(db: Session) -> dict[str, str]:
    """Every parameter's value in force, by name."""
    changed = {row.name: row.value for row in db.scalars(select(Configuration))}
    return {name: changed.get(name, item.default) for name, item in PARAMETERS.items()}


def change(db: Session, name: str, value: str) -> None:
    """Set a parameter.

    Raises:
        Fault: not_found for an unknown name, invalid for a value that cannot be read.
    """
    parameter = PARAMETERS.get(name)
    if parameter is None:
        raise not_found("configuration", name, field="name")
    try:
        parameter.read(value)
    except ValueError as error:
        raise invalid(
            "configuration", f"{value!r} is no value for {name}: {error}", field="value"
        ) from None
    row = db.get(Configuration, name) or Configuration(name=name)
    row.value = value
    db.add(row)
