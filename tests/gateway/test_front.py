"""Which face a request is for."""

import pytest

from gateway.front import FORM, Face, face
from gateway.sign.request import Request, from_environ

V4 = "AWS4-HMAC-SHA256 Credential=K/20260101/r/{}/aws4_request, SignedHeaders=host, Signature=0"


def asked(method: str, target: str, **headers: str) -> Face:
    path, _, query = target.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return face(Request(method, path, query, named))


@pytest.mark.parametrize("path", ["/", "/awsapi", "/awsapi/", "/rest/AmazonEC2"])
def test_a_query_is_for_ec2(path: str) -> None:
    assert asked("GET", f"{path}?Action=DescribeRegions") is Face.EC2
    assert asked("POST", path, content_type=f"{FORM}; charset=utf-8") is Face.EC2


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/?list-type=2"),
        ("POST", "/?delete"),
        ("PUT", "/bucket"),
        ("PUT", "/bucket/key?Action=x"),
        ("GET", "/awsapi/rest/AmazonS3"),
        ("GET", "/awsapi/rest/AmazonS3/bucket/key"),
        ("GET", "/awsapi2"),
    ],
)
def test_everything_else_is_for_s3(method: str, target: str) -> None:
    assert asked(method, target) is Face.S3


def test_credentials_for_s3_decide_where_the_path_does_not() -> None:
    presigned = "X-Amz-Credential=K%2F20260101%2Fr%2Fs3%2Faws4_request"
    assert asked("GET", "/awsapi", authorization=V4.format("s3")) is Face.S3
    assert asked("GET", "/awsapi", authorization="AWS K:sig") is Face.S3
    assert asked("GET", f"/?Action=x&{presigned}") is Face.S3
    assert asked("GET", "/awsapi", authorization=V4.format("ec2")) is Face.EC2
    assert asked("POST", "/awsapi", authorization=V4.format("127")) is Face.EC2


def test_the_raw_request_line_is_what_counts() -> None:
    environ = {
        "REQUEST_METHOD": "get",
        "RAW_URI": "/a%2Fb//c?x=%20#f",
        "PATH_INFO": "/a/b/c",
        "QUERY_STRING": "x= ",
        "HTTP_X_AMZ_DATE": "d",
        "CONTENT_TYPE": "t",
        "CONTENT_LENGTH": "",
    }
    request = from_environ(environ)
    assert (request.method, request.path, request.query) == ("GET", "/a%2Fb//c", "x=%20")
    assert request.headers == {"x-amz-date": "d", "content-type": "t"}
    assert request.header("X_Amz_Date") == "d"
    absolute = from_environ({"REQUEST_METHOD": "GET", "RAW_URI": "http://host?a=b"})
    assert (absolute.path, absolute.query) == ("/", "a=b")
    plain = from_environ({"REQUEST_METHOD": "GET", "PATH_INFO": "/a b", "QUERY_STRING": "c"})
    assert (plain.path, plain.query) == ("/a%20b", "c")
