"""Attacks on the wire: broken framing, absurd parameters, keys that nobody could have."""

import json
import socket
import time
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.auth import SigV2Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from gateway.ec2 import query
from gateway.ec2.faults import Ec2Fault
from tests.world.world import Keys, World

_CHUNKED = (
    "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def raw(url: str, data: bytes) -> tuple[int, bytes]:
    """Send exactly these bytes, hang up, and read status and body of the answer."""
    port = urlsplit(url).port
    assert port
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("body", [b"ZZZ\r\na=b\r\n", b"-5\r\na=b\r\n", b"50\r\na=b"])
def test_broken_chunks_are_refused_in_the_protocols_own_words(world: World, body: bytes) -> None:
    host = urlsplit(world.aws_url).netloc
    head = _CHUNKED.format(path="/awsapi", host=host).encode()
    status, said = raw(world.aws_url, head + body)
    assert status == 400
    assert b"<Code>InvalidRequest</Code>" in said
    path = "/client/api?response=json"
    head = _CHUNKED.format(path=path, host=urlsplit(world.native_url).netloc).encode()
    status, said = raw(world.native_url, head + body)
    assert (status, json.loads(said)["errorresponse"]["errorcode"]) == (431, 431)


def test_no_redirect_repeats_a_signed_query(world: World) -> None:
    call = b"GET /client//api?signature=precious HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    status, said = raw(world.native_url, call)
    assert status == 404
    assert b"precious" not in said


@pytest.mark.parametrize("key", ["k" * 3000, "a b", "é" * 200])
def test_a_key_that_nobody_could_have_is_unknown(world: World, key: str) -> None:
    with pytest.raises(ClientError) as caught:
        world.aws("s3", Keys(key.encode().decode("latin-1"), "x")).list_buckets()
    assert caught.value.response["Error"]["Code"] == "InvalidAccessKeyId"


@pytest.mark.parametrize("key", ["k" * 3000, " ", "\x01", "\n"])
def test_such_a_key_is_unknown_to_ec2_as_well(world: World, key: str) -> None:
    asked = {"Action": "DescribeRegions", "Version": "2016-11-15"}
    request = AWSRequest("GET", world.aws_url + "/awsapi", params=asked, data={})
    SigV2Auth(Credentials(key, "x")).add_auth(request)
    target = f"/awsapi?{urlencode(dict(request.params))}"
    head = f"GET {target} HTTP/1.1\r\nHost: {urlsplit(world.aws_url).netloc}\r\n"
    status, said = raw(world.aws_url, f"{head}Connection: close\r\n\r\n".encode())
    assert status == 401
    assert b"<Code>AuthFailure</Code>" in said


def test_a_repeated_parameter_among_thousands_is_found_at_once() -> None:
    params = [(f"InstanceId.{'0' * 20}{number}", "") for number in range(query.MOST)]
    start = time.process_time()
    with pytest.raises(Ec2Fault, match="given more than once"):
        query.once([*params, ("z", "1"), ("z", "2")])
    assert time.process_time() - start < 5
