"""Multipart uploads: what they become, and what they refuse."""

import hashlib
import zlib
from collections.abc import Callable

import pytest

from s3store import faults
from s3store.opened import Opened
from s3store.records import (
    Attributes,
    Bucket,
    Choice,
    Condition,
    Draft,
    Upload,
    Version,
)
from s3store.store import Store
from tests.s3store.conftest import KINDS, Contents

pytestmark = pytest.mark.parametrize("kind", KINDS)

Sound = Callable[[], None]


def content(opened: Opened, start: int = 0, length: int | None = None) -> bytes:
    return b"".join(opened.read(start, length))


def upload_parts(store: Store, upload: Upload, bodies: dict[int, bytes]) -> list[Choice]:
    return [
        Choice(number, store.put_part(upload, number, [body]).etag)
        for number, body in bodies.items()
    ]


def whole(store: Store, bucket: Bucket, key: str, *bodies: bytes) -> Version:
    upload = store.create_upload(bucket, key)
    choices = upload_parts(store, upload, dict(enumerate(bodies, 1)))
    return store.complete_upload(upload, choices)


def test_parts_in_any_order_become_one_object(store: Store, bucket: Bucket, sound: Sound) -> None:
    said = Draft(Attributes({"ContentType": "x/y"}, {"a": "ü"}), "writer", {"t": "1"}, {"acl": 1})
    upload = store.create_upload(bucket, "k", said, initiator="someone")
    assert store.upload(bucket, "k", upload.id) == upload
    assert (upload.draft, upload.initiator, upload.completed) == (said, "someone", False)
    bodies = {7: b"seven" * 10, 2: b"two" * 10, 9: b"end"}
    choices = sorted(upload_parts(store, upload, bodies), key=lambda choice: choice.number)
    assert store.list(bucket).items == ()
    version = store.complete_upload(upload, choices)
    tags = b"".join(hashlib.md5(bodies[number]).digest() for number in (2, 7, 9))
    assert version.etag == f"{hashlib.md5(tags).hexdigest()}-3"
    assert (version.size, version.parts) == (83, 3)
    assert (version.attributes, version.owner) == (said.attributes, "writer")
    assert (version.tags, version.acl) == ({"t": "1"}, {"acl": 1})
    assert [part.number for part in store.parts_of(version)] == [2, 7, 9]
    assert store.list_uploads(bucket).items == ()
    with store.open(bucket, "k") as opened:
        assert opened.version == version
        assert content(opened) == bodies[2] + bodies[7] + bodies[9]
        assert content(opened, 25, 10) == b"wotwoseven"
        assert content(opened, 80, 3) == b"end"
    sound()


@pytest.mark.parametrize(
    ("algorithm", "type_", "expected"),
    [
        ("crc32", "FULL_OBJECT", zlib.crc32(b"0123456789abcdefghij!").to_bytes(4, "big")),
        (
            "crc32",
            "",
            zlib.crc32(
                zlib.crc32(b"0123456789").to_bytes(4, "big")
                + zlib.crc32(b"abcdefghij").to_bytes(4, "big")
                + zlib.crc32(b"!").to_bytes(4, "big")
            ).to_bytes(4, "big"),
        ),
        (
            "sha256",
            "COMPOSITE",
            hashlib.sha256(
                hashlib.sha256(b"0123456789").digest()
                + hashlib.sha256(b"abcdefghij").digest()
                + hashlib.sha256(b"!").digest()
            ).digest(),
        ),
    ],
)
def test_the_checksum_is_of_the_whole_or_of_the_parts_checksums(
    store: Store, bucket: Bucket, algorithm: str, type_: str, expected: bytes
) -> None:
    upload = store.create_upload(bucket, "k", checksum=algorithm, checksum_type=type_)
    choices = upload_parts(store, upload, {1: b"0123456789", 2: b"abcdefghij", 3: b"!"})
    with pytest.raises(faults.WrongChecksum):
        store.complete_upload(upload, choices, checksum=b"wrong")
    with pytest.raises(faults.WrongSize):
        store.complete_upload(upload, choices, size=20)
    version = store.complete_upload(upload, choices, checksum=expected, size=21)
    assert version.checksum.digest == expected
    assert version.checksum.type == upload.checksum_type == (type_ or "COMPOSITE")


