"""The ``Condition`` element: what must hold of a request besides who asks for what.

A condition compares what the request says under one key with the values in the policy, of which
one has to fit. A negated operator holds when the plain one does not. Where the request says nothing
under the key, a plain operator fails, a negated one holds, and one with ``IfExists`` holds.

``ForAnyValue:`` and ``ForAllValues:`` are for keys with several values: at least one of the
request's values has to pass, or all of them; nothing at all passes the latter and not the former.

Protocol source: "IAM JSON policy elements: Condition operators" of the IAM user guide.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TypeVar

from gateway.policy.patterns import Lookup, Pattern, pattern

Ordered = TypeVar("Ordered", Decimal, datetime)

Test = Callable[[str, Lookup], bool]
"""Whether one value of a request fits; a value that cannot be read fits nothing."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?\Z")
_EPOCH = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?\Z")
_BOOLEANS = ("true", "false")

_ANY = "ForAnyValue"
_ALL = "ForAllValues"


@dataclass(frozen=True)
class Condition:
    """One key of one operator.

    Args:
        operator: as it was written, such as ``ForAnyValue:StringNotLikeIfExists``.
        key: in lower case.
        patterns: the policy's values as text.
        tests: one for each of them.
    """

    operator: str
    key: str
    patterns: tuple[Pattern, ...]
    tests: tuple[Test, ...]
    negated: bool
    if_exists: bool
    quantifier: str

    def holds(self, lookup: Lookup) -> bool:
        """Whether it holds of a request."""
        values = lookup(self.key)
        if self.operator == "Null":
            return any(test("true" if values is None else "false", lookup) for test in self.tests)
        if values is None:
            return self.if_exists or self.quantifier == _ALL or self._without()
        if self.quantifier == _ALL:
            return all(self._passes(value, lookup) for value in values)
        if self.quantifier == _ANY or not self.negated:
            return any(self._passes(value, lookup) for value in values)
        return all(self._passes(value, lookup) for value in values)

    def _without(self) -> bool:
        return self.negated and self.quantifier != _ANY

    def _passes(self, value: str, lookup: Lookup) -> bool:
        return any(test(value, lookup) for test in self.tests) is not self.negated


@dataclass(frozen=True)
class Operator:
    """How one family of operators reads a policy's value.

    Args:
        read: the value as a test. Raises ValueError when it is not one of its kind.
        variables: whether variables stand for something in its values.
    """

    read: Callable[[Pattern], Test]
    variables: bool = False
    wild: bool = False
    arn: bool = False


def parse(name: str, key: str, values: list[str], variables: bool) -> Condition:
    """Read one key of one operator.

    Args:
        variables: whether the policy's version knows variables.

    Raises:
        KeyError: there is no such operator.
        ValueError: a value is none for it; ``str()`` of it names the value.
    """
    quantifier, _, rest = name.rpartition(":")
    if quantifier not in ("", _ANY, _ALL):
        raise KeyError(name)
    bare = rest.removesuffix("IfExists") if rest != "NullIfExists" else rest
    if bare == "Null" and quantifier:
        raise KeyError(name)
    found = _NEGATED.get(bare, bare)
    kind = OPERATORS[found]
    patterns = tuple(
        pattern(value, variables=variables and kind.variables, wild=kind.wild, arn=kind.arn)
        for value in values
    )
    return Condition(
        name,
        key.lower(),
        patterns,
        tuple(_read(kind, each) for each in patterns),
        bare in _NEGATED,
        bare != rest,
        quantifier,
    )


def _read(kind: Operator, value: Pattern) -> Test:
    try:
        return kind.read(value)
    except (ValueError, OverflowError):
        raise ValueError(value.text) from None


# -- how each kind of value is read and compared ---------------------------------------------------


def _text(value: Pattern) -> Test:
    return value.matches


def _arn(value: Pattern) -> Test:
    if value.text == "*":
        return lambda text, lookup: text.count(":") >= 5
    if not value.variables and value.text.count(":") < 5:
        raise ValueError(value.text)
    return value.matches


def _any_case(value: Pattern) -> Test:
    """Compared letter by letter, with the variables' values folded like the rest."""
    folded = pattern(value.text.lower(), variables=bool(value.variables), wild=False)

    def fits(text: str, lookup: Lookup) -> bool:
        def lower(key: str) -> list[str] | None:
            values = lookup(key)
            return None if values is None else [each.lower() for each in values]

        return folded.matches(text.lower(), lower)

    return fits


def _boolean(value: Pattern) -> Test:
    wanted = value.text.lower()
    if wanted not in _BOOLEANS:
        raise ValueError(value.text)
    return lambda text, lookup: text.lower() == wanted


def _binary(value: Pattern) -> Test:
    wanted = base64.b64decode(value.text, validate=True)

    def fits(text: str, lookup: Lookup) -> bool:
        try:
            return base64.b64decode(text, validate=True) == wanted
        except (binascii.Error, ValueError):
            return False

    return fits


def _address(value: Pattern) -> Test:
    network = ipaddress.ip_network(value.text, strict=False)

    def fits(text: str, lookup: Lookup) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return address in network or (mapped is not None and mapped in network)

    return fits


def number(text: str) -> Decimal:
    """A number of a policy or of a request.

    Raises:
        ValueError.
    """
    if not _NUMBER.match(text):
        raise ValueError(text)
    return Decimal(text)


def moment(text: str) -> datetime:
    """A time of a policy or of a request: ISO 8601, or seconds since 1970.

    Raises:
        ValueError, OverflowError.
    """
    if _EPOCH.match(text):
        return datetime.fromtimestamp(float(text), UTC)
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _ordered(read: Callable[[str], Ordered], signs: Collection[int], value: Pattern) -> Test:
    """Compared by order: less, the same or more is -1, 0 or 1."""
    wanted = read(value.text)

    def fits(text: str, lookup: Lookup) -> bool:
        try:
            found = read(text)
        except (ValueError, OverflowError):
            return False
        return (found > wanted) - (found < wanted) in signs

    return fits


_ORDERS: Mapping[str, Collection[int]] = {
    "Equals": (0,),
    "LessThan": (-1,),
    "LessThanEquals": (-1, 0),
    "GreaterThan": (1,),
    "GreaterThanEquals": (1, 0),
}

OPERATORS: Mapping[str, Operator] = {
    "StringEquals": Operator(_text, variables=True),
    "StringEqualsIgnoreCase": Operator(_any_case, variables=True),
    "StringLike": Operator(_text, variables=True, wild=True),
    "ArnEquals": Operator(_arn, variables=True, wild=True, arn=True),
    "ArnLike": Operator(_arn, variables=True, wild=True, arn=True),
    "Bool": Operator(_boolean),
    "BinaryEquals": Operator(_binary),
    "IpAddress": Operator(_address),
    "Null": Operator(_boolean),
    **{
        f"Numeric{name}": Operator(partial(_ordered, number, signs))
        for name, signs in _ORDERS.items()
    },
    **{
        f"Date{name}": Operator(partial(_ordered, moment, signs)) for name, signs in _ORDERS.items()
    },
}
"""The operators that say what must be; each of :data:`_NEGATED` says what must not."""

_NEGATED: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
