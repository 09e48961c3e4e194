"""Answers as bytes."""

import json
from datetime import datetime, timedelta, timezone
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from nativeapi.declare import View, Wire
from nativeapi.envelopes import moment, tree, write_json, write_xml


class PartView(View, noun="part"):
    """A part of something."""

    size: Annotated[int, "how large"]


class SampleView(View, noun="sample"):
    """A field of every kind."""

    id: Annotated[str, "text"]
    nothing: Annotated[str | None, "left out"]
    crosses_zones: Annotated[bool, Wire("crossZones"), "irregular name"]
    made: Annotated[datetime, "moment"]
    part: Annotated[tuple[PartView, ...], "nested"]


SAMPLE = SampleView(
    id='<é>&"',
    nothing=None,
    crosses_zones=True,
    made=datetime(2013, 3, 20, 17, 20, 17, 999, tzinfo=timezone(timedelta(hours=-7))),
    part=(PartView(size=1), PartView(size=2)),
)


def test_a_view_is_its_fields_in_order_without_those_that_are_none() -> None:
    assert list(tree(SAMPLE).items()) == [
        ("id", '<é>&"'),
        ("crossZones", True),
        ("made", "2013-03-21T00:20:17+0000"),
        ("part", [{"size": 1}, {"size": 2}]),
    ]


def test_an_empty_array_stays_in_json() -> None:
    assert tree(SampleView(**{**vars(SAMPLE), "part": ()}))["part"] == []


def test_times_are_written_in_utc_without_a_colon() -> None:
    assert moment(SAMPLE.made) == "2013-03-21T00:20:17+0000"


def test_json_is_one_line_of_utf_8_with_its_types() -> None:
    line = write_json("listsamplesresponse", {"count": 1, "sample": [tree(SAMPLE)]})

    assert "é".encode() in line
    assert b"\n" not in line
    assert json.loads(line)["listsamplesresponse"]["sample"][0]["crossZones"] is True


def test_xml_repeats_the_element_for_every_row() -> None:
    text = write_xml("listsamplesresponse", {"count": 1, "sample": [tree(SAMPLE)]})
    root = etree.fromstring(text)

    assert text.startswith(b'<?xml version="1.0" encoding="UTF-8"?><listsamplesresponse ')
    assert root.get("cloud-stack-version")
    assert root.findtext("sample/id") == '<é>&"'
    assert root.findtext("sample/crossZones") == "true"
    assert [x.text for x in root.findall("sample/part/size")] == ["1", "2"]


def test_a_job_result_is_nested_in_xml() -> None:
    root = etree.fromstring(write_xml("r", {"jobresult": {"sample": tree(SAMPLE)}}))

    assert root.findtext("jobresult/sample/part/size") == "1"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_written_both_ways(text: str) -> None:
    assert json.loads(write_json("r", {"x": text})) == {"r": {"x": text}}
    assert etree.fromstring(write_xml("r", {"x": text})).tag == "r"


def test_what_a_view_cannot_hold_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="cannot hold"):
        tree(SampleView(**{**vars(SAMPLE), "id": object()}))
