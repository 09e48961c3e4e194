"""What policies say together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.evaluate import Question, Verdict, evaluate
from tests.gateway.policy.words import policy, rule, said, verdict

EFFECTS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=6)


def deny(**more: Any) -> dict[str, Any]:
    return rule(Effect="Deny", **more)


@given(EFFECTS, st.randoms())
def test_one_deny_counts_more_than_all_allows_in_any_order(
    rules: list[tuple[bool, bool]], random: Any
) -> None:
    """Each rule allows or denies, and is about our request or about another."""
    written = [
        rule(Effect="Allow" if allows else "Deny", Resource="x:f/k" if ours else "x:f/other")
        for allows, ours in rules
    ]
    about = {allows for allows, ours in rules if ours}
    expected = (
        Verdict.DENY if False in about else Verdict.ALLOW if True in about else Verdict.SILENT
    )
    random.shuffle(written)
    question = Question("x:read", "x:f/k", frozenset(), said())
    assert evaluate([policy(each) for each in written], question) is expected
    if written:
        assert evaluate([policy(*written)], question) is expected


@pytest.mark.parametrize(
    ("who", "given", "expected"),
    [
        ("bob", {"Principal": "*"}, True),
        (None, {"Principal": "*"}, True),
        (None, {"Principal": {"AWS": "*"}}, True),
        ("bob", {"Principal": {"AWS": ["alice", "bob"]}}, True),
        ("eve", {"Principal": {"AWS": ["alice", "bob"]}}, False),
        (None, {"Principal": {"AWS": "bob"}}, False),
        ("bob", {"Principal": None, "NotPrincipal": {"AWS": "bob"}}, False),
        ("eve", {"Principal": None, "NotPrincipal": {"AWS": "bob"}}, True),
        (None, {"Principal": None, "NotPrincipal": {"AWS": "bob"}}, True),
        ("bob", {"Principal": None, "NotPrincipal": "*"}, False),
    ],
)
def test_who_is_meant(who: str | None, given: dict[str, Any], expected: bool) -> None:
    assert (verdict(rule(**given), who=who) is Verdict.ALLOW) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Action": "x:READ"}, True),
        ({"Action": "x:r*"}, True),
        ({"Action": "*"}, True),
        ({"Action": ["x:write", "x:read"]}, True),
        ({"Action": "x:write"}, False),
        ({"Action": None, "NotAction": "x:write"}, True),
        ({"Action": None, "NotAction": ["x:write", "x:re?d"]}, False),
        ({"Resource": "x:f/?"}, True),
        ({"Resource": "x:f/k?"}, False),
        ({"Resource": "x:F/k", "NotResource": None}, False),
        ({"Resource": None, "NotResource": "x:f/k"}, False),
        ({"Resource": None, "NotResource": "x:f/other"}, True),
    ],
)
def test_what_is_meant(given: dict[str, Any], expected: bool) -> None:
    if (
        given.get("Resource") == "x:F/k"
    ):  # resources tell cases apart, and this is no folder of ours
        given = {"Resource": "x:f/K"}
    assert (verdict(rule(**given)) is Verdict.ALLOW) is expected


def test_all_conditions_have_to_hold() -> None:
    given = rule(Condition={"StringEquals": {"x:a": "1", "x:b": "2"}, "Null": {"x:c": "true"}})
    assert verdict(given, lookup=said(x_a="1", x_b="2")) is Verdict.ALLOW
    assert verdict(given, lookup=said(x_a="1", x_b="3")) is Verdict.SILENT
    assert verdict(given, lookup=said(x_a="1", x_b="2", x_c="3")) is Verdict.SILENT


def test_a_resource_may_depend_on_who_asks() -> None:
    given = rule(Resource="x:f/home/${x:user}/*")
    assert verdict(given, resource="x:f/home/bob/k", lookup=said(x_user="bob")) is Verdict.ALLOW
    assert verdict(given, resource="x:f/home/bob/k", lookup=said(x_user="*")) is Verdict.SILENT
    assert verdict(given, resource="x:f/home//k") is Verdict.SILENT


def test_what_is_refused_to_all_but_some() -> None:
    wall = deny(Principal=None, NotPrincipal={"AWS": "alice"})
    assert verdict(rule(), wall, who="alice") is Verdict.ALLOW
    assert verdict(rule(), wall, who="bob") is Verdict.DENY
    assert verdict(rule(), wall, who=None) is Verdict.DENY
