"""Keys with characters that XML 1.0 cannot hold: every document stays one that parsers read."""

from typing import Any
from urllib.parse import quote, unquote

import pytest
from lxml import etree

from gateway.s3.protocol import markup
from tests.gateway.s3.posting import policy, post
from tests.gateway.s3.posting import signed as proof
from tests.gateway.s3.raw import Answer, call, send, signed
from tests.gateway.s3.servers import Server

C0 = [chr(number) for number in range(32)]
UNFIT = [each for each in C0 if each not in "\t\n\r"] + ["\ufffe", "\uffff"]
SPACES = ["\t", "\n", "\r", "\x7f", "\ufffd"]


@pytest.fixture(scope="module")
def kept(server: Server) -> str:
    """A bucket with a key for each of those characters."""
    client = server.client()
    client.create_bucket(Bucket="controls")
    client.put_bucket_versioning(Bucket="controls", VersioningConfiguration={"Status": "Enabled"})
    for each in (*UNFIT, *SPACES):
        path = f"/controls/{quote(f'a{each}b')}"
        assert send(server, "PUT", path, signed(server, "PUT", path)).status == 200
        path += "?uploads"
        assert send(server, "POST", path, signed(server, "POST", path)).status == 200
    return "controls"


def get(server: Server, path: str) -> Answer:
    """What is at a path."""
    return send(server, "GET", path, signed(server, "GET", path))


def read(answer: Answer) -> Any:
    """A document, as a parser that takes nothing but XML 1.0 reads it."""
    root = etree.fromstring(answer.body)
    for element in root.iter():
        element.tag = etree.QName(element).localname
    return root


@pytest.mark.parametrize("form", ["", "list-type=2", "versions", "uploads"])
@pytest.mark.parametrize("each", [*UNFIT, *SPACES], ids=lambda each: f"{ord(each):04x}")
def test_a_listing_says_a_key_as_it_is_or_how_to_ask_for_it(
    server: Server, kept: str, form: str, each: str
) -> None:
    key = f"a{each}b"
    path = f"/{kept}?{form}&prefix={quote(key)}".replace("?&", "?")
    plain, encoded = get(server, path), get(server, f"{path}&encoding-type=url")
    if each in UNFIT:
        assert (plain.status, plain.code) == (400, "InvalidArgument")
        assert "encoding-type=url" in str(read(plain).findtext("Message"))
    else:
        assert [found.text for found in read(plain).iter("Key")] == [key]
    page = read(encoded)
    told = [found.text for found in page.iter("Key")]
    assert [unquote(text) for text in (*told, page.findtext("Prefix"))] == [key, key]


def test_one_such_key_or_prefix_is_enough(server: Server, kept: str) -> None:
    for query in ("list-type=2&max-keys=5", "delimiter=%01&prefix=a"):
        assert get(server, f"/{kept}?{query}").code == "InvalidArgument"
    page = read(get(server, f"/{kept}?list-type=2&max-keys=5&encoding-type=url"))
    first = sorted((f"a{each}b" for each in (*UNFIT, *SPACES)), key=str.encode)[:5]
    assert [unquote(found.text) for found in page.iter("Key")] == first


@pytest.mark.parametrize("each", [*UNFIT, *SPACES], ids=lambda each: f"{ord(each):04x}")
def test_other_documents_have_a_replacement_character(server: Server, kept: str, each: str) -> None:
    key = f"none{each}"
    missing = get(server, f"/{kept}/{quote(key)}")
    assert (missing.status, missing.code) == (404, "NoSuchKey")
    shown = f"none{each if each in SPACES else markup.escape(each)}"
    assert read(missing).findtext("Key") == shown
    begun = call(server, "POST", f"/{kept}/{quote(key)}?uploads")
    assert read(begun).findtext("Key") == shown
    upload = read(begun).findtext("UploadId")
    listed = read(get(server, f"/{kept}/{quote(key)}?uploadId={upload}"))
    assert listed.findtext("Key") == shown
    assert call(server, "DELETE", f"/{kept}/{quote(key)}?uploadId={upload}").status == 204


def test_a_form_that_made_such_a_key_is_told_of_it(server: Server, kept: str) -> None:
    said = policy({"bucket": kept}, ["starts-with", "$key", ""], {"success_action_status": "201"})
    answer = post(server, kept, proof(said) | {"key": "f\x01", "success_action_status": "201"})
    assert answer.status == 201
    assert read(answer).findtext("Key") == "f\ufffd"


def test_references_to_such_characters_are_no_xml_to_us_either(server: Server, kept: str) -> None:
    body = b"<Delete><Object><Key>a&#1;b</Key></Object></Delete>"
    answer = call(server, "POST", f"/{kept}?delete", body, x_amz_checksum_crc32="AAAAAA==")
    assert answer.status == 400
