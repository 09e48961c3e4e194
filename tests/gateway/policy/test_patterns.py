"""Wildcards and variables."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.patterns import pattern
from tests.gateway.policy.words import said

LETTERS = st.text("ab:/*?${}\n", max_size=12)


def _by_the_book(pattern_text: str, text: str) -> bool:
    """The definition, tried in every way there is."""
    if not pattern_text:
        return not text
    head, rest = pattern_text[0], pattern_text[1:]
    if head == "*":
        return any(_by_the_book(rest, text[at:]) for at in range(len(text) + 1))
    return bool(text) and head in ("?", text[0]) and _by_the_book(rest, text[1:])


@settings(max_examples=1000)
@given(LETTERS, st.text("ab:/*?${}\n", max_size=10))
def test_a_pattern_matches_what_its_definition_says(wanted: str, text: str) -> None:
    assert pattern(wanted).matches(text, said()) == _by_the_book(wanted, text)


@settings(max_examples=500)
@given(st.text("ab*?", max_size=8), st.text("ab", max_size=6))
def test_a_pattern_may_begin_as_anything_it_matches(wanted: str, text: str) -> None:
    whole = pattern(wanted)
    if whole.matches(text, said()):
        assert all(whole.may_begin(text[:at]) for at in range(len(text) + 1))
    if not wanted.startswith(("*", "?")) and wanted[:1] != text[:1] and text:
        assert not whole.may_begin(text)


@settings(max_examples=500)
@given(st.text(max_size=20))
def test_what_a_variable_brings_in_is_no_pattern(value: str) -> None:
    wanted = pattern("${x:user}/?", variables=True)
    lookup = said(x_user=value)
    assert wanted.matches(f"{value}/k", lookup)
    assert wanted.matches(f"{value}x/k", lookup) is (f"{value}x" == value)
    assert not pattern("${x:user}", variables=True).matches(f"{value}x", lookup)


def test_variables_may_have_another_value_and_the_bare_characters_are_spelled_out() -> None:
    wanted = pattern("${x:team, 'nobody'}-${*}${?}${$}", variables=True)
    assert wanted.matches("nobody-*?$", said())
    assert wanted.matches("red-*?$", said(x_team="red"))
    assert not wanted.matches("red-ab$", said(x_team="red"))
    assert wanted.variables == {"x:team"}


def test_a_variable_without_one_value_matches_nothing() -> None:
    wanted = pattern("*${x:user}*", variables=True)
    assert not wanted.matches("anything", said())
    assert not wanted.matches("ab", said(x_user=["a", "b"]))


def test_old_policies_have_no_variables() -> None:
    assert pattern("${x:user}").matches("${x:user}", said(x_user="bob"))


@pytest.mark.parametrize("wrong", ["${", "${x:user", "${}", "${a b}", "${x:user, nobody}"])
def test_a_variable_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong.partition("}")[0])):
        pattern(f"a{wrong}", variables=True)


@pytest.mark.parametrize(
    ("wanted", "text", "fits"),
    [
        ("arn:aws:iam::*:user/*", "arn:aws:iam::12:user/a:b/c", True),
        ("arn:aws:iam::1?:user/b*", "arn:aws:iam::12:user/bob", True),
        ("arn:*:user/*", "arn:aws:iam::12:user/bob", False),
        ("arn:aws:iam::*", "arn:aws:iam::12:user/bob", False),
        ("arn:a*s*:iam::*1*2*:*", "arn:aws:iam::1112:root", True),
    ],
)
def test_wildcards_stay_within_their_part_of_an_arn(wanted: str, text: str, fits: bool) -> None:
    assert pattern(wanted, arn=True).matches(text, said()) is fits


def test_many_stars_do_not_multiply_the_work() -> None:
    wanted = pattern("*a" * 5000 + "b")
    assert not wanted.matches("a" * 20000, said())
