"""What a client sent, merged, bounded and decoded."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nativeapi.request import FORM, MAX_BODY, MAX_PARAMETERS, read, wants_json
from orchestrator.faults import Fault, Kind


def _refusal(query: bytes, body: bytes = b"", content_type: str = FORM) -> Fault:
    with pytest.raises(Fault) as caught:
        read(query, body, content_type)
    assert caught.value.kind is Kind.INVALID
    return caught.value


def test_query_and_body_are_one_and_the_query_wins() -> None:
    call = read(b"command=a&x=1", b"x=2&y=3", FORM)

    assert call.parameters == {"command": "a", "x": "1", "y": "3"}


def test_the_first_value_of_a_name_counts() -> None:
    assert read(b"x=1&x=2&X=3", b"", "").parameters == {"x": "1", "X": "3"}
    assert read(b"x=1&x=2&X=3", b"", "").folded == {"x": "1"}


def test_blank_values_are_kept_because_they_are_signed() -> None:
    assert read(b"x=&y", b"", "").parameters == {"x": "", "y": ""}


def test_plus_and_percent_are_decoded_as_utf_8() -> None:
    assert read(b"x=a+b%C3%A9", b"", "").parameters == {"x": "a bé"}


@pytest.mark.parametrize("query", [b"x=%ff", b"x=\xff", b"%c3=1"])
def test_what_is_not_utf_8_is_refused(query: bytes) -> None:
    assert "UTF-8" in _refusal(query).public


@pytest.mark.parametrize("code", ["%00", "%09", "%0B", "%1F", "%7F"])
def test_control_characters_are_refused_by_name(code: str) -> None:
    assert _refusal(b"name=a" + code.encode()).field == "name"
    assert _refusal(code.encode() + b"=a").field == "?"


def test_line_breaks_are_let_through_for_keys() -> None:
    assert read(b"publickey=a%0D%0Ab", b"", "").parameters == {"publickey": "a\r\nb"}


def test_a_body_beyond_the_limit_is_refused() -> None:
    assert read(b"", b"x=" + b"a" * (MAX_BODY - 2), FORM).parameters
    assert str(MAX_BODY) in _refusal(b"", b"x=" + b"a" * MAX_BODY).public


def test_more_parameters_than_anybody_needs_are_refused() -> None:
    assert str(MAX_PARAMETERS) in _refusal(b"&".join([b"a=1"] * (MAX_PARAMETERS + 1))).public


def test_a_body_that_is_no_form_is_refused() -> None:
    assert "application/json" in _refusal(b"", b'{"a": 1}', "application/json").public
    assert read(b"a=1", b"", "application/json").parameters == {"a": "1"}


@pytest.mark.parametrize(
    ("query", "json"),
    [
        (b"response=json", True),
        (b"a=b&RESPONSE=JSON", True),
        (b"response=xml", False),
        (b"", False),
        (b"response=jsonp", False),
    ],
)
def test_xml_is_written_unless_json_is_asked_for(query: bytes, json: bool) -> None:
    assert read(query, b"", "").json is json
    assert wants_json(query) is json


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(query: bytes, body: bytes) -> None:
    with suppress(Fault):
        assert isinstance(read(query, body, FORM).folded, dict)
