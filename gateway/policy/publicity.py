"""Whether a policy lets in people its author cannot know.

A policy is public when one of its statements allows something to everyone and no condition of it
binds the asker to fixed values of a key that tells askers apart. Refusals do not count: what one
statement takes back from the other is not weighed.

Protocol source: "The meaning of public" in "Blocking public access to your Amazon S3 storage".
"""

from collections.abc import Collection
from ipaddress import ip_network

from gateway.policy.conditions import Condition
from gateway.policy.language import Policy, Statement

_BINDING = frozenset(
    f"{quantifier}{name}"
    for quantifier in ("", "ForAnyValue:")
    for name in (
        *("StringEquals", "StringEqualsIgnoreCase", "StringLike"),
        *("ArnEquals", "ArnLike", "IpAddress"),
    )
)
_WIDEST = {4: 8, 6: 32}  # bits of prefix; shorter ones are half the world
_ADDRESSES = "IpAddress"


def is_public(policy: Policy, telling: Collection[str]) -> bool:
    """Whether everyone gets in.

    Args:
        telling: condition keys, in lower case, whose fixed values tell askers apart.
    """
    return any(_is_public(statement, telling) for statement in policy.statements)


def _is_public(statement: Statement, telling: Collection[str]) -> bool:
    who = statement.principals
    if not statement.allows or who is None or not (who.anyone or who.inverted):
        return False
    return not any(each.key in telling and _binds(each) for each in statement.conditions)


def _binds(condition: Condition) -> bool:
    if condition.operator not in _BINDING:
        return False
    if condition.operator.endswith(_ADDRESSES):
        return all(_narrow(each.text) for each in condition.patterns)
    return all(each.literal for each in condition.patterns)


def _narrow(network: str) -> bool:
    found = ip_network(network, strict=False)
    return found.prefixlen >= _WIDEST[found.version]
