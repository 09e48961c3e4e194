"""What is a policy, and what is said of a text that is none."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.language import LARGEST, MalformedPolicy, parse
from tests.gateway.policy.words import OF_IDENTITIES, WORDS, policy, rule, text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["Effect", "Principal", "Action", "Resource", "Condition", "Sid", "NotAction", "NotPrincipal"]
)


def refusal(given: str) -> str:
    with pytest.raises(MalformedPolicy) as error:
        parse(given, WORDS)
    return str(error.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "first byte"),
        ("[]", "first byte"),
        ("{", "invalid Json"),
        ('{"Statement": NaN}', "invalid Json"),
        ('{"a": ' + "[" * 9000, "invalid Json"),
        ('{"Statement": [' + "9" * 5000 + "e999999999]}", "syntax"),
        ('{"Id": "a", "Id": "b"}', "Duplicate field Id"),
        ("{}", "Statement"),
        ('{"Statement": []}', "Statement"),
        ('{"Statement": "all"}', "syntax"),
        (text(rule(), Version="2013-01-01"), "version"),
        (text(rule(), Version=["2012-10-17"]), "version"),
        (text(rule(), Author="me"), "Unknown field Author"),
        (text(rule(), Id=5), "Invalid Id"),
        (text(rule(Effect=None)), "Missing required field Effect"),
        (text(rule(Effect="allow")), "Invalid effect: allow"),
        (text(rule(Effect=["Allow"])), "Invalid effect"),
        (text(rule(Principal=None)), "Missing required field Principal"),
        (text(rule(Principal="bob")), "Invalid principal"),
        (text(rule(Principal={})), "Invalid principal"),
        (text(rule(Principal={"AWS": []})), "Invalid principal"),
        (text(rule(Principal={"AWS": "b*"})), "Invalid principal"),
        (text(rule(Principal={"Person": "bob"})), "Invalid principal"),
        (text(rule(NotPrincipal="*")), "either Principal or NotPrincipal"),
        (text(rule(Action=None)), "Missing required field Action"),
        (text(rule(Action=[])), "invalid action"),
        (text(rule(Action="x:dance")), "invalid action: x:dance"),
        (text(rule(Action="y:*")), "invalid action: y:*"),
        (text(rule(Action=5)), "Invalid Action"),
        (text(rule(Resource="y:f/*")), "invalid resource: y:f/*"),
        (text(rule(Resource="x:f/${x:user")), "invalid resource"),
        (text(rule(Resource="x:f/${y:user}")), "invalid resource"),
        (text(rule(Action="x:list")), "does not apply to any resource"),
        (text(rule(Resource="x:f")), "does not apply to any resource"),
        (text(rule(Permit="yes")), "Unknown field Permit"),
        (text(rule(Sid="a"), rule(Sid="a")), "unique"),
        (text(rule(Condition=[])), "Condition"),
        (text(rule(Condition={"Equals": {"x:k": "v"}})), "Invalid Condition type : Equals"),
        (text(rule(Condition={"StringEquals": {"y:k": "v"}})), "condition key: y:k"),
        (text(rule(Condition={"StringEquals": {"x:k": []}})), "Invalid value"),
        (text(rule(Condition={"StringEquals": {"x:k": None}})), "Invalid value"),
        (text(rule(Condition={"StringEquals": {"x:k": "${y:k}"}})), "Invalid value"),
        (text(rule(Condition={"StringEquals": {}})), "Invalid Condition block"),
        (text(rule(Condition={"NumericEquals": {"x:k": "ten"}})), "ten"),
        (text(rule(Sid="s" * LARGEST)), str(LARGEST)),
    ],
)
def test_what_is_wrong_with_a_policy_is_named(given: str, said: str) -> None:
    assert said in refusal(given)


def test_lists_of_one_may_be_left_out_and_numbers_may_be_bare() -> None:
    condition = {"NumericLessThan": {"x:k": 10.5}, "Bool": {"x:l": True}}
    short = parse(json.dumps({"Statement": rule(Condition=condition)}), WORDS)
    assert [each.key for each in short.statements[0].conditions] == ["x:k", "x:l"]
    long = policy(rule(Action=["x:read"], Resource=["x:f/*"], Principal={"AWS": ["*"]}))
    assert long.statements[0].principals == policy(rule()).statements[0].principals


def test_a_policy_of_an_identity_names_nobody() -> None:
    assert parse(text(rule(Principal=None)), OF_IDENTITIES).statements[0].principals is None
    with pytest.raises(MalformedPolicy, match="Principal"):
        parse(text(rule()), OF_IDENTITIES)


@given(st.dictionaries(FIELDS, JSON), JSON)
def test_whatever_stands_in_a_statement_is_read_or_refused(fields: Any, other: Any) -> None:
    for given_ in (text(rule(**fields)), text(other), json.dumps({"Statement": other}), str(other)):
        with suppress(MalformedPolicy):
            parse(given_, WORDS)
