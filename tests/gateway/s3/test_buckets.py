"""Buckets through boto3."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from gateway.s3.operations.buckets import valid
from tests.gateway.s3.raw import send, signed
from tests.gateway.s3.servers import BOB, Server, serving


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose region is not the classic one."""
    with serving(tmp_path_factory.mktemp("region"), region="pileus") as running:
        yield running


def new_name() -> str:
    return f"new-{uuid4().hex[:12]}"


def test_a_bucket_is_made_found_listed_and_removed(server: Server) -> None:
    client, name = server.client(), new_name()
    assert client.create_bucket(Bucket=name)["Location"] == f"/{name}"
    client.head_bucket(Bucket=name)
    assert name in [each["Name"] for each in client.list_buckets()["Buckets"]]
    client.get_waiter("bucket_exists").wait(Bucket=name)
    client.delete_bucket(Bucket=name)
    with pytest.raises(ClientError, match="404"):
        client.head_bucket(Bucket=name)


def test_ones_own_bucket_may_be_made_again_in_the_classic_region(server: Server) -> None:
    client, name = server.client(), new_name()
    client.create_bucket(Bucket=name)
    client.put_object(Bucket=name, Key="k", Body=b"data")
    client.create_bucket(Bucket=name)
    assert client.get_object(Bucket=name, Key="k")["Body"].read() == b"data"
    assert client.get_bucket_location(Bucket=name)["LocationConstraint"] is None


def test_elsewhere_ones_own_bucket_is_refused_when_made_again(elsewhere: Server) -> None:
    client, name = elsewhere.client(region="pileus"), new_name()
    place = {"LocationConstraint": "pileus"}
    client.create_bucket(Bucket=name, CreateBucketConfiguration=place)
    assert client.get_bucket_location(Bucket=name)["LocationConstraint"] == "pileus"
    assert client.head_bucket(Bucket=name)["BucketRegion"] == "pileus"
    with pytest.raises(client.exceptions.BucketAlreadyOwnedByYou):
        client.create_bucket(Bucket=name, CreateBucketConfiguration=place)


def test_somebody_elses_bucket_name_is_taken(server: Server, bucket: str) -> None:
    client = server.client(BOB)
    with pytest.raises(client.exceptions.BucketAlreadyExists):
        client.create_bucket(Bucket=bucket)


def test_a_bucket_in_another_region_is_refused(server: Server) -> None:
    place = {"LocationConstraint": "mars-1"}
    with pytest.raises(ClientError, match="InvalidLocationConstraint"):
        server.client().create_bucket(Bucket=new_name(), CreateBucketConfiguration=place)


def test_a_bucket_with_objects_stays(server: Server, bucket: str) -> None:
    client = server.client()
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        client.delete_bucket(Bucket=bucket)


def test_buckets_are_listed_in_pages(server: Server) -> None:
    client, prefix = server.client(), new_name()
    names = [f"{prefix}-{number}" for number in range(5)]
    for name in reversed(names):
        client.create_bucket(Bucket=name)
    pages = client.get_paginator("list_buckets").paginate(
        Prefix=prefix, PaginationConfig={"PageSize": 2}
    )
    found = [[each["Name"] for each in page["Buckets"]] for page in pages]
    assert found == [names[:2], names[2:4], names[4:]]


@pytest.mark.parametrize(
    "body",
    [
        b"<CreateBucketConfiguration>",
        b"<Other/>",
        b"<CreateBucketConfiguration><Colour>red</Colour></CreateBucketConfiguration>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><CreateBucketConfiguration/>',
        b"\xff",
    ],
)
def test_a_document_that_is_not_the_models_is_malformed(server: Server, body: bytes) -> None:
    name = new_name()
    answer = send(
        server,
        "PUT",
        f"/{name}",
        signed(server, "PUT", f"/{name}", digest="UNSIGNED-PAYLOAD"),
        body,
    )
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert send(server, "HEAD", f"/{name}", signed(server, "HEAD", f"/{name}")).status == 404


@pytest.mark.parametrize("body", [b"", b"<CreateBucketConfiguration/>"])
def test_a_bucket_needs_no_configuration(server: Server, body: bytes) -> None:
    name = new_name()
    headers = signed(server, "PUT", f"/{name}", digest="UNSIGNED-PAYLOAD")
    assert send(server, "PUT", f"/{name}", headers, body).status == 200


@pytest.mark.parametrize("name", ["abc", "a-b.c-d", "0" * 63, "1.2.3.4.5", "my.bucket"])
def test_a_good_bucket_name_is_accepted(name: str) -> None:
    assert valid(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "ab", "0" * 64, "Abc", "a_b", "ä-b", "a..b", "192.168.0.1"),
        *("-abc", "abc-", ".abc", "abc.", "xn--abc", "sthree-abc", "abc-s3alias", "abc--ol-s3"),
    ],
)
def test_a_bad_bucket_name_is_refused(name: str) -> None:
    assert not valid(name)


def test_a_bad_bucket_name_is_named_in_the_error(server: Server) -> None:
    headers = signed(server, "PUT", "/Bad_Name")
    answer = send(server, "PUT", "/Bad_Name", headers)
    assert (answer.status, answer.code) == (400, "InvalidBucketName")
    assert b"<BucketName>Bad_Name</BucketName>" in answer.body
