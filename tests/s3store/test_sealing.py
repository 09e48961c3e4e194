"""What is sealed comes back as it was, any range of it alone, or not at all."""

import itertools
import os
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from s3store.faults import Damaged
from s3store.sealing import CHUNK, KEY, Fetch, Sealing, WrongKey, unwrap, wrap

EDGES = (
    0,
    1,
    15,
    16,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK,
    2 * CHUNK + 1,
    17 * CHUNK,
    40 * CHUNK,
)
HEADER = 40
STORED = CHUNK + 16

sizes = st.one_of(st.sampled_from(EDGES), st.integers(0, 3 * CHUNK))


def content(size: int) -> bytes:
    """Bytes that differ from chunk to chunk."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


def from_memory(stored: bytes) -> Fetch:
    """Reads as a file would."""
    return lambda offset, length: stored[offset : offset + length]


def sealed(cipher: Sealing, plain: bytes, part: int = 0) -> bytes:
    """All that is kept of a content."""
    return b"".join(cipher.encrypt([plain], part))


def opened(cipher: Sealing, stored: bytes, size: int, part: int = 0) -> bytes:
    """The whole content back."""
    return b"".join(cipher.decrypt(from_memory(stored), size, 0, size, part))


@pytest.fixture(scope="module")
def cipher() -> Sealing:
    """A cipher with a key of its own."""
    return Sealing(os.urandom(KEY))


@pytest.mark.parametrize("size", EDGES)
def test_the_size_of_what_is_kept_follows_from_the_size_of_the_content(
    cipher: Sealing, size: int
) -> None:
    stored = sealed(cipher, content(size))
    assert len(stored) == cipher.stored(size)
    assert opened(cipher, stored, size) == content(size)


@settings(max_examples=150, deadline=None)
@given(size=sizes, data=st.data())
def test_any_range_comes_back(cipher: Sealing, size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, max(size - 1, 0)))
    length = data.draw(st.integers(min(size, 1), size - start))
    stored = sealed(cipher, content(size))
    got = b"".join(cipher.decrypt(from_memory(stored), size, start, length))
    assert got == content(size)[start : start + length]


@settings(max_examples=50, deadline=None)
@given(size=sizes, cuts=st.lists(st.integers(0, 3 * CHUNK), max_size=8))
def test_it_does_not_matter_in_which_pieces_the_content_comes(
    cipher: Sealing, size: int, cuts: list[int]
) -> None:
    plain = content(size)
    places = [0, *sorted(min(cut, size) for cut in cuts), size]
    pieces = [plain[low:high] for low, high in itertools.pairwise(places)]
    assert opened(cipher, b"".join(cipher.encrypt(pieces)), size) == plain


def test_a_range_reads_only_the_chunks_it_lies_in(cipher: Sealing) -> None:
    size = 64 * CHUNK
    stored, asked = sealed(cipher, content(size)), []

    def fetch(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return stored[offset : offset + length]

    got = b"".join(cipher.decrypt(fetch, size, 20 * CHUNK - 1, 2))
    assert got == content(size)[20 * CHUNK - 1 : 20 * CHUNK + 1]
    assert asked == [(0, HEADER), (HEADER + 19 * STORED, 2 * STORED)]


def test_only_a_bounded_part_of_a_content_is_in_memory(cipher: Sealing) -> None:
    pieces, taken = 400, 0

    def plain() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(pieces):
            taken += CHUNK
            yield bytes(CHUNK)

    given_out = 0
    stored = bytearray()
    for piece in cipher.encrypt(plain()):
        given_out += len(piece)
        stored += piece
        assert taken - given_out <= 2 * CHUNK
        assert len(piece) <= STORED
    size, asked = pieces * CHUNK, []

    def fetch(offset: int, length: int) -> bytes:
        asked.append(length)
        return bytes(stored[offset : offset + length])

    assert all(len(piece) <= CHUNK for piece in cipher.decrypt(fetch, size, 0, size))
    assert max(asked) <= 16 * STORED


@settings(max_examples=80, deadline=None)
@given(size=sizes, data=st.data())
def test_one_changed_bit_anywhere_is_damage(
    cipher: Sealing, size: int, data: st.DataObject
) -> None:
    stored = bytearray(sealed(cipher, content(size)))
    stored[data.draw(st.integers(0, len(stored) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Damaged):
        opened(cipher, bytes(stored), size)


@pytest.mark.parametrize("size", [1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_is_cut_off_is_missed(cipher: Sealing, size: int) -> None:
    stored = sealed(cipher, content(size))
    for kept in (0, HEADER - 1, HEADER, len(stored) - 1, len(stored) - STORED):
        with pytest.raises(Damaged):
            opened(cipher, stored[: max(kept, 0)], size)


def test_an_index_that_tells_a_smaller_size_is_not_believed(cipher: Sealing) -> None:
    stored = sealed(cipher, content(3 * CHUNK))
    for size in (CHUNK, 2 * CHUNK, 3 * CHUNK - 1, 3 * CHUNK + 1, 4 * CHUNK):
        with pytest.raises(Damaged):
            opened(cipher, stored, size)
    with pytest.raises(Damaged):
        opened(cipher, sealed(cipher, content(5)), 0)


def chunk(number: int) -> slice:
    """Where a chunk lies."""
    return slice(HEADER + number * STORED, HEADER + (number + 1) * STORED)


def test_chunks_in_another_order_are_damage(cipher: Sealing) -> None:
    stored = bytearray(sealed(cipher, bytes(4 * CHUNK)))
    one, two = chunk(1), chunk(2)
    stored[one], stored[two] = stored[two], stored[one]
    with pytest.raises(Damaged):
        opened(cipher, bytes(stored), 4 * CHUNK)


def test_a_chunk_of_another_file_under_the_same_key_is_damage(cipher: Sealing) -> None:
    mine, other = (bytearray(sealed(cipher, bytes(4 * CHUNK))) for _ in range(2))
    mine[chunk(1)] = other[chunk(1)]
    with pytest.raises(Damaged):
        opened(cipher, bytes(mine), 4 * CHUNK)


def test_a_part_in_the_place_of_another_is_damage(cipher: Sealing) -> None:
    stored = sealed(cipher, content(100), part=1)
    assert opened(cipher, stored, 100, part=1) == content(100)
    for part in (0, 2):
        with pytest.raises(Damaged):
            opened(cipher, stored, 100, part)


def test_another_key_does_not_open_it(cipher: Sealing) -> None:
    with pytest.raises(Damaged):
        opened(Sealing(os.urandom(KEY)), sealed(cipher, content(100)), 100)


def test_the_same_content_is_never_sealed_alike(cipher: Sealing) -> None:
    first, second = (sealed(cipher, bytes(CHUNK)) for _ in range(2))
    assert first[:8] == second[:8]
    assert first[8:] != second[8:]
    assert bytes(64) not in first


def test_the_format_on_the_disk_is_as_it_was() -> None:
    key = bytes(range(KEY))
    kept = sealed(Sealing(key), content(CHUNK + 5), part=3)
    assert kept[:8] == b"s3seal\x00\x01"
    info = b"s3store content 1" + (3).to_bytes(4, "big")
    derived = HKDF(algorithm=SHA256(), length=32, salt=kept[8:HEADER], info=info).derive(key)
    first = AESGCM(derived).decrypt(bytes(12), kept[HEADER : HEADER + STORED], None)
    last = AESGCM(derived).decrypt(bytes(10) + b"\x01\x01", kept[HEADER + STORED :], None)
    assert first + last == content(CHUNK + 5)


def test_a_wrapped_key_opens_only_with_its_key_and_in_its_context() -> None:
    wrapping, key = os.urandom(KEY), os.urandom(KEY)
    wrapped = wrap(wrapping, key, b"bucket 1, key a")
    assert unwrap(wrapping, wrapped, b"bucket 1, key a") == key
    assert key not in wrapped
    assert wrap(wrapping, key, b"bucket 1, key a") != wrapped
    for other, context in ((wrapping, b"bucket 1, key b"), (os.urandom(KEY), b"bucket 1, key a")):
        with pytest.raises(WrongKey):
            unwrap(other, wrapped, context)


@given(place=st.integers(0, 79), cut=st.integers(0, 79))
def test_a_wrapped_key_that_was_changed_does_not_open(place: int, cut: int) -> None:
    wrapping = bytes(KEY)
    wrapped = bytearray(wrap(wrapping, os.urandom(KEY), b""))
    with pytest.raises(WrongKey):
        unwrap(wrapping, bytes(wrapped[:cut]), b"")
    wrapped[place] ^= 1
    with pytest.raises(WrongKey):
        unwrap(wrapping, bytes(wrapped), b"")
