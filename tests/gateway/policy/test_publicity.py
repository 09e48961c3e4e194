"""Which policies let everyone in."""

from typing import Any

import pytest

from gateway.policy.publicity import is_public
from tests.gateway.policy.words import policy, rule

TELLING = ("x:ip", "x:account")


def when(operator: str, value: Any, key: str = "x:account") -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, True),
        ({"Principal": {"AWS": ["bob", "*"]}}, True),
        ({"Principal": {"AWS": "bob"}}, False),
        ({"Principal": None, "NotPrincipal": {"AWS": "bob"}}, True),
        ({"Effect": "Deny"}, False),
        (when("StringEquals", "bob"), False),
        (when("StringEquals", ["bob", "eve"]), False),
        (when("StringEquals", "b*"), False),
        (when("StringLike", "b*"), True),
        (when("StringLike", ["bob", "*"]), True),
        (when("StringLike", "bob"), False),
        (when("StringEquals", "${x:account}"), True),
        (when("StringEqualsIfExists", "bob"), True),
        (when("StringNotEquals", "bob"), True),
        (when("ForAllValues:StringEquals", "bob"), True),
        (when("ForAnyValue:StringEquals", "bob"), False),
        (when("StringEquals", "bob", "x:agent"), True),
        (when("Null", "false"), True),
        (when("IpAddress", "10.0.0.0/8", "x:ip"), False),
        (when("IpAddress", ["10.0.0.0/8", "0.0.0.0/1"], "x:ip"), True),
        (when("IpAddress", "0.0.0.0/0", "x:ip"), True),
        (when("IpAddress", "2001::/16", "x:ip"), True),
        (when("IpAddress", "2001:db8::/32", "x:ip"), False),
        (when("NotIpAddress", "10.0.0.0/8", "x:ip"), True),
    ],
)
def test_a_policy_is_public_unless_it_tells_askers_apart(
    given: dict[str, Any], expected: bool
) -> None:
    assert is_public(policy(rule(**given)), TELLING) is expected
    harmless = rule(Principal={"AWS": "alice"})
    assert is_public(policy(harmless, rule(**given)), TELLING) is expected
