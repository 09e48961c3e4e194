"""Notifications: which events are told to whom.

The only receivers are HTTP services of the bucket owner's choice, named as a topic whose ARN is
``arn:pileus:http:::`` and the URL: ``arn:pileus:http:::https://hooks.example.com/s3?source=photos``.
Everything else that S3 can notify (SNS, SQS, Lambda, EventBridge) is refused by name.

Protocol source: "PutBucketNotificationConfiguration" and "Amazon S3 Event Notifications".
"""

import functools
import itertools
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore.model import StringShape

from gateway.s3.documents import Document
from gateway.s3.faults import S3Fault
from gateway.s3.protocol import model

ARN = "arn:pileus:http:::"
"""What stands before the URL of a receiver."""

_OTHERS = ("QueueConfigurations", "LambdaFunctionConfigurations", "EventBridgeConfiguration")
_MOST = 100
_LONGEST_ID = 255  # characters
_LONGEST_URL = 2048
_LONGEST_VALUE = 1024  # bytes
_PLAIN = re.compile(r"[!-~]+\Z")
_SIDES = ("prefix", "suffix")


class _Wish(NamedTuple):
    """What a configuration is about: events, and the beginning and the end of keys."""

    events: frozenset[str]
    first: str
    last: str


def check(document: Document) -> Document | None:
    """A ``NotificationConfiguration`` with every part named; None when it asks for nothing.

    Raises:
        S3Fault: InvalidArgument, NotImplemented.
    """
    for name in _OTHERS:
        if name in document:
            raise S3Fault(
                "NotImplemented",
                f"{name} is not implemented; name an HTTP receiver as the topic {ARN}<URL>.",
            )
    topics = [_topic(each) for each in document.get("TopicConfigurations", [])]
    if len(topics) > _MOST:
        raise S3Fault("InvalidArgument", f"There may be {_MOST} configurations at most.")
    if len({topic["Id"] for topic in topics}) != len(topics):
        raise S3Fault("InvalidArgument", "Same ID used for multiple configurations.")
    for one, other in itertools.combinations(map(_wish, topics), 2):
        if _overlap(one, other):
            raise S3Fault(
                "InvalidArgument",
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two "
                "rules if the prefixes are overlapping for the same event type.",
            )
    return {"TopicConfigurations": topics} if topics else None


def receivers(document: Document) -> list[str]:
    """The URLs that a checked document names, each once."""
    return list(
        dict.fromkeys(url_of(topic["TopicArn"]) for topic in document["TopicConfigurations"])
    )


def url_of(arn: str) -> str:
    """The URL of the receiver that a topic's ARN names.

    Raises:
        S3Fault: NotImplemented, InvalidArgument.
    """
    if not arn.startswith(ARN):
        raise S3Fault(
            "NotImplemented", f"Only HTTP receivers are implemented, as the topic {ARN}<URL>."
        )
    url = arn.removeprefix(ARN)
    if len(url) > _LONGEST_URL or not _PLAIN.match(url) or not _sound(url):
        raise S3Fault(
            "InvalidArgument",
            "The receiver must be an http or https URL with a host, and without user name, "
            "password and fragment.",
            {"ArgumentName": "Topic", "ArgumentValue": arn[:_LONGEST_URL]},
        )
    return url


def _sound(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and port != 0
        and parts.username is None
        and "#" not in url
        and "\\" not in url
    )


def _topic(topic: Mapping[str, Any]) -> Mapping[str, Any]:
    url_of(topic["TopicArn"])
    name = topic.get("Id") or os.urandom(16).hex()
    if len(name) > _LONGEST_ID:
        raise S3Fault("InvalidArgument", f"An Id may have {_LONGEST_ID} characters at most.")
    for event in topic["Events"]:
        if event not in _events():
            raise S3Fault(
                "InvalidArgument", f"The event '{event[:128]}' is not supported for notifications"
            )
    if "Filter" not in topic:
        return {**topic, "Id": name}
    rules = [_side(each) for each in topic["Filter"].get("Key", {}).get("FilterRules", [])]
    if len({rule["Name"] for rule in rules}) != len(rules):
        raise S3Fault("InvalidArgument", "Cannot specify more than one filter rule of one name.")
    return {**topic, "Id": name, "Filter": {"Key": {"FilterRules": rules}}}


def _overlap(one: _Wish, other: _Wish) -> bool:
    """Whether one event at one key could be for both."""
    return (
        not one.events.isdisjoint(other.events)
        and (one.first.startswith(other.first) or other.first.startswith(one.first))
        and (one.last.endswith(other.last) or other.last.endswith(one.last))
    )


def _wish(topic: Mapping[str, Any]) -> _Wish:
    rules = topic.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    said = {rule["Name"]: rule["Value"] for rule in rules}
    events = frozenset(event for name in {*topic["Events"]} for event in _family(name))
    return _Wish(events, said.get("prefix", ""), said.get("suffix", ""))


@functools.cache
def _family(name: str) -> frozenset[str]:
    """The events that a name stands for, itself among them."""
    if not name.endswith(":*"):
        return frozenset((name,))
    return frozenset(event for event in _events() if event.startswith(name[:-1]))


def _side(rule: Mapping[str, str]) -> Mapping[str, str]:
    side, value = rule.get("Name", "").lower(), rule.get("Value", "")
    if side not in _SIDES:
        raise S3Fault("InvalidArgument", "filter rule name must be either prefix or suffix")
    if len(value.encode()) > _LONGEST_VALUE:
        raise S3Fault("InvalidArgument", "Size of filter rule value cannot exceed 1024 bytes")
    return {"Name": side, "Value": value}


def _events() -> frozenset[str]:
    shape = model.service().shape_for("Event")
    return frozenset(shape.enum) if isinstance(shape, StringShape) else frozenset()
