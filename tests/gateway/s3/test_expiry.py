"""Lifecycle rules of one object: whom they mean, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.s3.background import expiry
from gateway.s3.background.expiry import DAY
from gateway.s3.documents import lifecycle
from s3store.records import Attributes, Bucket, Checksum, Draft, Upload, Version

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
VERSION = Version(
    id="v",
    bucket_id=1,
    key="logs/a",
    version_id="null",
    size=100,
    etag="e",
    modified=NOON,
    checksum=Checksum("crc32", b"0000"),
    attributes=Attributes(),
    owner="alice",
    tags={"kind": "old", "colour": "red"},
)
UPLOAD = Upload("u", 1, "logs/a", Draft(), None, "", "alice", NOON)


def bucket(*given: dict[str, Any]) -> Bucket:
    """A bucket with these rules, as they are kept after they were checked."""
    rules = [{"Status": "Enabled", "Filter": {}, **rule} for rule in given]
    return Bucket(1, "b", "alice", NOON, settings={"lifecycle": lifecycle.check({"Rules": rules})})


def ended(version: Version, now: datetime, *given: dict[str, Any]) -> bool:
    return expiry.ended(expiry.rules(bucket(*given)), version, now, DAY)


def test_days_end_at_the_next_midnight() -> None:
    rule = {"Expiration": {"Days": 1}}
    assert not ended(VERSION, MIDNIGHT - timedelta(seconds=1), rule)
    assert ended(VERSION, MIDNIGHT, rule)
    exact = replace(VERSION, modified=MIDNIGHT - DAY)
    assert ended(exact, MIDNIGHT, rule)
    assert not ended(VERSION, MIDNIGHT, {"Expiration": {"Days": 2**31 - 1}})


def test_a_date_means_everything_from_then_on() -> None:
    rule = {"Expiration": {"Date": "2026-11-23"}}
    assert not ended(VERSION, MIDNIGHT - timedelta(seconds=1), rule)
    assert ended(replace(VERSION, modified=MIDNIGHT), MIDNIGHT, rule)


@pytest.mark.parametrize(
    ("chosen", "meant"),
    [
        ({}, True),
        ({"Prefix": "logs/"}, True),
        ({"Prefix": "data/"}, False),
        ({"Tag": {"Key": "kind", "Value": "old"}}, True),
        ({"Tag": {"Key": "kind", "Value": "new"}}, False),
        ({"Tag": {"Key": "other", "Value": "old"}}, False),
        ({"ObjectSizeGreaterThan": 99}, True),
        ({"ObjectSizeGreaterThan": 100}, False),
        ({"ObjectSizeLessThan": 101}, True),
        ({"ObjectSizeLessThan": 100}, False),
        ({"And": {"Prefix": "logs/", "Tags": [{"Key": "kind", "Value": "old"}]}}, True),
        ({"And": {"Prefix": "data/", "Tags": [{"Key": "kind", "Value": "old"}]}}, False),
        ({"And": {"ObjectSizeGreaterThan": 1, "ObjectSizeLessThan": 100}}, False),
    ],
)
def test_a_filter_chooses(chosen: dict[str, Any], meant: bool) -> None:
    rule = {"Filter": chosen, "Expiration": {"Days": 1}}
    assert ended(VERSION, MIDNIGHT, rule) is meant


def test_a_rule_that_is_disabled_or_of_the_old_form() -> None:
    rule = {"Expiration": {"Days": 1}, "Status": "Disabled"}
    assert not ended(VERSION, MIDNIGHT, rule)
    kept = {"Rules": [{"ID": "1", "Status": "Enabled", "Prefix": "l", "Expiration": {"Days": 1}}]}
    old = Bucket(1, "b", "alice", NOON, settings={"lifecycle": kept})
    assert expiry.ended(expiry.rules(old), VERSION, MIDNIGHT, DAY)


def test_old_versions_go_by_age_and_number() -> None:
    given = expiry.rules(
        bucket({"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}})
    )
    old = replace(VERSION, latest=False)
    assert not expiry.old_ended(given, old, NOON, 1, MIDNIGHT, DAY)
    assert expiry.old_ended(given, old, NOON, 2, MIDNIGHT, DAY)
    assert not expiry.old_ended(given, old, NOON + DAY, 2, MIDNIGHT, DAY)
    assert not expiry.ended(given, VERSION, MIDNIGHT + 9 * DAY, DAY)


def test_a_marker_that_hides_nothing_goes() -> None:
    marker = replace(VERSION, marker=True, size=0, tags={})
    always = expiry.rules(bucket({"Expiration": {"ExpiredObjectDeleteMarker": True}}))
    assert expiry.lone_marker_ended(always, marker, NOON, DAY)
    aged = expiry.rules(bucket({"Expiration": {"Days": 1}}))
    assert not expiry.lone_marker_ended(aged, marker, NOON, DAY)
    assert expiry.lone_marker_ended(aged, marker, MIDNIGHT, DAY)
    sized = {"Filter": {"ObjectSizeLessThan": 5}, "Expiration": {"Days": 1}}
    assert not expiry.lone_marker_ended(expiry.rules(bucket(sized)), marker, MIDNIGHT, DAY)


def test_uploads_are_given_up() -> None:
    given = expiry.rules(
        bucket(
            {
                "Filter": {"Prefix": "logs/"},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            }
        )
    )
    assert expiry.upload_ended(given, UPLOAD, MIDNIGHT, DAY)
    assert not expiry.upload_ended(given, UPLOAD, MIDNIGHT - timedelta(seconds=1), DAY)
    assert not expiry.upload_ended(given, replace(UPLOAD, key="data"), MIDNIGHT, DAY)


def test_a_day_may_be_short() -> None:
    given, day = expiry.rules(bucket({"Expiration": {"Days": 3}})), timedelta(seconds=10)
    assert not expiry.ended(given, VERSION, NOON + timedelta(seconds=29), day)
    assert expiry.ended(given, VERSION, NOON + timedelta(seconds=30), day)


def test_the_first_end_is_promised() -> None:
    there = bucket(
        {"ID": "late", "Expiration": {"Days": 5}},
        {"ID": "soon & sure", "Expiration": {"Days": 1}},
        {"ID": "never", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 1}},
    )
    promised = 'expiry-date="Mon, 23 Nov 2026 00:00:00 GMT", rule-id="soon%20%26%20sure"'
    assert expiry.promise(there, VERSION, DAY) == {"Expiration": promised}
    assert expiry.promise(there, replace(VERSION, latest=False), DAY) == {}
    assert expiry.promise(Bucket(1, "b", "alice", NOON), VERSION, DAY) == {}


def test_the_first_end_of_an_upload_is_promised() -> None:
    there = bucket(
        {"ID": "late", **_aborting(5)},
        {"ID": "soon & sure", **_aborting(1)},
        {"ID": "of others", "Filter": {"Prefix": "x"}, **_aborting(1)},
        {"ID": "of objects", "Expiration": {"Days": 1}},
    )
    promised = {"AbortDate": MIDNIGHT, "AbortRuleId": "soon%20%26%20sure"}
    assert expiry.abort_promise(there, UPLOAD, DAY) == promised
    assert expiry.abort_promise(bucket({"Expiration": {"Days": 1}}), UPLOAD, DAY) == {}
    assert expiry.abort_promise(Bucket(1, "b", "alice", NOON), UPLOAD, DAY) == {}


def _aborting(days: int) -> dict[str, Any]:
    return {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days}}
