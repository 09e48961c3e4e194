"""Notifications: what a bucket asks to be told of comes to a real receiver, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.s3.background import lifecycle
from gateway.s3.background.delivery import Courier
from gateway.s3.background.events import Cause
from gateway.s3.background.receivers import Guard
from s3store.store import Store
from s3store.witness import witnessed
from tests.gateway.s3.posting import policy, post, signed
from tests.gateway.s3.receiver import Receiver, receiving
from tests.gateway.s3.servers import ALICE, Server, serving

HERE = Guard(("127.0.0.0/8",))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


def subscribe(server: Server, bucket: str, *topics: dict[str, Any]) -> Any:
    """Have a bucket tell of everything, or of what the topics say."""
    client = server.client()
    given = [{"Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], **topic} for topic in topics]
    configuration = {"TopicConfigurations": given}
    client.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=configuration
    )
    return client


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["eventName"] for event in events]


def test_an_event_says_what_s3_says(server: Server, bucket: str, receiver: Receiver) -> None:
    client = subscribe(server, bucket, {"Id": "mine", "TopicArn": receiver.arn("/a?b=c")})
    put = client.put_object(Bucket=bucket, Key="a b/ü", Body=b"data")
    (event,) = receiver.events(1)
    assert receiver.told[0][0] == "/a?b=c"
    identity, s3 = {"principalId": ALICE.account_id}, event["s3"]
    assert event["eventName"] == "ObjectCreated:Put"
    assert (event["eventVersion"], event["eventSource"]) == ("2.1", "aws:s3")
    assert (event["awsRegion"], event["userIdentity"]) == ("us-east-1", identity)
    assert event["requestParameters"] == {"sourceIPAddress": "127.0.0.1"}
    assert event["responseElements"]["x-amz-request-id"] == put["ResponseMetadata"]["RequestId"]
    assert datetime.fromisoformat(event["eventTime"]).tzinfo == UTC
    assert s3["configurationId"] == "mine"
    assert s3["bucket"] == {
        "name": bucket,
        "ownerIdentity": identity,
        "arn": f"arn:aws:s3:::{bucket}",
    }
    etag = put["ETag"].strip('"')
    sequencer = s3["object"].pop("sequencer")
    assert s3["object"] == {"key": "a+b%2F%C3%BC", "size": 4, "eTag": etag}
    assert int(sequencer, 16) > 0


def test_a_receiver_that_is_named_gets_a_test_event_first(
    server: Server, bucket: str, receiver: Receiver
) -> None:
    named = [
        {"TopicArn": receiver.arn("/a"), "Events": ["s3:ObjectCreated:*"]},
        {"TopicArn": receiver.arn("/b"), "Events": ["s3:ObjectRemoved:*"]},
        {"TopicArn": receiver.arn("/a"), "Events": ["s3:ObjectTagging:*"]},
    ]
    client = subscribe(server, bucket, *named)
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    receiver.events(1)
    assert sorted(path for path, _ in receiver.tests) == ["/a", "/b"]
    (told, *_) = (told for path, told in receiver.tests if path == "/a")
    assert (told["Service"], told["Event"], told["Bucket"]) == ("Amazon S3", "s3:TestEvent", bucket)
    assert datetime.fromisoformat(told["Time"]).tzinfo == UTC
    assert told["RequestId"]
    assert told["HostId"]


def test_whoever_skips_the_validation_of_receivers_sends_no_test_event(
    server: Server, bucket: str, receiver: Receiver
) -> None:
    topic = {"TopicArn": receiver.arn(), "Events": ["s3:ObjectCreated:*"]}
    client = server.client()
    client.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"TopicConfigurations": [topic]},
        SkipDestinationValidation=True,
    )
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    receiver.events(1)
    assert receiver.tests == []


def test_every_way_to_change_an_object_is_told(
    server: Server, bucket: str, receiver: Receiver
) -> None:
    wanted = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*"]
    client = subscribe(server, bucket, {"TopicArn": receiver.arn(), "Events": wanted})
    client.put_object(Bucket=bucket, Key="k", Body=b"1")
    client.copy_object(Bucket=bucket, Key="l", CopySource=f"{bucket}/k")
    proof = signed(policy({"bucket": bucket}, {"key": "p"}))
    assert post(server, bucket, proof | {"key": "p"}).status == 204
    upload = client.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    where = {"Bucket": bucket, "Key": "m", "UploadId": upload}
    etag = client.upload_part(**where, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    client.complete_multipart_upload(**where, MultipartUpload=parts)
    tags = {"TagSet": [{"Key": "a", "Value": "1"}]}
    client.put_object_tagging(Bucket=bucket, Key="k", Tagging=tags)
    client.delete_object_tagging(Bucket=bucket, Key="k")
    client.delete_object(Bucket=bucket, Key="k")
    client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "l"}, {"Key": "none"}]})
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = client.put_object(Bucket=bucket, Key="v", Body=b"")["VersionId"]
    marker = client.delete_object(Bucket=bucket, Key="v")["VersionId"]
    client.delete_object(Bucket=bucket, Key="v", VersionId=version)
    events = receiver.events(11)
    assert names(events) == [
        "ObjectCreated:Put",
        "ObjectCreated:Copy",
        "ObjectCreated:Post",
        "ObjectCreated:CompleteMultipartUpload",
        "ObjectTagging:Put",
        "ObjectTagging:Delete",
        "ObjectRemoved:Delete",
        "ObjectRemoved:Delete",
        "ObjectCreated:Put",
        "ObjectRemoved:DeleteMarkerCreated",
        "ObjectRemoved:Delete",
    ]
    assert [event["s3"]["object"].get("versionId") for event in events[-3:]] == [
        version,
        marker,
        version,
    ]
    sequence = [event["s3"]["object"]["sequencer"] for event in events]
    assert sequence == sorted(set(sequence))


def test_only_what_was_asked_for_is_told(server: Server, bucket: str, receiver: Receiver) -> None:
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".jpg"}]
    client = subscribe(
        server,
        bucket,
        {
            "TopicArn": receiver.arn("/some"),
            "Events": ["s3:ObjectCreated:Put"],
            "Filter": {"Key": {"FilterRules": rules}},
        },
        {"TopicArn": receiver.arn("/gone"), "Events": ["s3:ObjectRemoved:Delete"]},
    )
    for key in ("in/a.png", "out/a.jpg", "in/a.jpg"):
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    client.copy_object(Bucket=bucket, Key="in/b.jpg", CopySource=f"{bucket}/in/a.jpg")
    client.delete_object(Bucket=bucket, Key="last")
    client.delete_object(Bucket=bucket, Key="in/a.png")
    receiver.events(2)
    told = sorted((path, event["s3"]["object"]["key"]) for path, event in receiver.told)
    assert told == [("/gone", "in%2Fa.png"), ("/some", "in%2Fa.jpg")]


def test_what_fails_is_not_told(server: Server, bucket: str, receiver: Receiver) -> None:
    client = subscribe(server, bucket, {"TopicArn": receiver.arn()})
    with pytest.raises(client.exceptions.ClientError):
        client.put_object(Bucket=bucket, Key="k", Body=b"data", ContentMD5="A" * 22 + "==")
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    with pytest.raises(client.exceptions.ClientError):
        client.put_object(Bucket=bucket, Key="k", Body=b"more", IfNoneMatch="*")
    client.put_object(Bucket=bucket, Key="l", Body=b"data")
    assert [event["s3"]["object"]["key"] for event in receiver.events(2)] == ["k", "l"]


def test_a_receiver_that_is_down_is_told_later_by_whoever_serves_then(tmp_path: Path) -> None:
    """Neither the receiver nor the server is there for long, and nothing is lost."""
    with receiving() as receiver:
        pass
    with serving(tmp_path) as server:
        server.store().create_bucket("bucket", ALICE.account_id)
        client = subscribe(server, "bucket", {"TopicArn": receiver.arn()})
        for number in range(3):
            client.put_object(Bucket="bucket", Key=f"k{number}", Body=b"")
        server.process.kill()
    with receiving(receiver), serving(tmp_path) as server:
        server.client().list_buckets()
        found = [event["s3"]["object"]["key"] for event in receiver.events(3)]
    assert found == ["k0", "k1", "k2"]


def outbox(store: Store, receiver: Receiver, *keys: str) -> Courier:
    """A courier with an event for each key to deliver."""
    topic = {"Id": "t", "TopicArn": receiver.arn(), "Events": ["s3:ObjectCreated:*"]}
    made = store.create_bucket("b", "alice")
    bucket = store.set_setting(made, "notification", {"TopicConfigurations": [topic]})
    with witnessed(Cause("PutObject", "us-east-1", "alice")):
        for key in keys:
            store.put(bucket, key, [b"data"])
    return Courier(store, HERE)


def test_what_is_refused_is_tried_again_and_holds_up_nothing(
    tmp_path: Path, receiver: Receiver
) -> None:
    courier = outbox(Store(tmp_path), receiver, "first", "second")
    receiver.answering = lambda number: (500 if number == 1 else 200, {})
    assert courier.round() == 2
    assert [event["s3"]["object"]["key"] for event in receiver.events(1)] == ["second"]
    while courier.round() == 0:
        pass
    assert [event["s3"]["object"]["key"] for event in receiver.events(2)] == ["second", "first"]
    assert courier.round() == 0


def test_a_redirect_is_not_followed(tmp_path: Path, receiver: Receiver) -> None:
    courier = outbox(Store(tmp_path), receiver, "k")
    with receiving() as other:
        address = f"http://127.0.0.1:{other.port}/"
        receiver.answering = lambda number: (307, {"Location": address})
        assert courier.round() == 1
        assert (receiver.requests, other.requests) == (1, 0)


def test_lifecycle_rules_are_told_of(tmp_path: Path, receiver: Receiver) -> None:
    store = Store(tmp_path)
    topic = {"Id": "t", "TopicArn": receiver.arn(), "Events": ["s3:LifecycleExpiration:*"]}
    rule = {"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}
    bucket = store.create_bucket("b", "alice")
    store.set_setting(bucket, "notification", {"TopicConfigurations": [topic]})
    store.set_setting(bucket, "lifecycle", {"Rules": [rule]})
    store.put(bucket, "k", [b"data"])
    watch = partial(witnessed, Cause.of_lifecycle("us-east-1"))
    lifecycle.apply(store, now=datetime.now(UTC) + timedelta(days=3), watch=watch)
    assert Courier(store, HERE).round() == 1
    (event,) = receiver.events(1)
    assert event["eventName"] == "LifecycleExpiration:Delete"
    assert event["userIdentity"] == {"principalId": "s3.amazonaws.com"}
