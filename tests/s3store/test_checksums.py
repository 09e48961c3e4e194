"""Digests against published check values, and in one pass as in pieces."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3store.checksums import ALGORITHMS, COMBINABLE, Digests, combine

CHECK = b"123456789"
KNOWN = {
    "crc32": "cbf43926",
    "crc32c": "e3069283",
    "crc64nvme": "ae8b14860a799888",
    "md5": "25f9e794323b453885f5181f1b624d0b",
    "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    "xxhash64": "8cb841db40e6ae83",
}


@pytest.mark.parametrize("name", KNOWN)
def test_an_algorithm_gives_its_published_check_value(name: str) -> None:
    digests = Digests([name])
    digests.update(CHECK)
    assert digests[name].hex() == KNOWN[name]
    assert digests.size == 9


@pytest.mark.parametrize("name", ALGORITHMS)
def test_pieces_give_the_digest_of_the_whole(name: str) -> None:
    whole, pieces = Digests([name]), Digests([name])
    whole.update(b"ab" * 5000)
    for piece in (b"", b"ab" * 10, b"", b"ab" * 4990):
        pieces.update(piece)
    assert pieces[name] == whole[name] == pieces[name]


def test_a_crc_is_spelled_with_its_most_significant_byte_first() -> None:
    digests = Digests(["crc32"])
    digests.update(CHECK)
    assert base64.b64encode(digests["crc32"]) == b"y/Q5Jg=="


@given(
    st.lists(st.binary(max_size=300), max_size=6),
    st.sampled_from(sorted(COMBINABLE)),
)
def test_the_digests_of_parts_combine_to_that_of_the_whole(
    parts: list[bytes], algorithm: str
) -> None:
    def digest(data: bytes) -> bytes:
        taken = Digests([algorithm])
        taken.update(data)
        return taken[algorithm]

    sized = [(digest(part), len(part)) for part in parts]
    assert combine(algorithm, sized) == digest(b"".join(parts))


def test_large_parts_combine_too() -> None:
    half = bytes(range(256)) * 20_000
    for algorithm in COMBINABLE:
        taken, whole = Digests([algorithm]), Digests([algorithm])
        taken.update(half)
        whole.update(half)
        whole.update(half)
        assert combine(algorithm, [(taken[algorithm], len(half))] * 2) == whole[algorithm]
