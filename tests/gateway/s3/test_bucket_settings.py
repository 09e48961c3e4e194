"""The documents of buckets, through boto3."""

import base64
import zlib
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.gateway.s3.raw import Answer, send, signed
from tests.gateway.s3.servers import BOB, Server

Members = dict[str, Any]

CORS = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 5}]}
WEBSITE = {
    "IndexDocument": {"Suffix": "i.html"},
    "ErrorDocument": {"Key": "e.html"},
    "RoutingRules": [
        {"Condition": {"KeyPrefixEquals": "a/"}, "Redirect": {"ReplaceKeyPrefixWith": "b/"}},
        {"Redirect": {"HostName": "h", "Protocol": "https", "HttpRedirectCode": "302"}},
    ],
}
LIFECYCLE = {
    "Rules": [
        {
            "ID": "i",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "p", "Tags": [{"Key": "k", "Value": "v"}]}},
            "Expiration": {"Days": 3},
        },
        {
            "ID": "j",
            "Status": "Disabled",
            "Filter": {"ObjectSizeGreaterThan": 5},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 2, "NewerNoncurrentVersions": 4},
        },
    ]
}
NOTIFICATION = {
    "TopicConfigurations": [
        {
            "Id": "i",
            "TopicArn": "arn:pileus:http:::http://127.0.0.1:1/hook",
            "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "a/"}]}},
        }
    ]
}
ENCRYPTION = {
    "Rules": [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": False,
        }
    ]
}
TAGGING = {"TagSet": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": ""}]}

# noun in boto3, argument, document, where a reply has it, code of there being none
ROUND_TRIPS: list[tuple[str, str, Members, str, str]] = [
    ("bucket_cors", "CORSConfiguration", CORS, "", "NoSuchCORSConfiguration"),
    ("bucket_website", "WebsiteConfiguration", WEBSITE, "", "NoSuchWebsiteConfiguration"),
    (
        "bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        LIFECYCLE,
        "",
        "NoSuchLifecycleConfiguration",
    ),
    ("bucket_tagging", "Tagging", TAGGING, "", "NoSuchTagSet"),
    (
        "bucket_encryption",
        "ServerSideEncryptionConfiguration",
        ENCRYPTION,
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
]
REMOVED_AS = {"bucket_lifecycle_configuration": "bucket_lifecycle"}


def said(reply: Members) -> Members:
    """A reply without what is said besides."""
    apart = ("ResponseMetadata", "TransitionDefaultMinimumObjectSize")
    return {name: value for name, value in reply.items() if name not in apart}


def code(error: ClientError) -> tuple[int, str]:
    answer: Any = error.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def call(server: Server, method: str, path: str, body: bytes = b"", **more: str) -> Answer:
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    return send(
        server, method, path, signed(server, method, path, headers, "UNSIGNED-PAYLOAD"), body
    )


@pytest.mark.parametrize(("noun", "argument", "document", "where", "missing"), ROUND_TRIPS)
def test_a_document_is_kept_answered_and_removed(
    server: Server,
    bucket: str,
    noun: str,
    argument: str,
    document: Members,
    where: str,
    missing: str,
) -> None:
    client = server.client()
    with pytest.raises(ClientError) as none:
        getattr(client, f"get_{noun}")(Bucket=bucket)
    assert code(none.value) == (404, missing)
    getattr(client, f"put_{noun}")(Bucket=bucket, **{argument: document})
    found = said(getattr(client, f"get_{noun}")(Bucket=bucket))
    assert found == ({where: document} if where else document)
    remove = getattr(client, f"delete_{REMOVED_AS.get(noun, noun)}")
    for _ in range(2):
        assert remove(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(ClientError, match=missing):
        getattr(client, f"get_{noun}")(Bucket=bucket)


def test_what_terraform_reads_of_a_new_bucket_is_answered(server: Server, bucket: str) -> None:
    client = server.client()
    assert said(client.get_bucket_versioning(Bucket=bucket)) == {}
    assert said(client.get_bucket_accelerate_configuration(Bucket=bucket)) == {}
    assert said(client.get_bucket_logging(Bucket=bucket)) == {}
    assert said(client.get_bucket_notification_configuration(Bucket=bucket)) == {}
    assert said(client.get_bucket_request_payment(Bucket=bucket)) == {"Payer": "BucketOwner"}
    for operation, missing in (
        (client.get_bucket_replication, "ReplicationConfigurationNotFoundError"),
        (client.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
    ):
        with pytest.raises(ClientError) as none:
            operation(Bucket=bucket)
        assert code(none.value) == (404, missing)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "?accelerate"),
        ("PUT", "?replication"),
        ("DELETE", "?replication"),
        ("GET", "?inventory&id=a"),
        ("PUT", "?inventory&id=a"),
        ("GET", "?analytics"),
        ("PUT", "?metrics&id=a"),
        ("GET", "?intelligent-tiering"),
        ("POST", "?metadataTable"),
        ("GET", "?metadataConfiguration"),
    ],
)
def test_what_is_not_offered_is_refused_by_name(
    server: Server, bucket: str, method: str, path: str
) -> None:
    body = b"<X/>" if method != "GET" else b""
    answer = call(server, method, f"/{bucket}{path}", body)
    assert (answer.status, answer.code) == (501, "NotImplemented")


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("get_bucket_cors", {}),
        ("put_bucket_cors", {"CORSConfiguration": CORS}),
        ("delete_bucket_cors", {}),
        ("get_bucket_versioning", {}),
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
    ],
)
def test_nobody_elses_settings_are_seen_or_changed(
    server: Server, bucket: str, operation: str, more: Members
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(server.client(BOB), operation)(Bucket=bucket, **more)
    assert code(refused.value) == (403, "AccessDenied")
    found = server.store().bucket(bucket)
    assert (found.versioning, found.settings) == ("", {})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("?cors", b""),
        ("?cors", b"<CORSConfiguration/>"),
        ("?cors", b"<Tagging/>"),
        ("?lifecycle", b""),
        ("?lifecycle", b"<LifecycleConfiguration/>"),
        ("?object-lock", b""),
        ("?versioning", b"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>"),
        (
            "?requestPayment",
            b"<RequestPaymentConfiguration><Payer>Me</Payer></RequestPaymentConfiguration>",
        ),
        ("?tagging", b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"),
        ("?website", b"<WebsiteConfiguration><IndexDocument/></WebsiteConfiguration>"),
    ],
)
def test_a_document_that_is_not_the_models_is_malformed(
    server: Server, bucket: str, path: str, body: bytes
) -> None:
    md5 = {"x_amz_checksum_crc32": _crc32(body)}
    answer = call(server, "PUT", f"/{bucket}{path}", body, **md5)
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert not server.store().bucket(bucket).settings


