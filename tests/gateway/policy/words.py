"""A small service with folders and files, whose policies the tests write."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.policy.evaluate import Question, Verdict, evaluate
from gateway.policy.language import Policy, Principal, Vocabulary, parse
from gateway.policy.patterns import Lookup, Pattern

ACTIONS = {"x:read": "file", "x:write": "file", "x:list": "folder"}


def _actions(pattern: Pattern) -> frozenset[str]:
    return frozenset(kind for name, kind in ACTIONS.items() if pattern.matches(name, said()))


def _resources(pattern: Pattern) -> frozenset[str]:
    found = {"file"} if pattern.may_begin("x:f/") else set()
    return frozenset(found | ({"folder"} if pattern.matches("x:f", said()) else set()))


def _principal(principal: Principal) -> bool:
    return principal[0] == "AWS" and principal[1].isalnum()


WORDS = Vocabulary(_actions, _resources, lambda key: key.startswith("x:"), _principal)
OF_IDENTITIES = Vocabulary(_actions, _resources, lambda key: key.startswith("x:"), None)


def said(**values: str | Sequence[str]) -> Lookup:
    """What a request says: ``x_user="bob"`` under the key ``x:user``."""
    found: Mapping[str, Sequence[str]] = {
        name.replace("_", ":", 1): [value] if isinstance(value, str) else value
        for name, value in values.items()
    }
    return found.get


def rule(**more: Any) -> dict[str, Any]:
    """A statement that lets everyone read everything; arguments change it, None takes away."""
    whole = {"Effect": "Allow", "Principal": "*", "Action": "x:read", "Resource": "x:f/*"} | more
    return {name: value for name, value in whole.items() if value is not None}


def text(*rules: Any, **more: Any) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(rules)} | more)


def policy(*rules: Any, **more: Any) -> Policy:
    """The same, read."""
    return parse(text(*rules, **more), WORDS)


def verdict(
    *rules: Any,
    action: str = "x:Read",
    resource: str = "x:f/k",
    who: str | None = "bob",
    lookup: Lookup | None = None,
) -> Verdict:
    """What a policy of these statements says to a request."""
    names = frozenset() if who is None else frozenset({("AWS", who)})
    question = Question(action, resource, names, lookup or said())
    return evaluate([policy(*rules)], question)
