"""A policy document, read and checked: whatever is wrong with it is said when it is stored.

The language is that of IAM and the same for policies of resources (which name principals) and of
identities (which do not). What a service's policies may speak of, its :class:`Vocabulary` says.

Protocol source: "Grammar of the IAM JSON policy language" of the IAM user guide.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.policy import conditions
from gateway.policy.conditions import Condition
from gateway.policy.patterns import Pattern, pattern

LARGEST = 20 << 10  # bytes

_LONGEST = 256  # characters of what is said to be wrong

_OLD, _NEW = "2008-10-17", "2012-10-17"
_FIELDS = frozenset({"Version", "Id", "Statement"})
_CHOICES = ("Principal", "Action", "Resource")
_STATEMENT = frozenset({"Sid", "Effect", "Condition", *_CHOICES, *(f"Not{c}" for c in _CHOICES)})

Principal = tuple[str, str]
"""Kind and name, such as ``("AWS", "123456789012")``."""


class MalformedPolicy(Exception):
    """A text that is no policy; ``str()`` of it names what is wrong and may be shown."""

    def __init__(self, text: str) -> None:
        super().__init__(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


@dataclass(frozen=True)
class Vocabulary:
    """What a service's policies may speak of.

    Args:
        actions: the kinds of things (by whatever names the service has for them) that the actions
            a pattern means are done to; none when there is no such action. Patterns are in lower
            case.
        resources: the kinds of things that a pattern of resources may mean here.
        key: whether a condition key exists, by its lower-case name.
        principal: whether there can be such a principal; None for policies of identities, which
            name none.
    """

    actions: Callable[[Pattern], frozenset[str]]
    resources: Callable[[Pattern], frozenset[str]]
    key: Callable[[str], bool]
    principal: Callable[[Principal], bool] | None


@dataclass(frozen=True)
class Choice:
    """Patterns of which one has to match; or none, when inverted."""

    patterns: tuple[Pattern, ...]
    inverted: bool


@dataclass(frozen=True)
class Principals:
    """Who is meant: everyone, or those named; or everyone but those."""

    anyone: bool
    names: frozenset[Principal]
    inverted: bool


@dataclass(frozen=True)
class Statement:
    """One rule. ``principals`` is None where the policy belongs to the principal."""

    sid: str
    allows: bool
    principals: Principals | None
    actions: Choice
    resources: Choice
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Policy:
    """A policy that can be evaluated."""

    id: str
    statements: tuple[Statement, ...]


def parse(text: str, words: Vocabulary) -> Policy:
    """Read a policy.

    Raises:
        MalformedPolicy.
    """
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise MalformedPolicy(f"Policies must not be larger than {LARGEST} bytes.")
    document = _json(text)
    _known(document, _FIELDS)
    version = document.get("Version", _OLD)
    if version not in (_OLD, _NEW):
        raise MalformedPolicy("The policy must contain a valid version string")
    if "Statement" not in document:
        raise MalformedPolicy("Missing required field Statement")
    given = document["Statement"]
    rules = given if isinstance(given, list) else [given]
    if not rules:
        raise MalformedPolicy("Could not parse the policy: Statement is empty!")
    reader = _Reader(words, version == _NEW)
    statements = tuple(reader.statement(rule) for rule in rules)
    sids = [each.sid for each in statements if each.sid]
    if len(set(sids)) < len(sids):
        raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.")
    return Policy(_text(document.get("Id", ""), "Id"), statements)


def _json(text: str) -> dict[str, Any]:
    if not text.lstrip().startswith("{"):
        raise MalformedPolicy("Policies must be valid JSON and the first byte must be '{'")
    try:
        found: dict[str, Any] = json.loads(
            text,
            object_pairs_hook=_once,
            parse_int=Decimal,
            parse_float=Decimal,
            parse_constant=_constant,
        )
    except (ValueError, ArithmeticError, RecursionError):
        raise MalformedPolicy("This policy contains invalid Json") from None
    return found


def _constant(name: str) -> None:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedPolicy(f"Duplicate field {twice}")
    return found


def _known(given: dict[str, Any], fields: frozenset[str]) -> None:
    for name in given:
        if name not in fields:
            raise MalformedPolicy(f"Unknown field {name}")


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise MalformedPolicy(f"Invalid {what}: a string is expected")
    return value


def _texts(value: Any, what: str) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [_text(each, what) for each in values]


@dataclass(frozen=True)
class _Reader:
    """Reads the statements of one policy."""

    words: Vocabulary
    variables: bool

    def statement(self, given: Any) -> Statement:
        if not isinstance(given, dict):
            raise MalformedPolicy("Invalid policy syntax: a statement is a JSON object")
        _known(given, _STATEMENT)
        effect = given.get("Effect")
        if effect is None:
            raise MalformedPolicy("Missing required field Effect")
        if effect not in ("Allow", "Deny"):
            raise MalformedPolicy(f"Invalid effect: {effect}")
        return Statement(
            sid=_text(given.get("Sid", ""), "Sid"),
            allows=effect == "Allow",
            principals=self._principals(given),
            **self._objects(given),
            conditions=tuple(self._conditions(given.get("Condition", {}))),
        )

    def _principals(self, given: dict[str, Any]) -> Principals | None:
        if self.words.principal is None:
            for name in ("Principal", "NotPrincipal"):
                if name in given:
                    raise MalformedPolicy(f"Policy document should not specify a {name}.")
            return None
        value, inverted = _one_of(given, "Principal")
        if value == "*":
            return Principals(True, frozenset(), inverted)
        if not isinstance(value, dict) or not value:
            raise MalformedPolicy("Invalid principal in policy")
        pairs = [(kind, name) for kind, names in value.items() for name in _texts(names, kind)]
        names = frozenset(pair for pair in pairs if pair != ("AWS", "*"))
        if not pairs or not all(map(self.words.principal, names)):
            raise MalformedPolicy("Invalid principal in policy")
        return Principals(len(names) < len(set(pairs)), names, inverted)

    def _objects(self, given: dict[str, Any]) -> dict[str, Choice]:
        """What may be done to what."""
        value, inverted = _one_of(given, "Action")
        actions = Choice(tuple(map(self._action, _texts(value, "Action"))), inverted)
        value, inverted = _one_of(given, "Resource")
        resources = Choice(tuple(map(self._resource, _texts(value, "Resource"))), inverted)
        if not actions.patterns:
            raise MalformedPolicy("Policy has invalid action")
        if not resources.patterns:
            raise MalformedPolicy("Policy has invalid resource")
        if not actions.inverted and not resources.inverted:
            kinds = frozenset[str]().union(*map(self.words.resources, resources.patterns))
            for action in actions.patterns:
                if kinds.isdisjoint(self.words.actions(action)):
                    raise MalformedPolicy(
                        f"Action does not apply to any resource(s) in statement: {action.text}"
                    )
        return {"actions": actions, "resources": resources}

    def _action(self, text: str) -> Pattern:
        found = pattern(text, lower=True)
        if not self.words.actions(found):
            raise MalformedPolicy(f"Policy has invalid action: {text}")
        return found

    def _resource(self, text: str) -> Pattern:
        try:
            found = pattern(text, variables=self.variables)
        except ValueError as error:
            raise MalformedPolicy(f"Policy has invalid resource: {error}") from None
        if not self.words.resources(found) or not all(map(self.words.key, found.variables)):
            raise MalformedPolicy(f"Policy has invalid resource: {text}")
        return found

    def _conditions(self, given: Any) -> Iterator[Condition]:
        if not isinstance(given, dict):
            raise MalformedPolicy("Invalid policy syntax: Condition is a JSON object")
        for name, block in given.items():
            if not isinstance(block, dict) or not block:
                raise MalformedPolicy(f"Invalid Condition block: {name}")
            for key, values in block.items():
                yield self._condition(name, key, values)

    def _condition(self, name: str, key: str, values: Any) -> Condition:
        if not self.words.key(key.lower()):
            raise MalformedPolicy(f"Policy has an invalid condition key: {key}")
        listed = values if isinstance(values, list) else [values]
        try:
            found = conditions.parse(name, key, [_value(each) for each in listed], self.variables)
        except KeyError:
            raise MalformedPolicy(f"Invalid Condition type : {name}") from None
        except ValueError as error:
            raise MalformedPolicy(f"Invalid value for {name} of {key}: {error}") from None
        used = frozenset[str]().union(*(each.variables for each in found.patterns))
        if not listed or not all(map(self.words.key, used)):
            raise MalformedPolicy(f"Invalid value for {name} of {key}")
        return found


def _one_of(given: dict[str, Any], name: str) -> tuple[Any, bool]:
    """A field or its negation, and whether it is the negation."""
    inverted = f"Not{name}"
    if name in given and inverted in given:
        raise MalformedPolicy(f"A statement has either {name} or {inverted}, not both")
    if inverted in given:
        return given[inverted], True
    if name not in given:
        raise MalformedPolicy(f"Missing required field {name}")
    return given[name], False


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("a string, a number, true or false is expected")
    return value
