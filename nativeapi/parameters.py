"""From texts to values: what the declaration of a command makes of the parameters sent.

Pure: no database. References to objects come out as ids and are fetched by dispatch. Whatever is
not declared is refused by name, so that a misspelt parameter never silently does nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime

from nativeapi import faults
from nativeapi.declare import Blank, Choices, Fields, Length, Pattern, Range
from nativeapi.registry import Kind, Parameter
from orchestrator.faults import invalid

# Parameters of the call itself; ``_`` is what browsers add against caches.
TRANSPORT = frozenset(
    {"command", "response", "apikey", "signature", "signatureversion", "expires", "sessionkey", "_"}
)
TEXT = Length(1, 255)

_MAP = re.compile(r"([^\[\].]+)\[([0-9]{1,6})\]\.([^\[\]]+)")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Value = object


class Unfit(ValueError):
    """A text is not what the parameter takes; the message says what it takes."""


def bind(
    command: str, parameters: Sequence[Parameter], sent: Mapping[str, str]
) -> dict[str, Value]:
    """The values of a command's fields; those not sent are left to their defaults.

    Args:
        command: the command's name, for refusals.
        parameters: its declaration.
        sent: texts by lower-case name.

    Raises:
        Fault: ``invalid`` or ``missing``, naming the parameter.
    """
    plain, maps = _sort_out(sent)
    known = {parameter.wire.lower(): parameter for parameter in parameters}
    _refuse_unknown(command, known, plain, maps)
    values: dict[str, Value] = {}
    for wire, parameter in known.items():
        if parameter.kind is Kind.MAP:
            if wire in maps:
                values[parameter.field] = _entries(parameter, maps[wire])
        elif wire in plain and not _is_blank(parameter, plain[wire]):
            values[parameter.field] = _value(command, parameter, plain[wire])
        if parameter.required and parameter.field not in values:
            raise faults.missing(command, parameter.wire)
    return values


def asked(sent: Mapping[str, str]) -> dict[str, str]:
    """What is sent of the command's own parameters, without those of the call itself."""
    return {name: value for name, value in sent.items() if name not in TRANSPORT}


def _sort_out(
    sent: Mapping[str, str],
) -> tuple[dict[str, str], dict[str, dict[int, dict[str, str]]]]:
    """Plain parameters, and map parameters by index."""
    plain: dict[str, str] = {}
    maps: dict[str, dict[int, dict[str, str]]] = {}
    for name, value in sent.items():
        if "[" not in name and "]" not in name:
            plain[name] = value
            continue
        found = _MAP.fullmatch(name)
        if not found:
            raise faults.Malformed(name[:100])
        base, index, field = found.groups()
        maps.setdefault(base, {}).setdefault(int(index), {})[field] = value
    return plain, maps


def _refuse_unknown(
    command: str,
    known: Mapping[str, Parameter],
    plain: Mapping[str, str],
    maps: Mapping[str, object],
) -> None:
    for name in (*plain, *maps):
        if name in TRANSPORT and name in plain:
            continue
        parameter = known.get(name)
        if parameter is None:
            raise invalid(
                "command", f"{command} has no parameter {name[:100]!r}.", field=name[:100]
            )
        if (parameter.kind is Kind.MAP) != (name in maps):
            raise faults.Malformed(name[:100])


def _is_blank(parameter: Parameter, text: str) -> bool:
    """Whether the text stands for "not given"."""
    blank = parameter.limit(Blank)
    if blank and text == blank.text:
        return True
    length = parameter.limit(Length)
    return not text.strip() and not (length and length.least == 0)


def _entries(parameter: Parameter, sent: Mapping[int, Mapping[str, str]]) -> Value:
    allowed = parameter.limit(Fields)
    for index in sent:
        for field in sent[index]:
            if allowed and field not in allowed.names:
                name = f"{parameter.wire}[{index}].{field}"[:100]
                raise invalid("command", f"{parameter.wire} has no field {field[:100]!r}.", name)
    return tuple(dict(sent[index]) for index in sorted(sent))


def _value(command: str, parameter: Parameter, text: str) -> Value:
    try:
        if parameter.kind is Kind.LIST:
            parts = [part.strip() for part in text.split(",")]
            return tuple(_one(parameter, part) for part in parts if part)
        return _one(parameter, text)
    except Unfit as error:
        raise faults.bad_value(command, parameter.wire, text, str(error)) from error


def _one(parameter: Parameter, text: str) -> Value:
    return _READERS[parameter.item or parameter.kind](parameter, text)


def _boolean(_parameter: Parameter, text: str) -> bool:
    """``true`` in any case; everything else is false, as clients of CloudStack expect."""
    return text.strip().lower() == "true"


def _integer(parameter: Parameter, text: str) -> int:
    if not _INTEGER.fullmatch(text.strip()):
        raise Unfit("it must be a whole number")
    number = int(text)
    limit = parameter.limit(Range) or Range()
    low = -(2**31) if limit.low is None else limit.low
    high = 2**31 - 1 if limit.high is None else limit.high
    if not low <= number <= high:
        raise Unfit(f"it must lie between {low} and {high}")
    return number


def _string(parameter: Parameter, text: str) -> Value:
    length = parameter.limit(Length) or TEXT
    if not length.least <= len(text) <= length.most:
        raise Unfit(f"it must have {length.least} to {length.most} characters")
    pattern = parameter.limit(Pattern)
    if pattern and not re.fullmatch(pattern.regex, text):
        raise Unfit(f"it must be {pattern.words}")
    if parameter.enum:
        return parameter.enum(_choose(tuple(parameter.enum), text))
    choices = parameter.limit(Choices)
    return _choose(choices.values, text) if choices else text


def _choose(values: tuple[str, ...], text: str) -> str:
    for value in values:
        if value.lower() == text.lower():
            return value
    raise Unfit(f"it must be one of {', '.join(values)}")


def _uuid(parameter: Parameter, text: str) -> str:
    """An id. What is no UUID names nothing, so it is answered like an id that nobody has."""
    return text.strip().lower()


def _date(_parameter: Parameter, text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise Unfit("it must be a date (yyyy-MM-dd)")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Unfit("it must be a date (yyyy-MM-dd)") from error


def _moment(_parameter: Parameter, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unfit("it must be a time (yyyy-MM-ddTHH:mm:ssZ)") from error
    raise Unfit("it must name its zone (yyyy-MM-ddTHH:mm:ss+0000)")


_READERS: dict[Kind, Callable[[Parameter, str], Value]] = {
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.LONG: _integer,
    Kind.STRING: _string,
    Kind.UUID: _uuid,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
}
