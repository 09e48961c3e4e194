"""Amazon's own examples of signed chunks, and any body cut anywhere."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sign import v4
from gateway.sign.chunked import Broken, Chain, Decoder
from gateway.sign.refusals import Refusal

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SCOPE = "20130524/us-east-1/s3/aws4_request"
STAMP = "20130524T000000Z"

PLAIN = (
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
)
TRAILING = (
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
)
TRAILER = (
    b"x-amz-checksum-crc32c:sOO8/Q==\n\r\n"
    b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
)


def chain(seed: str) -> Chain:
    key = v4.signing_key(SECRET, "20130524", "us-east-1", "s3")
    return Chain(key, STAMP, SCOPE, seed)


def body(signatures: tuple[str, ...], end: bytes = b"\r\n") -> bytes:
    _, first, second, last = (each.encode() for each in signatures)
    return (
        b"10000;chunk-signature=%s\r\n%s\r\n" % (first, b"a" * 65536)
        + b"400;chunk-signature=%s\r\n%s\r\n" % (second, b"a" * 1024)
        + b"0;chunk-signature=%s\r\n" % last
        + end
    )


def decode(data: bytes, seed: str | None, trailing: bool) -> tuple[bytes, dict[str, str]]:
    decoder = Decoder(io.BytesIO(data).read, chain(seed) if seed else None, trailing)
    return b"".join(decoder), decoder.trailers


def test_amazons_example_of_signed_chunks_holds() -> None:
    assert decode(body(PLAIN), PLAIN[0], False) == (b"a" * 66560, {})


def test_amazons_example_of_a_signed_trailer_holds() -> None:
    data, trailers = decode(body(TRAILING, TRAILER), TRAILING[0], True)
    assert data == b"a" * 66560
    assert trailers == {"x-amz-checksum-crc32c": "sOO8/Q=="}


@given(at=st.integers(0, len(body(PLAIN)) - 5))
def test_a_signed_body_cut_before_its_last_signature_is_refused(at: int) -> None:
    with pytest.raises((Broken, Refusal)):
        decode(body(PLAIN)[:at], PLAIN[0], False)


@given(at=st.integers(0, len(body(TRAILING, TRAILER)) - 5), bit=st.integers(0, 7))
def test_a_signed_body_with_any_bit_turned_is_refused(at: int, bit: int) -> None:
    data = bytearray(body(TRAILING, TRAILER))
    data[at] ^= 1 << bit
    try:
        found = decode(bytes(data), TRAILING[0], True)
    except (Broken, Refusal):
        return
    # Spellings the signature leaves open: the case of digits and names, and the line's end.
    assert found == (b"a" * 66560, {"x-amz-checksum-crc32c": "sOO8/Q=="})


@given(pieces=st.lists(st.binary(min_size=1, max_size=50), max_size=5), step=st.integers(1, 40))
def test_unsigned_chunks_come_back_however_they_arrive(pieces: list[bytes], step: int) -> None:
    data = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    data += b"0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n"
    source = io.BytesIO(data)
    decoder = Decoder(lambda most: source.read(min(most, step)), None, True)
    assert b"".join(decoder) == b"".join(pieces)
    assert decoder.trailers == {"x-amz-checksum-crc32": "AAAA"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"-1\r\n",
        b"5\r\nhello0\r\n",
        b"5\r\nhello\r\n",
        b"g\r\n",
        b"1" * 17 + b"\r\n",
        b"5;chunk-signature=x\r\nhello\r\n0\r\n",
        b"0\r\nno colon\r\n",
        b"x" * 10000,
        b"0\r\n" + b"a:b\r\n" * 40,
    ],
)
def test_what_is_no_chunk_is_broken(data: bytes) -> None:
    with pytest.raises(Broken):
        decode(data, None, True)


def test_a_body_of_very_many_small_chunks_is_given_up() -> None:
    some, many = b"1\r\nx\r\n" * 9_999, b"1\r\nx\r\n" * 10_001
    assert decode(some + b"0\r\n\r\n", None, False)[0] == b"x" * 9_999
    with pytest.raises(Broken):
        decode(many + b"0\r\n\r\n", None, False)
    large = (b"2000\r\n" + b"x" * 8192 + b"\r\n") * 10_001
    assert len(decode(large + b"0\r\n\r\n", None, False)[0]) == 8192 * 10_001


def test_trailers_must_be_announced() -> None:
    with pytest.raises(Broken):
        decode(b"0\r\na:b\r\n\r\n", None, False)


@pytest.mark.parametrize("read", [lambda most: b"", lambda most: b"x"])
def test_a_source_without_line_ends_comes_to_an_end(read: Callable[[int], bytes]) -> None:
    with pytest.raises(Broken):
        list(Decoder(read, None, False))