def _crc32(body: bytes) -> str:
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def test_a_document_needs_a_digest(server: Server, bucket: str) -> None:
    answer = call(server, "PUT", f"/{bucket}?cors", b"<CORSConfiguration/>")
    assert (answer.status, answer.code) == (400, "InvalidRequest")


# -- versioning and object lock --------------------------------------------------------------------


def version(server: Server, bucket: str, status: str | None, **more: str) -> None:
    configuration = {**({"Status": status} if status else {}), **more}
    server.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration=configuration)


def test_versioning_is_enabled_and_suspended(server: Server, bucket: str) -> None:
    client = server.client()
    for status in ("Enabled", "Suspended", "Enabled"):
        version(server, bucket, status, MFADelete="Disabled")
        assert said(client.get_bucket_versioning(Bucket=bucket)) == {"Status": status}


def test_versioning_is_refused_where_it_makes_no_sense(server: Server, bucket: str) -> None:
    with pytest.raises(ClientError, match="IllegalVersioningConfigurationException"):
        version(server, bucket, None)
    with pytest.raises(ClientError, match=r"NotImplemented.*MfaDelete"):
        version(server, bucket, "Enabled", MFADelete="Enabled")
    with pytest.raises(ClientError, match=r"NotImplemented.*x-amz-mfa"):
        server.client().put_bucket_versioning(
            Bucket=bucket, MFA="1 2", VersioningConfiguration={"Status": "Enabled"}
        )
    assert said(server.client().get_bucket_versioning(Bucket=bucket)) == {}


def test_a_bucket_is_made_with_object_lock(server: Server) -> None:
    client, name = server.client(), f"locked-{uuid4().hex[:12]}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    assert said(client.get_bucket_versioning(Bucket=name)) == {"Status": "Enabled"}
    found = client.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    assert found == {"ObjectLockEnabled": "Enabled"}
    with pytest.raises(ClientError) as refused:
        version(server, name, "Suspended")
    assert code(refused.value) == (409, "InvalidBucketState")
    assert "An Object Lock configuration is present on this bucket" in str(refused.value)


def test_an_existing_bucket_is_locked_only_with_versions(server: Server, bucket: str) -> None:
    client = server.client()
    wanted = {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}},
    }
    with pytest.raises(ClientError) as refused:
        client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=wanted)
    assert code(refused.value) == (409, "InvalidBucketState")
    version(server, bucket, "Enabled")
    client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=wanted)
    found = client.get_object_lock_configuration(Bucket=bucket)
    assert found["ObjectLockConfiguration"] == wanted


