"""Version 2 for S3: Amazon's own examples, and what clients make of the rules."""

from dataclasses import replace
from urllib.parse import parse_qsl, unquote

import pytest

from gateway.s3 import operations, registry
from gateway.sign import s3v2
from gateway.sign.refusals import Reason, Refusal
from gateway.sign.request import Request

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEY = "AKIAIOSFODNN7EXAMPLE"
MOUNT = "/mount"


def request(
    method: str, path: str, query: str = "", signature: str = "x", **headers: str
) -> Request:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, query, {**given, "authorization": f"AWS {KEY}:{signature}"})


def claim(asked: Request, **query: str) -> s3v2.Claim:
    found = s3v2.parse(asked, query)
    assert found is not None
    return found


def first_text(asked: Request) -> str:
    return next(s3v2.strings_to_sign(claim(asked), asked, MOUNT))[0].decode()


@pytest.mark.parametrize(
    "asked",
    [
        request(
            "GET",
            "/johnsmith/photos/puppy.jpg",
            signature="bWq2s1WEIj+Ydj0vQ697zp+IXMU=",
            date="Tue, 27 Mar 2007 19:36:42 +0000",
        ),
        request(
            "PUT",
            "/johnsmith/photos/puppy.jpg",
            signature="MyyxeRY7whkBe+bq8fHCL/2kKUg=",
            content_type="image/jpeg",
            content_length="94328",
            date="Tue, 27 Mar 2007 21:15:45 +0000",
        ),
        request(
            "GET",
            "/johnsmith/",
            "prefix=photos&max-keys=50&marker=puppy",
            signature="htDYFYduRNen8P9ZfE/s9SuKy0U=",
            date="Tue, 27 Mar 2007 19:42:41 +0000",
        ),
        request(
            "GET",
            "/johnsmith/",
            "acl",
            signature="c2WLPFtWHVgbEmeEG93a4cG37dM=",
            date="Tue, 27 Mar 2007 19:44:46 +0000",
        ),
    ],
)
def test_amazons_examples_hold(asked: Request) -> None:
    assert s3v2.verify(claim(asked), asked, SECRET, MOUNT) == frozenset()
    with pytest.raises(Refusal) as refused:
        s3v2.verify(claim(asked), replace(asked, path="/johnsmith/x/y"), SECRET, MOUNT)
    assert refused.value.reason is Reason.MISMATCH


def test_amz_headers_are_signed_sorted_and_empty_the_date() -> None:
    asked = request("PUT", "/b/k", date="d", x_amz_date="D", x_amz_acl=" private ", x_other="o")
    assert first_text(asked) == "PUT\n\n\n\nx-amz-acl:private\nx-amz-date:D\n/b/k"


def test_subresources_are_signed_sorted_with_their_values_decoded() -> None:
    query = "versionId=a%2Fb&prefix=p&acl&response-content-type=a%20b"
    text = first_text(request("GET", "/b/k", query, date="d"))
    assert text.endswith("/b/k?acl&response-content-type=a b&versionId=a/b")


@pytest.mark.parametrize("query", ["%61cl", "ac%6C", "%76ersionId=null", "partNumb%65r=1&%61cl"])
def test_a_subresource_is_signed_however_its_name_is_spelled(query: str) -> None:
    asked = request("GET", "/b/k", query, date="d")
    plain = unquote(query).split("&")
    text = "?" + "&".join(sorted(plain))
    texts = [text.decode() for text, _ in s3v2.strings_to_sign(claim(asked), asked, MOUNT)]
    assert texts
    assert all(each.endswith(text) for each in texts)


@pytest.mark.parametrize(
    "name", ["legal-hold", "retention", "encryption", "publicAccessBlock", "ownershipControls"]
)
def test_a_signature_that_leaves_out_what_is_asked_does_not_cover_it(name: str) -> None:
    asked = request("PUT", "/b/k", name, date="d")
    texts = [text.decode() for text, _ in s3v2.strings_to_sign(claim(asked), asked, MOUNT)]
    assert texts
    assert all(text.endswith(f"?{name}") for text in texts)


def test_whatever_makes_a_request_another_operation_is_signed() -> None:
    operations.load()
    # Listing and attributes tell less than what the same signature reads without them.
    asked = {
        name
        for operation in registry.OPERATIONS.values()
        for name, _ in parse_qsl(
            operation.model.http["requestUri"].partition("?")[2], keep_blank_values=True
        )
    } - {"list-type", "attributes"}
    assert all(asked <= names for names in s3v2.SUBRESOURCES)


def test_what_clients_sign_besides_is_tried_as_well() -> None:
    asked = request("GET", "/b/k", "storageClass&acl&websiteConfig", date="d")
    texts = [text.decode() for text, _ in s3v2.strings_to_sign(claim(asked), asked, MOUNT)]
    assert {text.rpartition("?")[2] for text in texts} == {
        "acl",
        "acl&storageClass",
        "acl&storageClass&websiteConfig",
    }


@pytest.mark.parametrize(
    ("wire", "signed"),
    [
        ("/b", {"/b", "/b/", "/mount/b", "/mount/b/"}),
        ("/mount/b", {"/b", "/b/", "/mount/b", "/mount/b/"}),
        ("/b/k", {"/b/k", "/mount/b/k"}),
        ("/mount/b/k", {"/b/k", "/mount/b/k"}),
        ("/", {"/", "/mount/", "/mount"}),
        ("/mount", {"/", "/mount"}),
        ("/mountain/k", {"/mountain/k", "/mount/mountain/k"}),
    ],
)
def test_the_resource_may_have_the_mount_and_a_buckets_slash_or_not(
    wire: str, signed: set[str]
) -> None:
    asked = request("GET", wire, date="d")
    texts = [text.decode() for text, _ in s3v2.strings_to_sign(claim(asked), asked, MOUNT)]
    assert {text.rpartition("\n")[2] for text in texts} == signed


def test_metadata_may_have_been_signed_with_underscores_in_any_mixture() -> None:
    asked = request("PUT", "/b/k", date="d", x_amz_meta_a_b="1", x_amz_meta_c_d="2")
    found = [names for _, names in s3v2.strings_to_sign(claim(asked), asked, MOUNT)]
    assert len(set(found)) == 4
    many = {f"x_amz_meta_a_{number}": "v" for number in range(9)}
    asked = request("PUT", "/b/k", date="d", **many)
    found = [names for _, names in s3v2.strings_to_sign(claim(asked), asked, MOUNT)]
    assert {len(names) for names in found} == {0, 9}


def test_a_url_carries_its_claim_in_the_query() -> None:
    query = {"AWSAccessKeyId": KEY, "Signature": "s", "Expires": "1"}
    asked = Request("GET", "/b/k", "", {"date": "ignored"})
    found = claim(asked, **query)
    assert (found.access_key, found.signature, found.expires) == (KEY, "s", "1")
    assert next(s3v2.strings_to_sign(found, asked, MOUNT))[0] == b"GET\n\n\n1\n/b/k"


@pytest.mark.parametrize("absent", ["AWSAccessKeyId", "Signature"])
def test_half_a_claim_is_malformed(absent: str) -> None:
    query = {"AWSAccessKeyId": KEY, "Signature": "s", "Expires": "1"}
    del query[absent]
    with pytest.raises(Refusal) as refused:
        s3v2.parse(Request("GET", "/b/k", "", {}), query)
    assert refused.value.reason is Reason.MALFORMED


def test_a_request_without_a_claim_has_none() -> None:
    assert s3v2.parse(Request("GET", "/b/k", "", {}), {"Expires": "1"}) is None
