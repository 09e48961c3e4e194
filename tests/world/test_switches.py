"""``enable.ec2.api`` and ``enable.s3.api``, as clients of either face see them."""

import http.client
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.world.world import World

EC2, S3 = "enable.ec2.api", "enable.s3.api"


@pytest.fixture
def switch(world: World) -> Iterator[Callable[[str, str], None]]:
    """Sets a switch and waits until the gateway knows; afterwards both are on again."""

    def turn(name: str, value: str) -> None:
        world.native().updateConfiguration(name=name, value=value)
        world.switches_known()

    yield turn
    turn(EC2, "true")
    turn(S3, "true")


def _code(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    reply: Any = caught.value.response
    return reply["Error"]["Code"], reply["ResponseMetadata"]["HTTPStatusCode"]


def _raw(world: World, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", world.gateway_server.port, timeout=20)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    said = answer.status, answer.read()
    connection.close()
    return said


def test_both_are_off_until_somebody_sets_them(native: Any) -> None:
    rows = native.listConfigurations(keyword="api")["configuration"]
    assert {row["name"] for row in rows} >= {EC2, S3}
    assert all("gateway" in row["description"] for row in rows if row["name"] in (EC2, S3))


def test_without_ec2_s3_goes_on(world: World, switch: Callable[[str, str], None]) -> None:
    switch(EC2, "false")
    with pytest.raises(ClientError) as caught:
        world.aws("ec2").describe_regions()
    assert _code(caught) == ("OptInRequired", 403)
    assert EC2 in str(caught.value)
    world.aws("s3").list_buckets()
    switch(EC2, "true")
    world.aws("ec2").describe_regions()


@pytest.mark.parametrize("path", ["/awsapi", "/awsapi/", "/rest/AmazonEC2", "/"])
def test_ec2_is_off_on_each_of_its_paths_whoever_asks(
    path: str, world: World, switch: Callable[[str, str], None]
) -> None:
    switch(EC2, "false")
    status, body = _raw(world, "POST", path, b"Action=DescribeRegions")
    assert status == 403
    assert b"<Code>OptInRequired</Code>" in body


def test_without_s3_ec2_goes_on(world: World, switch: Callable[[str, str], None]) -> None:
    s3 = world.aws("s3")
    s3.create_bucket(Bucket="switched")
    switch(S3, "false")
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="switched", Key="k", Body=b"x")
    assert _code(caught) == ("AllAccessDisabled", 403)
    assert S3 in str(caught.value)
    world.aws("ec2").describe_regions()
    switch(S3, "true")
    assert "Contents" not in s3.list_objects_v2(Bucket="switched")
    s3.delete_bucket(Bucket="switched")


@pytest.mark.parametrize("path", ["/", "/bucket", "/bucket/key", "/awsapi/rest/AmazonS3/bucket/k"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "OPTIONS"])
def test_s3_is_off_on_every_path_whoever_asks(
    method: str, path: str, world: World, switch: Callable[[str, str], None]
) -> None:
    switch(S3, "false")
    status, body = _raw(world, method, path)
    assert status == 403
    assert b"<Code>AllAccessDisabled</Code>" in body


def test_a_switch_is_true_or_false_and_nothing_else(native: Any) -> None:
    with pytest.raises(Exception, match="neither true nor false"):
        native.updateConfiguration(name=EC2, value="maybe")


def test_only_an_administrator_turns_a_switch_and_the_gateway_only_reads(world: World) -> None:
    for keys in (world.account("switcher"), world.service):
        with pytest.raises(Exception, match="432"):
            world.native(keys).updateConfiguration(name=EC2, value="true")
    told = world.native(world.service).listCapabilities()["capability"]
    assert (told["ec2apienabled"], told["s3apienabled"]) == (True, True)