# -- the others ------------------------------------------------------------------------------------


def test_a_bucket_is_made_with_tags(server: Server) -> None:
    client, name = server.client(), f"tagged-{uuid4().hex[:12]}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": TAGGING["TagSet"]})
    assert said(client.get_bucket_tagging(Bucket=name)) == TAGGING
    wrong = {"Tags": [{"Key": "aws:a", "Value": ""}]}
    with pytest.raises(ClientError, match="InvalidTag"):
        client.create_bucket(Bucket=f"{name}-2", CreateBucketConfiguration=wrong)
    with pytest.raises(ClientError, match="404"):
        client.head_bucket(Bucket=f"{name}-2")


def test_a_bucket_has_fifty_tags_at_most(server: Server, bucket: str) -> None:
    client = server.client()
    tags = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]
    client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags[:50]})
    with pytest.raises(ClientError, match="BadRequest"):
        client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    with pytest.raises(ClientError, match="InvalidTag"):
        client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [tags[0], tags[0]]})
    assert len(client.get_bucket_tagging(Bucket=bucket)["TagSet"]) == 50


def test_a_log_goes_to_a_bucket_of_the_same_owner(server: Server, bucket: str) -> None:
    client, target = server.client(), f"logs-{uuid4().hex[:12]}"
    client.create_bucket(Bucket=target)
    theirs = f"theirs-{uuid4().hex[:12]}"
    server.client(BOB).create_bucket(Bucket=theirs)
    wanted: Members = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "p/"}}
    client.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=wanted)
    assert said(client.get_bucket_logging(Bucket=bucket)) == wanted
    for name in (theirs, "nobody-has-this-one"):
        other = {"LoggingEnabled": {"TargetBucket": name, "TargetPrefix": ""}}
        with pytest.raises(ClientError, match="InvalidTargetBucketForLogging"):
            client.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=other)
    client.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    assert said(client.get_bucket_logging(Bucket=bucket)) == {}


def test_notifications_go_to_http_receivers(server: Server, bucket: str) -> None:
    client = server.client()
    client.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=NOTIFICATION, SkipDestinationValidation=True
    )
    assert said(client.get_bucket_notification_configuration(Bucket=bucket)) == NOTIFICATION
    client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert said(client.get_bucket_notification_configuration(Bucket=bucket)) == {}


def test_requesters_may_be_asked_to_pay(server: Server, bucket: str) -> None:
    client = server.client()
    for payer in ("Requester", "BucketOwner"):
        client.put_bucket_request_payment(
            Bucket=bucket, RequestPaymentConfiguration={"Payer": payer}
        )
        assert said(client.get_bucket_request_payment(Bucket=bucket)) == {"Payer": payer}


def test_named_keys_must_exist(server: Server, bucket: str) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/nobody"}
    wanted = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    with pytest.raises(ClientError, match=r"KMS\.NotFoundException"):
        server.client().put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration=wanted
        )


def test_lifecycle_says_what_it_does_with_small_objects(server: Server, bucket: str) -> None:
    client, default = server.client(), "all_storage_classes_128K"
    put = client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration=LIFECYCLE,
        TransitionDefaultMinimumObjectSize=default,
    )
    got = client.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert put["TransitionDefaultMinimumObjectSize"] == default
    assert got["TransitionDefaultMinimumObjectSize"] == default
    with pytest.raises(ClientError, match="NotImplemented"):
        client.put_bucket_lifecycle_configuration(
            Bucket=bucket,
            LifecycleConfiguration=LIFECYCLE,
            TransitionDefaultMinimumObjectSize="varies_by_storage_class",
        )


def test_the_older_forms_are_understood(server: Server, bucket: str) -> None:
    client = server.client()
    rule = {"ID": "i", "Prefix": "p/", "Status": "Enabled", "Expiration": {"Days": 1}}
    client.put_bucket_lifecycle(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    assert client.get_bucket_lifecycle(Bucket=bucket)["Rules"] == [rule]
    topic = {"Id": "i", "Topic": "arn:pileus:http:::http://h/", "Event": "s3:ObjectCreated:*"}
    client.put_bucket_notification(
        Bucket=bucket, NotificationConfiguration={"TopicConfiguration": topic}
    )
    found = client.get_bucket_notification(Bucket=bucket)["TopicConfiguration"]
    assert (found["Topic"], found["Events"]) == (topic["Topic"], [topic["Event"]])
