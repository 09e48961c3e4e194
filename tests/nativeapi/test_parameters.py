"""From texts to values."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated

import pytest

from nativeapi.declare import (
    Blank,
    Choices,
    Entry,
    Fields,
    Length,
    Owned,
    Pattern,
    Range,
    Visible,
    Wire,
)
from nativeapi.faults import Malformed
from nativeapi.parameters import asked, bind
from nativeapi.registry import parameters_of
from orchestrator.faults import Fault, Kind


class Colour(StrEnum):
    """An enum a field may be typed with."""

    RED = "Red"


class Thing:
    """Something with an id."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One parameter of every kind."""

    name: Annotated[str, "required"]
    flag: Annotated[bool, "boolean"] = False
    count: Annotated[int | None, Range(1, 10), "integer"] = None
    big: Annotated[int | None, Range(0, 2**40), "long"] = None
    note: Annotated[str | None, Length(0, 5), "may be empty"] = None
    kind: Annotated[str | None, Choices("TCP", "UDP"), "choice"] = None
    label: Annotated[str | None, Pattern("[a-z]+", "lower-case letters"), "pattern"] = None
    colour: Annotated[Colour | None, "enum"] = None
    thing: Annotated[Owned[Thing] | None, Wire("thingid"), "reference"] = None
    zone: Annotated[Visible[Thing] | None, Blank("-1"), Wire("zoneid"), "reference"] = None
    ids: Annotated[tuple[Owned[Thing], ...], "references"] = ()
    words: Annotated[tuple[str, ...], "list"] = ()
    tags: Annotated[tuple[Entry, ...], Fields("key", "value"), "map"] = ()
    day: Annotated[date | None, "date"] = None
    since: Annotated[datetime | None, "moment"] = None


PARAMETERS = parameters_of(Sample)


def _bound(**sent: str) -> dict[str, object]:
    values = bind("testThings", PARAMETERS, {"name": "n", **sent})
    return {name: value for name, value in values.items() if name != "name"}


def _refusal(**sent: str) -> Fault:
    with pytest.raises(Fault) as caught:
        bind("testThings", PARAMETERS, {"name": "n", **sent})
    return caught.value


@pytest.mark.parametrize(
    ("wire", "text", "value"),
    [
        ("flag", "TRUE", True),
        ("flag", "false", False),
        ("flag", "yes", False),
        ("count", "10", 10),
        ("count", " +3 ", 3),
        ("big", "1099511627776", 2**40),
        ("note", "", ""),
        ("kind", "tcp", "TCP"),
        ("label", "abc", "abc"),
        ("colour", "rED", Colour.RED),
        ("thingid", "ABC-1", "abc-1"),
        ("ids", "a, b,,c", ("a", "b", "c")),
        ("words", "x,y", ("x", "y")),
        ("day", "2024-02-29", date(2024, 2, 29)),
        ("since", "2024-02-29T10:00:00+0000", datetime(2024, 2, 29, 10, tzinfo=UTC)),
    ],
)
def test_a_text_becomes_a_value(wire: str, text: str, value: object) -> None:
    assert list(_bound(**{wire: text}).values()) == [value]


@pytest.mark.parametrize("wire", ["count", "kind", "thingid", "words", "day"])
def test_a_blank_value_is_like_none(wire: str) -> None:
    assert not any(_bound(**{wire: " "}).values())


def test_a_text_that_stands_for_nothing_is_nothing() -> None:
    assert _bound(zoneid="-1") == {}


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("count", "0"),
        ("count", "11"),
        ("count", "1.5"),
        ("count", "1_0"),
        ("count", "٣"),
        ("count", "9" * 30),
        ("big", "-1"),
        ("note", "123456"),
        ("kind", "ICMP"),
        ("label", "A"),
        ("colour", "blue"),
        ("name", "x" * 256),
        ("day", "2024-02-30"),
        ("day", "20240229"),
        ("since", "2024-02-29T10:00:00"),
        ("since", "now"),
    ],
)
def test_a_bad_value_is_refused_with_its_parameter_and_itself(wire: str, text: str) -> None:
    fault = _refusal(**{wire: text})

    assert (fault.kind, fault.field) == (Kind.INVALID, wire)
    assert text[:100] in fault.public
    assert f"for parameter {wire}" in fault.public
    assert "testthings" in fault.public


def test_a_missing_parameter_is_refused_in_the_words_clients_match() -> None:
    for sent in ({}, {"name": ""}):
        with pytest.raises(Fault) as caught:
            bind("testThings", PARAMETERS, sent)
        assert (caught.value.kind, caught.value.field) == (Kind.MISSING, "name")
        assert "testthings due to missing parameter name" in caught.value.public


def test_an_unknown_parameter_is_refused_by_name() -> None:
    assert (_refusal(nmae="x").kind, _refusal(nmae="x").field) == (Kind.INVALID, "nmae")
    assert _refusal(**{"nmae[0].key": "x"}).field == "nmae"


def test_parameters_of_the_call_itself_are_known_everywhere() -> None:
    transport = ("command", "response", "apikey", "signature", "signatureversion", "expires")

    assert _bound(**dict.fromkeys((*transport, "sessionkey", "_"), "x")) == {}
    assert asked({"command": "x", "_": "1", "name": "n"}) == {"name": "n"}


def test_maps_are_gathered_by_index_whatever_the_gaps() -> None:
    sent = {"tags[7].key": "c", "tags[0].key": "a", "tags[0].value": "b"}

    assert _bound(**sent) == {"tags": ({"key": "a", "value": "b"}, {"key": "c"})}


def test_a_field_a_map_does_not_have_is_refused() -> None:
    assert _refusal(**{"tags[0].colour": "x"}).field == "tags[0].colour"


@pytest.mark.parametrize(
    "name",
    [
        "tags",
        "tags[0]",
        "tags[0].",
        "tags[x].key",
        "tags[0]key",
        "tags[0].key[1]",
        "tags[-1].key",
        "tags[",
        "]tags",
        "name[0].key",
        "command[0].x",
    ],
)
def test_a_malformed_name_is_refused_as_such(name: str) -> None:
    fault = _refusal(**{name: "x"})

    assert isinstance(fault, Malformed) or name == "command[0].x"
