"""Names under the configured domains are buckets, and no others are."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.front import FORM, Face, face
from gateway.s3.faults import S3Fault
from gateway.s3.protocol.hosts import Hosts, Place
from gateway.s3.protocol.target import Target, parse
from gateway.settings import Settings
from gateway.sign.request import Request

HOSTS = Hosts("s3.example.com", "web.example.com")
MOUNT = "/mount"


def asked(path: str, host: str, method: str = "GET", **headers: str) -> Request:
    path, _, query = path.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, query, {"host": host, **named})


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("b.s3.example.com", Place("b")),
        ("B.S3.Example.COM:7080", Place("b")),
        ("b.s3.example.com.", Place("b")),
        ("my.dotted.bucket.s3.example.com", Place("my.dotted.bucket")),
        ("b.web.example.com:80", Place("b", website=True)),
        ("web.example.com", Place("", website=True)),
        ("s3.example.com", None),
        ("bs3.example.com", None),
        (".s3.example.com", None),
        ("127.0.0.1:7080", None),
        ("[::1]:7080", None),
        ("example.com", None),
        ("", None),
        (None, None),
    ],
)
def test_a_host_under_the_domain_names_a_bucket(host: str | None, place: Place | None) -> None:
    assert HOSTS.place(host) == place
    assert Hosts().place(host) is None


def test_of_two_domains_the_longer_is_meant() -> None:
    inside = Hosts("example.com", "web.example.com")
    assert inside.place("b.web.example.com") == Place("b", website=True)
    assert inside.place("b.example.com") == Place("b")
    outside = Hosts("s3.example.com", "example.com")
    assert outside.place("b.s3.example.com") == Place("b")
    assert outside.place("b.example.com") == Place("b", website=True)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/", None),
        ("/k", "k"),
        ("//k", "/k"),
        ("/a/../b", "a/../b"),
        ("/a%2Fb", "a/b"),
        ("/mount/b/k", "mount/b/k"),
        ("/%C3%BC", "ü"),
    ],
)
def test_the_whole_path_is_the_key_under_a_buckets_own_host(path: str, key: str | None) -> None:
    found = parse(asked(f"{path}?acl", "b.s3.example.com"), MOUNT, HOSTS)
    assert found == Target(path, "b", key, {"acl": ""}, virtual=True)


def test_any_other_host_leaves_the_bucket_to_the_path() -> None:
    found = parse(asked("/mount/b/k", "s3.example.com"), MOUNT, HOSTS)
    assert found == Target("/b/k", "b", "k", {})


@pytest.mark.parametrize("path", ["*", "host:1", "/%FF"])
def test_a_target_that_is_no_path_is_refused(path: str) -> None:
    for host in ("b.s3.example.com", "127.0.0.1"):
        with pytest.raises(S3Fault, match="InvalidURI"):
            parse(asked(path, host), MOUNT, HOSTS)


def test_a_buckets_own_host_is_never_ec2s() -> None:
    form: dict[str, Any] = {"method": "POST", "content_type": FORM}
    for path in ("/", "/awsapi", "/?Action=DescribeRegions"):
        assert face(asked(path, "b.s3.example.com", **form), HOSTS) is Face.S3
        assert face(asked(path, "b.web.example.com", **form), HOSTS) is Face.S3
        assert face(asked(path, "s3.example.com", **form), HOSTS) is Face.EC2


def test_a_domain_is_a_plain_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(s3_domain=".S3.Example.com").s3_domain == "s3.example.com"
    for wrong in ("s3.example.com:80", "a b", "-a", "http://s3", "a..b"):
        with pytest.raises(ValidationError, match="without a port"):
            Settings(s3_website_domain=wrong)