def test_an_upload_without_a_checksum_gets_one_of_the_whole(store: Store, bucket: Bucket) -> None:
    version = whole(store, bucket, "k", b"0123456789", b"abcdefghij")
    plain = store.put(bucket, "plain", [b"0123456789abcdefghij"])
    assert version.checksum == plain.checksum


def test_an_upload_of_one_small_part_is_an_object_of_parts(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    assert whole(store, bucket, "k", b"").etag == f"{hashlib.md5(_MD5_OF_NOTHING).hexdigest()}-1"
    with store.open(bucket, "k") as opened:
        assert content(opened) == b""
    sound()


_MD5_OF_NOTHING = hashlib.md5(b"").digest()


def test_a_part_uploaded_again_takes_the_place_of_the_former(
    store: Store, bucket: Bucket, contents: Contents, sound: Sound
) -> None:
    upload = store.create_upload(bucket, "k")
    store.put_part(upload, 1, [b"a" * 50])
    again = store.put_part(upload, 1, [b"b" * 30])
    assert contents() == {again.id}
    assert store.usage("owner").bytes == 30
    assert store.parts(upload) == ([again], None)
    sound()


def test_parts_that_were_not_chosen_are_removed(
    store: Store, bucket: Bucket, contents: Contents, sound: Sound
) -> None:
    upload = store.create_upload(bucket, "k")
    choices = upload_parts(store, upload, {n: b"%d" % n * 10 for n in range(1, 6)})
    version = store.complete_upload(upload, [choices[1], choices[3]])
    assert version.size == 20
    assert len(contents()) == 2
    assert store.usage("owner").bytes == 20
    sound()


def test_parts_are_listed_in_pages(store: Store, bucket: Bucket) -> None:
    upload = store.create_upload(bucket, "k")
    upload_parts(store, upload, dict.fromkeys((5, 1, 10000), b"x"))
    page, more = store.parts(upload, limit=2)
    assert ([part.number for part in page], more) == ([1, 5], 5)
    page, more = store.parts(upload, after=5, limit=2)
    assert ([part.number for part in page], more) == ([10_000], None)
    assert store.parts(upload, limit=0) == ([], None)


def test_an_upload_is_known_by_its_bucket_key_and_id(store: Store, bucket: Bucket) -> None:
    upload = store.create_upload(bucket, "k")
    for key, name in (("other", upload.id), ("k", "0" * 32), ("k", "\udcff")):
        with pytest.raises(faults.NoSuchUpload):
            store.upload(bucket, key, name)


def test_a_completion_asked_for_again_gets_the_same_answer(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    upload = store.create_upload(bucket, "k")
    choices = upload_parts(store, upload, {1: b"0123456789"})
    version = store.complete_upload(upload, choices)
    assert store.complete_upload(upload, choices) == version
    store.put(bucket, "k", [b"something else"])
    assert store.upload(bucket, "k", upload.id).completed
    assert store.complete_upload(upload, choices) == version
    assert store.head(bucket, "k").size == 14
    sound()


def test_a_completed_upload_takes_no_more_parts_and_cannot_be_aborted(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    upload = store.create_upload(bucket, "k")
    store.complete_upload(upload, upload_parts(store, upload, {1: b"x"}))
    for late in (
        lambda: store.put_part(upload, 1, [b"late"]),
        lambda: store.abort_upload(upload),
        lambda: store.parts(upload),
    ):
        with pytest.raises(faults.NoSuchUpload):
            late()
    sound()


def test_an_aborted_upload_leaves_nothing(
    store: Store, bucket: Bucket, contents: Contents, sound: Sound
) -> None:
    upload = store.create_upload(bucket, "k")
    choices = upload_parts(store, upload, {1: b"x", 2: b"y"})
    store.abort_upload(upload)
    for late in (
        lambda: store.put_part(upload, 3, [b"late"]),
        lambda: store.complete_upload(upload, choices),
        lambda: store.abort_upload(upload),
        lambda: store.upload(bucket, "k", upload.id),
    ):
        with pytest.raises(faults.NoSuchUpload):
            late()
    assert contents() == set()
    assert store.usage("owner").bytes == 0
    sound()


def test_a_part_on_its_way_to_an_aborted_upload_is_refused(
    store: Store, bucket: Bucket, contents: Contents, sound: Sound
) -> None:
    upload = store.create_upload(bucket, "k")

    def abort(_: object) -> None:
        store.abort_upload(upload)

    with pytest.raises(faults.NoSuchUpload):
        store.put_part(upload, 1, [b"x"], check=abort)
    assert contents() == set()
    sound()


def test_what_a_completion_names_wrongly_is_refused_and_changes_nothing(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    upload = store.create_upload(bucket, "k")
    one, two = upload_parts(store, upload, {1: b"0123456789", 2: b"abcdefghij"})
    small = upload_parts(store, upload, {3: b"small"})[0]
    for choices, fault in (
        ([], faults.InvalidPartOrder),
        ([two, one], faults.InvalidPartOrder),
        ([one, one], faults.InvalidPartOrder),
        ([one, Choice(2, one.etag)], faults.InvalidPart),
        ([one, Choice(4, two.etag)], faults.InvalidPart),
        ([Choice(1, one.etag, b"other")], faults.InvalidPart),
        ([one, small, Choice(4, two.etag)], faults.InvalidPart),
    ):
        with pytest.raises(fault):
            store.complete_upload(upload, choices)
    four = upload_parts(store, upload, {4: b"last"})[0]
    with pytest.raises(faults.PartTooSmall) as refused:
        store.complete_upload(upload, [one, small, four])
    assert (refused.value.number, refused.value.size, refused.value.least) == (3, 5, 10)
    quoted = Choice(1, f'"{one.etag}"')
    assert store.complete_upload(upload, [quoted, two, four]).size == 24
    sound()


@pytest.mark.parametrize("number", [0, -1, 10_001])
def test_part_numbers_have_bounds(store: Store, bucket: Bucket, number: int) -> None:
    upload = store.create_upload(bucket, "k")
    with pytest.raises(faults.InvalidPartNumber):
        store.put_part(upload, number, [b"x"])


def test_a_condition_of_a_completion_is_decided_with_the_commit(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    upload = store.create_upload(bucket, "k")
    choices = upload_parts(store, upload, {1: b"x"})
    store.put(bucket, "k", [b"taken"])
    with pytest.raises(faults.ConditionFailed):
        store.complete_upload(upload, choices, condition=Condition(absent=True))
    store.delete(bucket, "k")
    store.complete_upload(upload, choices, condition=Condition(absent=True))
    sound()


def test_a_bucket_with_open_uploads_can_be_removed_and_they_go_with_it(
    store: Store, bucket: Bucket, contents: Contents
) -> None:
    upload = store.create_upload(bucket, "k")
    store.put_part(upload, 1, [b"x"])
    store.delete_bucket(bucket)
    assert contents() == set()
    store.create_bucket("bucket", "owner")
    with pytest.raises(faults.NoSuchUpload):
        store.put_part(upload, 2, [b"x"])


def test_uploads_are_listed_by_key_and_oldest_first(store: Store, bucket: Bucket) -> None:
    made = [store.create_upload(bucket, key) for key in ("b", "a/x", "a", "a", "c")]
    order = [made[2], made[3], made[1], made[0], made[4]]
    assert list(store.list_uploads(bucket).items) == order
    found: list[Upload] = []
    after = None
    while len(found) < 9:
        page = store.list_uploads(bucket, after=after, limit=1)
        found += page.entries
        if page.more is None:
            break
        after = page.more
    assert found == order
    grouped = store.list_uploads(bucket, prefix="a", delimiter="/")
    assert grouped.items == (made[2], made[3], b"a/")
    store.abort_upload(made[2])
    rest = store.list_uploads(bucket, after=(b"a", made[2].id))
    assert rest.entries[0] == made[3]
    assert store.scan_uploads(bucket, (b"a", None), 2) == [made[1], made[0]]
