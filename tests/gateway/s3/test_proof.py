"""What policies can tell of how a caller proved who they are, and of callers who did not."""

from urllib.parse import urlsplit

import pytest

from tests.gateway.s3.leave import allow, nobody, rule
from tests.gateway.s3.raw import send, signed, signed_v2
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import BOB, Server


def fetch(server: Server, url: str, **headers: str) -> int:
    """The status that a plain GET ends in."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return send(server, "GET", path, {"Host": server.host, **headers}).status


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_requests_are_told_from_others(server: Server, bucket: str, version: str) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"x")
    bob = server.client(BOB, signature=version)
    url = bob.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    name = {"s3v4": "AWS4-HMAC-SHA256", "s3": "AWS"}[version]
    for key, value in (
        ("s3:authType", "REST-QUERY-STRING"),
        ("s3:signatureversion", name),
    ):
        wall = {"StringNotEquals": {key: value}}
        allow(
            server,
            bucket,
            rule(bucket, "GetObject", who=BOB),
            rule(bucket, "GetObject", effect="Deny", Condition=wall),
        )
        assert fetch(server, url) == 200
    with refused(403, "AccessDenied"):  # the last wall, with the other version in the header
        server.client(BOB, signature={"s3v4": "s3", "s3": "s3v4"}[version]).get_object(
            Bucket=bucket, Key="k"
        )
    for age, expected in (("600000", 200), ("0", 403)):
        young = {"NumericLessThanEquals": {"s3:signatureAge": age}}
        allow(server, bucket, rule(bucket, "GetObject", who=BOB, Condition=young))
        assert fetch(server, url) == (expected if version == "s3v4" and age != "0" else 403)


def test_a_page_may_show_what_others_may_not_link_to(server: Server, bucket: str) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"x")
    ours = {"StringLike": {"aws:Referer": "https://example.com/*"}}
    allow(server, bucket, rule(bucket, "GetObject", Condition=ours))
    url = f"{server.url}/{bucket}/k"
    assert fetch(server, url, Referer="https://example.com/page") == 200
    assert fetch(server, url, Referer="https://example.org/page") == 403
    assert fetch(server, url) == 403


def test_nobody_has_no_name(server: Server, bucket: str) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"x")
    for condition, expected in (
        ({"Null": {"aws:PrincipalArn": "true"}}, True),
        ({"StringEquals": {"aws:PrincipalType": "Anonymous"}}, True),
        ({"StringEquals": {"aws:userid": "anonymous"}}, True),
        ({"Null": {"s3:authType": "true"}}, True),
        ({"Null": {"aws:PrincipalAccount": "false"}}, False),
        ({"StringLike": {"aws:username": "*"}}, False),
    ):
        allow(server, bucket, rule(bucket, "GetObject", Condition=condition))
        if expected:
            nobody(server).get_object(Bucket=bucket, Key="k")
        else:
            with refused(403, "AccessDenied"):
                nobody(server).get_object(Bucket=bucket, Key="k")


def test_old_signatures_can_be_refused(server: Server, bucket: str) -> None:
    old = {"StringEquals": {"s3:signatureversion": "AWS"}}
    allow(server, bucket, rule(bucket, "*", on="", effect="Deny", Condition=old))
    path = f"/{bucket}"
    assert send(server, "GET", path, signed(server, "GET", path)).status == 200
    assert send(server, "GET", path, signed_v2(server, "GET", path)).code == "AccessDenied"
