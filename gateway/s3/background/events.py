"""What is told of changes: the events that a bucket's ``notification`` setting asks for.

Everything here happens within the transaction of the change, from what that transaction sees, so an
event is kept exactly when its change is. Delivering it is the business of
:mod:`gateway.s3.background.delivery`.

Protocol source: "Event message structure" and "Supported event types" of Amazon S3.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from gateway.s3.background.trace import Trace
from gateway.s3.documents import notification
from s3store.records import NULL_VERSION, Bucket
from s3store.witness import Change, Kind, Message

SERVICE = "s3.amazonaws.com"
"""Who it is that the service does something by itself."""

# What an operation does to a version it makes, and to one it changes.
_CAUSES = {
    "PutObject": "ObjectCreated:Put",
    "PostObject": "ObjectCreated:Post",
    "CopyObject": "ObjectCreated:Copy",
    "CompleteMultipartUpload": "ObjectCreated:CompleteMultipartUpload",
    "PutObjectTagging": "ObjectTagging:Put",
    "DeleteObjectTagging": "ObjectTagging:Delete",
    "PutObjectAcl": "ObjectAcl:Put",
}


@dataclass(frozen=True)
class Cause:
    """Who or what changes something.

    Args:
        operation: in the model's words; "" for a lifecycle rule.
        principal: of the account.
    """

    operation: str
    region: str
    principal: str
    address: str = ""
    request_id: str = ""
    host_id: str = ""

    @classmethod
    def of_request(cls, trace: Trace, region: str) -> "Cause":
        """A request whose sender is known."""
        return cls(
            trace.operation,
            region,
            trace.caller.account_id,
            trace.request.address,
            trace.request_id,
            trace.host_id,
        )

    @classmethod
    def of_lifecycle(cls, region: str) -> "Cause":
        """A lifecycle rule, carried out by the service itself."""
        return cls("", region, SERVICE)

    def __call__(self, bucket: Bucket, change: Change) -> Iterator[Message]:
        """The messages of a change; see :data:`s3store.witness.Witness`."""
        topics = (bucket.settings.get("notification") or {}).get("TopicConfigurations", ())
        name = self._event(change) if topics else None
        if name is None:
            return
        for topic in topics:
            if _asked(topic, f"s3:{name}", change.key):
                record = self._record(bucket, change, name, topic["Id"])
                target = notification.url_of(topic["TopicArn"])
                yield Message(target, json.dumps({"Records": [record]}))

    def _event(self, change: Change) -> str | None:
        """What S3 calls it; None for changes nobody can ask to hear of."""
        if change.kind is Kind.REMOVED or change.marker:
            family = "ObjectRemoved" if self.operation else "LifecycleExpiration"
            made = change.kind is Kind.ADDED
            return f"{family}:DeleteMarkerCreated" if made else f"{family}:Delete"
        return _CAUSES.get(self.operation)

    def _record(self, bucket: Bucket, change: Change, name: str, rule: str) -> Mapping[str, Any]:
        about: dict[str, Any] = {"key": quote_plus(change.key)}
        if not change.marker and change.kind is not Kind.REMOVED:
            about |= {"size": change.size, "eTag": change.etag}
        if change.version_id != NULL_VERSION:
            about["versionId"] = change.version_id
        about["sequencer"] = f"{change.sequence:016X}"
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.region,
            "eventTime": _spelled(datetime.now(UTC)),
            "eventName": name,
            "userIdentity": {"principalId": self.principal},
            "requestParameters": {"sourceIPAddress": self.address},
            "responseElements": {
                "x-amz-request-id": self.request_id,
                "x-amz-id-2": self.host_id,
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": rule,
                "bucket": {
                    "name": bucket.name,
                    "ownerIdentity": {"principalId": bucket.owner},
                    "arn": f"arn:aws:s3:::{bucket.name}",
                },
                "object": about,
            },
        }


def test_event(bucket: str, trace: Trace) -> str:
    """What receivers are told when a bucket's configuration names them."""
    return json.dumps(
        {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": _spelled(datetime.now(UTC)),
            "Bucket": bucket,
            "RequestId": trace.request_id,
            "HostId": trace.host_id,
        }
    )


def _spelled(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _asked(topic: Mapping[str, Any], event: str, key: str) -> bool:
    """Whether a configuration wants to hear of an event at a key."""
    wanted = (event, f"{event.rpartition(':')[0]}:*")
    if not any(each in wanted for each in topic["Events"]):
        return False
    for rule in topic.get("Filter", {}).get("Key", {}).get("FilterRules", ()):
        matches = key.startswith if rule["Name"] == "prefix" else key.endswith
        if not matches(rule["Value"]):
            return False
    return True
