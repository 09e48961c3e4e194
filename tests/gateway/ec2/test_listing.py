"""Filters and pages."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.ec2.faults import Ec2Fault
from gateway.ec2.listing import Listing

LISTING = Listing(
    items=("Reservations", "Instances"),
    key="InstanceId",
    ids=("InstanceIds",),
    filters={
        "type": "InstanceType",
        "state": "State.Name",
        "owner": "^OwnerId",
        "tag": "Tags.Key",
        "flag": "Flag",
        "time": "Time",
    },
    spell={"type": str.lower},
)
REPLY = {
    "Reservations": [
        {
            "OwnerId": "1",
            "Instances": [
                {"InstanceId": "a", "InstanceType": "m1.small", "State": {"Name": "running"}},
                {
                    "InstanceId": "b",
                    "InstanceType": "m1.large",
                    "Tags": [{"Key": "x"}, {"Key": "*"}],
                },
            ],
        },
        {
            "OwnerId": "2",
            "Instances": [
                {
                    "InstanceId": "c",
                    "Flag": True,
                    "Time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
                }
            ],
        },
    ]
}


def kept(reply: dict[str, Any]) -> str:
    return "".join(i["InstanceId"] for r in reply["Reservations"] for i in r["Instances"])


def filtered(name: str, *values: str) -> str:
    asked: dict[str, Any] = {"Name": name, **({"Values": list(values)} if values else {})}
    return kept(LISTING.apply({"Filters": [asked]}, REPLY))


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("type", ["m1.small"], "a"),
        ("type", ["M1.SMALL"], "a"),
        ("type", ["m1.*"], "ab"),
        ("type", ["m?.s*l"], "a"),
        ("type", ["m1.small", "m1.large"], "ab"),
        ("type", ["m1"], ""),
        ("type", [""], "c"),
        ("type", [], "c"),
        ("type", ["?*"], "ab"),
        ("state", ["running"], "a"),
        ("owner", ["2"], "c"),
        ("tag", ["x"], "b"),
        ("tag", ["\\*"], "b"),
        ("tag", ["\\x"], "b"),
        ("flag", ["true"], "c"),
        ("time", ["2026-01-02T*"], "c"),
        ("time", ["2026-01-02T03:04:05.000Z"], "c"),
        ("type", ["*"], "abc"),
    ],
)
def test_a_filter_keeps_what_matches(name: str, values: list[str], found: str) -> None:
    assert filtered(name, *values) == found


def test_filters_must_all_hold_and_empty_reservations_go() -> None:
    both = [{"Name": "type", "Values": ["m1.*"]}, {"Name": "state", "Values": ["running"]}]
    reply = LISTING.apply({"Filters": both}, REPLY)
    assert kept(reply) == "a"
    assert len(reply["Reservations"]) == 1
    assert kept(REPLY) == "abc"


@pytest.mark.parametrize("asked", [{"Name": "colour", "Values": ["x"]}, {"Values": ["x"]}])
def test_an_unknown_filter_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(Ec2Fault, match="filter") as caught:
        LISTING.apply({"Filters": [asked]}, REPLY)
    assert caught.value.code == "InvalidParameterValue"


def test_an_evil_pattern_takes_no_time() -> None:
    reply = {"Reservations": [{"Instances": [{"InstanceId": "a", "InstanceType": "a" * 2000}]}]}
    start = time.process_time()
    LISTING.apply({"Filters": [{"Name": "type", "Values": ["*a" * 500 + "b"]}]}, reply)
    assert time.process_time() - start < 5


def test_pages_follow_each_other() -> None:
    first = LISTING.apply({"MaxResults": 2}, REPLY)
    assert kept(first) == "ab"
    second = LISTING.apply({"MaxResults": 2, "NextToken": first["NextToken"]}, REPLY)
    assert kept(second) == "c"
    assert "NextToken" not in second


def test_a_page_goes_on_after_the_item_it_ended_with() -> None:
    token = LISTING.apply({"MaxResults": 1}, REPLY)["NextToken"]
    grown = {"Reservations": [{"OwnerId": "0", "Instances": [{"InstanceId": "0"}]}]}
    grown["Reservations"] += REPLY["Reservations"]  # type: ignore[arg-type]
    assert kept(LISTING.apply({"NextToken": token}, grown)) == "bc"
    shrunk = {"Reservations": REPLY["Reservations"][1:]}
    assert kept(LISTING.apply({"NextToken": token}, shrunk)) == ""


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"MaxResults": 0}, "InvalidParameterValue"),
        ({"MaxResults": 1001}, "InvalidParameterValue"),
        ({"NextToken": "!"}, "InvalidParameterValue"),
        ({"NextToken": "YQ=="}, "InvalidParameterValue"),
        ({"MaxResults": 5, "InstanceIds": ["a"]}, "InvalidParameterCombination"),
    ],
)
def test_an_impossible_page_is_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(Ec2Fault) as caught:
        LISTING.apply(given, REPLY)
    assert caught.value.code == code
