"""Form data down to the byte: any content, cut anywhere, comes out as it went in."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.s3.faults import S3Fault
from gateway.s3.web import formdata
from gateway.s3.web.formdata import FormData
from tests.gateway.s3.posting import BOUNDARY, body, part

B = BOUNDARY
KEY = {"key": "k"}
ALIKE = (b"\r\n--" + B, b"\r\n--", b"\r", b"\n", b"--" + B + b"--", b"--", b"-", b"\x00", b"e", B)


def reader(data: bytes, cuts: Iterator[int]) -> formdata.Read:
    """Gives the data in pieces of these sizes."""
    at = 0

    def read(most: int) -> bytes:
        nonlocal at
        size = min(next(cuts, most), most)
        piece = data[at : at + size]
        at += len(piece)
        return piece

    return read


def parse(data: bytes, cuts: tuple[int, ...] = ()) -> tuple[dict[str, str], str, bytes]:
    form = FormData(reader(data, iter(cuts)), B)
    fields, filename = form.fields()
    return fields, filename, b"".join(form.content())


def code(data: bytes) -> str:
    with pytest.raises(S3Fault) as caught:
        parse(data)
    return caught.value.code


@settings(max_examples=500)
@given(
    pieces=st.lists(st.sampled_from(ALIKE) | st.binary(max_size=40), max_size=12),
    cuts=st.lists(st.integers(1, 60), max_size=200),
    end=st.sampled_from((b"--\r\n", b"--", b"--\r\nepilogue", b"\r\nanything")),
)
def test_any_content_cut_anywhere_is_the_same_bytes(
    pieces: list[bytes], cuts: list[int], end: bytes
) -> None:
    """Only a whole delimiter line ends it, which no maker of forms lets into the content."""
    content = b"".join(pieces)
    whole = b"\r\n--" + B
    if any(whole + line in content + b"\r\n" for line in (b"\r\n", b"--\r\n")):
        return
    sent = body({"key": "k", "note": "ü\r\n--"}, content, end=end)
    assert parse(sent, tuple(cuts)) == ({"key": "k", "note": "ü\r\n--"}, "a.txt", content)


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(1, 60), max_size=50))
def test_rubbish_is_read_or_refused_and_nothing_else_happens(data: bytes, cuts: list[int]) -> None:
    for sent in (data, b"--" + B + b"\r\n" + data, part("key", b"k") + data):
        with suppress(S3Fault):
            parse(sent, tuple(cuts))


def test_a_file_larger_than_any_buffer_is_never_held() -> None:
    size, seen, biggest = 40 << 20, 0, 0
    head, _, tail = body(KEY, b"|").partition(b"|")
    source = iter([head, *[b"\r\n--" + b"x" * ((1 << 20) - 4)] * 40, tail])
    form = FormData(lambda most: next(source, b""), B)
    form.fields()
    for piece in form.content():
        seen, biggest = seen + len(piece), max(biggest, len(piece))
    assert seen == size
    assert biggest <= 2 << 20


def test_what_comes_before_the_first_delimiter_is_ignored() -> None:
    assert parse(b"for old readers\r\n" + body(KEY, b"data"))[2] == b"data"


def test_fields_behind_the_file_do_not_count() -> None:
    sent = body(KEY, b"data", end=b"\r\n") + part("acl", b"public-read")[len(B) + 4 :]
    fields, _, content = parse(sent)
    assert (fields, content) == ({"key": "k"}, b"data")


@pytest.mark.parametrize(
    ("sent", "filename"),
    [
        ("a.txt", "a.txt"),
        (r"C:\pictures\cat.jpg", "cat.jpg"),
        ("/tmp/cat.jpg", "cat.jpg"),
        ("%22quoted%22; name=x.txt", '"quoted"; name=x.txt'),
        (r"\"quoted\"", '"quoted"'),
        ("ünï 100%.txt", "ünï 100%.txt"),
        ("", ""),
    ],
)
def test_the_name_of_a_file_is_read_as_browsers_write_it(sent: str, filename: str) -> None:
    assert parse(body(KEY, b"", sent)) == ({"key": "k"}, filename, b"")


def test_names_of_fields_have_no_case() -> None:
    assert parse(part("KeY", b"k") + body({}, b""))[0] == {"key": "k"}


def test_names_may_stand_without_quotes() -> None:
    head = b"--" + B + b"\r\ncontent-type: a\r\ncontent-disposition:form-data;name=key\r\n\r\nk\r\n"
    assert parse(head + body({}, b"x"))[0] == {"key": "k"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", "MalformedPOSTRequest"),
        (b"--" + B, "MalformedPOSTRequest"),
        (b"--" + B + b"--\r\n", "InvalidArgument"),
        (b"--" + B + b"\r\n\r\n\r\n", "MalformedPOSTRequest"),
        (b"--" + B + b"\r\nContent-Disposition: form-data\r\n\r\nk\r\n", "MalformedPOSTRequest"),
        (
            b"--" + B + b"\r\nContent-Disposition: attachment; name=a\r\n\r\n",
            "MalformedPOSTRequest",
        ),
        (b"--" + B + b"\r\nX: " + b"x" * 5000, "MalformedPOSTRequest"),
        (part("key", b"k") + b"--" + B + b"--", "InvalidArgument"),
        (part("key", b"k") + part("Key", b"k") + body({}, b""), "InvalidArgument"),
        (part("key", b"\xff") + body({}, b""), "InvalidArgument"),
        (part("key", b"k" * 21_000) + body({}, b""), "MaxPostPreDataLengthExceeded"),
        (part("a", b"k" * 11_000) + part("b", b"k" * 11_000), "MaxPostPreDataLengthExceeded"),
        (b"".join(part(f"x-{n}", b"") for n in range(300)), "MaxPostPreDataLengthExceeded"),
        (b"x" * 30_000, "MaxPostPreDataLengthExceeded"),
        (body({}, b"data")[:-6], "MalformedPOSTRequest"),
        (body({}, b"data", end=b"--\r"), "MalformedPOSTRequest"),
    ],
)
def test_a_broken_form_is_refused_with_its_code(sent: bytes, expected: str) -> None:
    assert code(sent) == expected


def test_a_boundary_is_found_however_it_is_written() -> None:
    for text in ("boundary=a'b", 'charset=utf-8; Boundary="a\'b"', "boundary=a'b; charset=utf-8"):
        assert formdata.boundary(f"multipart/form-data; {text}") == b"a'b"
    with pytest.raises(S3Fault):
        formdata.boundary("multipart/form-data")
