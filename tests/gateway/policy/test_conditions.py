"""What each operator says, and what it says of nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.conditions import OPERATORS, parse
from gateway.policy.patterns import Lookup
from tests.gateway.policy.words import said


def holds(name: str, values: str | list[str], lookup: Lookup, *, key: str = "x:k") -> bool:
    listed = [values] if isinstance(values, str) else values
    return parse(name, key, listed, True).holds(lookup)


PAIRS = [
    ("StringEquals", "StringNotEquals", "a*", "a*", "ab"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "Ab", "aB", "ac"),
    ("StringLike", "StringNotLike", "a?*", "abc", "a"),
    ("NumericEquals", "NumericNotEquals", "10", "10.0", "11"),
    ("DateEquals", "DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "0"),
    ("IpAddress", "NotIpAddress", "10.0.0.0/8", "10.9.8.7", "11.0.0.1"),
    ("IpAddress", "NotIpAddress", "2001:db8::/32", "2001:db8::1", "2001:db9::1"),
    ("IpAddress", "NotIpAddress", "10.0.0.1", "::ffff:10.0.0.1", "not an address"),
    ("ArnEquals", "ArnNotEquals", "arn:aws:iam::1:*", "arn:aws:iam::1:root", "arn:aws:iam::2:root"),
    ("ArnLike", "ArnNotLike", "arn:aws:iam::1:user/?", "arn:aws:iam::1:user/b", "b"),
]


@pytest.mark.parametrize(("plain", "negated", "policy", "same", "other"), PAIRS)
def test_a_negated_operator_holds_where_the_plain_one_does_not(
    plain: str, negated: str, policy: str, same: str, other: str
) -> None:
    assert holds(plain, policy, said(x_k=same))
    assert not holds(plain, policy, said(x_k=other))
    assert not holds(negated, policy, said(x_k=same))
    assert holds(negated, policy, said(x_k=other))
    assert not holds(negated, ["999" if "Numeric" in plain else policy, policy], said(x_k=same))


@pytest.mark.parametrize(("plain", "negated", "policy", "same", "other"), PAIRS)
def test_where_nothing_is_said_only_negations_hold(
    plain: str, negated: str, policy: str, same: str, other: str
) -> None:
    assert not holds(plain, policy, said())
    assert holds(negated, policy, said())
    assert holds(f"{plain}IfExists", policy, said())
    assert holds(f"{negated}IfExists", policy, said())
    assert not holds(f"{plain}IfExists", policy, said(x_k=other))
    assert not holds(f"ForAnyValue:{plain}", policy, said())
    assert not holds(f"ForAnyValue:{negated}", policy, said())
    assert holds(f"ForAllValues:{plain}", policy, said())
    assert holds(f"ForAllValues:{negated}", policy, said())
    del same


@pytest.mark.parametrize("family", ["Numeric", "Date"])
def test_order_is_that_of_numbers_and_times(family: str) -> None:
    low, same, high = (
        ("9", "10", "100")
        if family == "Numeric"
        else ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "1798761600")
    )
    for name, expected in {
        "Equals": (False, True, False),
        "LessThan": (True, False, False),
        "LessThanEquals": (True, True, False),
        "GreaterThan": (False, False, True),
        "GreaterThanEquals": (False, True, True),
    }.items():
        found = tuple(holds(family + name, same, said(x_k=each)) for each in (low, same, high))
        assert found == expected


def test_bool_binary_and_null() -> None:
    assert holds("Bool", "true", said(x_k="true"))
    assert holds("Bool", "False", said(x_k="false"))
    assert not holds("Bool", "true", said(x_k="false"))
    assert holds("BinaryEquals", "YWJj", said(x_k="YWJj"))
    assert not holds("BinaryEquals", "YWJj", said(x_k="no base64!"))
    assert holds("Null", "true", said())
    assert holds("Null", "false", said(x_k="a"))
    assert not holds("Null", "true", said(x_k="a"))
    assert not holds("Null", "false", said())


def test_keys_with_several_values_are_asked_for_any_or_for_all() -> None:
    both, one = said(x_k=["a", "b"]), said(x_k=["a"])
    assert holds("ForAnyValue:StringEquals", ["b", "c"], both)
    assert not holds("ForAnyValue:StringEquals", ["b", "c"], one)
    assert holds("ForAllValues:StringEquals", ["a", "b", "c"], both)
    assert not holds("ForAllValues:StringEquals", ["a"], both)
    assert holds("ForAnyValue:StringNotEquals", ["a"], both)
    assert not holds("ForAllValues:StringNotEquals", ["a"], both)


def test_a_variable_is_compared_as_it_is() -> None:
    assert holds("StringLike", "home/${x:user}/*", said(x_k="home/bob/a", x_user="bob"))
    assert not holds("StringLike", "home/${x:user}/*", said(x_k="home/bob/a", x_user="*"))
    assert not holds("StringEquals", "${x:user}", said(x_k="bob"))
    assert holds("StringEqualsIgnoreCase", "${x:user}", said(x_k="BOB", x_user="Bob"))


@pytest.mark.parametrize(
    "name",
    [
        *("Equals", "stringequals", "StringEqualsifExists", "NullIfExists", "ForAnyValue:Null"),
        *("ForSomeValues:StringEquals", "StringEqualsIfExistsIfExists", "NotNull", "", "NotBool"),
    ],
)
def test_an_unknown_operator_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        parse(name, "x:k", ["a"], True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("NumericEquals", value) for value in ("ten", "1e9", "0x10", "", "1" * 99, "NaN")),
        *(("DateLessThan", value) for value in ("yesterday", "2026-13-01T00:00:00Z", "")),
        *(("Bool", value) for value in ("yes", "1", "${x:k}")),
        *(("IpAddress", value) for value in ("10.0.0.0/33", "10.0.0", "", "10.*", "${x:k}")),
        ("BinaryEquals", "abc"),
        ("Null", "perhaps"),
        ("ArnLike", "bob"),
        ("StringLike", "${"),
    ],
)
def test_a_value_that_is_none_of_its_kind_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=re.escape(value) or "^"):
        parse(name, "x:k", [value], True)


@given(st.sampled_from(sorted(OPERATORS)), st.text(max_size=20))
def test_whatever_a_request_says_gets_an_answer(name: str, value: str) -> None:
    wanted = {
        "Numeric": "1",
        "DateEq": "2026-01-01",
        "Date": "1767225600",
        "Bool": "true",
        "Null": "true",
        "Binary": "YWJj",
        "Ip": "10.0.0.0/8",
        "Arn": "arn:aws:iam::1:*",
    }
    policy = next((v for start, v in wanted.items() if name.startswith(start)), value or "a")
    policy = policy.replace("$", "")
    assert holds(name, policy, said(x_k=value)) in (True, False)
