"""The state machine: what two accounts may do to a bucket, in any order, with crashes between.

Each run has a bucket of its own. Whatever the server answers, the model must have answered too:
the same error code, or the same content, ETag, versions and listings.
"""

import copy
import itertools
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.gateway.s3.machine.asking import Asking
from tests.gateway.s3.machine.model import NULL, Bucket, Refused, Upload

KEYS = st.sampled_from(["a", "a/b", "a/", "b", "ü b+%", "."])
BODIES = st.sampled_from([b"", b"x", b"12345678", b"123456789", b"0123456789" * 4])
PICK = st.integers(0, 11)
_FAR = datetime(2100, 1, 1, tzinfo=UTC)
_NAMES = itertools.count()
_LATER = itertools.count()


class Machine(Asking):
    """One bucket, asked of by its owner and by a stranger."""

    @initialize(
        versioning=st.sampled_from(["", "Enabled", "Suspended"]),
        lives=st.sampled_from([0, 0, 0, 2]),
    )
    def make(self, versioning: str, lives: int) -> None:
        """A bucket to begin with, and how often the server is to die."""
        self.lives = lives
        self.alice, self.bob = self.server.alice, self.server.bob
        self.name = f"bucket-{next(_NAMES)}"
        self.alice.create_bucket(Bucket=self.name, ObjectLockEnabledForBucket=self.locking)
        self.model = Bucket(self.locking, "Enabled" if self.locking else "")
        if versioning:
            self.version(versioning)

    @rule(state=st.sampled_from(["Enabled", "Suspended"]))
    def version(self, state: str) -> None:
        """Versioning is switched; where versions may be locked it stays on."""

        def expect() -> None:
            if self.locking and state == "Suspended":
                raise Refused("InvalidBucketState")
            self.model.versioning = state

        self._same(
            expect,
            lambda: self.alice.put_bucket_versioning(
                Bucket=self.name, VersioningConfiguration={"Status": state}
            ),
        )

    # -- objects ---------------------------------------------------------------------------------

    @rule(
        key=KEYS,
        body=BODIES,
        condition=st.sampled_from(["", "", "", "absent", "match", "other"]),
        pick=PICK,
    )
    def put(self, key: str, body: bytes, condition: str, pick: int) -> None:
        """An object is written, maybe on a condition."""
        more, match = dict[str, str](), None
        if condition == "absent":
            more["IfNoneMatch"] = "*"
        elif condition:
            current = self.model.current(key)
            match = current.etag if current and condition == "match" else f"{pick:032x}"
            more["IfMatch"] = f'"{match}"'
        reply = self._same(
            lambda: self.model.check(key, condition == "absent", match),
            lambda: self.alice.put_object(Bucket=self.name, Key=key, Body=body, **more),
        )
        if reply:
            made = self.model.put(key, body, self._ident(reply))
            assert reply["ETag"] == f'"{made.etag}"'

    @rule(key=KEYS, pick=PICK)
    def get(self, key: str, pick: int) -> None:
        """An object or one of its versions is read."""
        ident = self._pick(key, pick)
        more = {"VersionId": ident} if ident else {}
        seen = self._look(key, ident)
        reply = self._same(
            lambda: self.model.look(key, ident),
            lambda: self.alice.get_object(Bucket=self.name, Key=key, **more),
        )
        if reply:
            assert seen
            assert reply["Body"].read() == seen.body
            assert reply["ETag"] == f'"{seen.etag}"'
            assert reply.get("VersionId", NULL) == seen.id
            assert reply.get("TagCount", 0) == len(seen.tags)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        """An object is deleted."""
        reply = self.alice.delete_object(Bucket=self.name, Key=key)
        assert reply.get("DeleteMarker", False) == bool(self.model.versioning)
        self.model.delete(key, self._ident(reply))

    @rule(key=KEYS, pick=PICK, bypass=st.booleans())
    def delete_version(self, key: str, pick: int, bypass: bool) -> None:
        """A version is deleted for good, unless it is locked."""
        ident = self._pick(key, pick) or NULL
        self._same(
            lambda: self.model.delete_version(key, ident, bypass),
            lambda: self.alice.delete_object(
                Bucket=self.name, Key=key, VersionId=ident, BypassGovernanceRetention=bypass
            ),
        )

    @rule(source=KEYS, key=KEYS, pick=PICK)
    def copy(self, source: str, key: str, pick: int) -> None:
        """An object or a version is copied."""
        ident = self._pick(source, pick)
        origin = {"Bucket": self.name, "Key": source}
        if ident:
            origin["VersionId"] = ident
        seen = self._look(source, ident)

        def expect() -> None:
            if self._find(source, ident) and not seen:
                raise Refused("InvalidRequest")  # a delete marker cannot be copied
            self.model.look(source, ident)

        if source == key:
            return  # onto itself a copy needs a change; that has tests of its own
        reply = self._same(
            expect,
            lambda: self.alice.copy_object(Bucket=self.name, Key=key, CopySource=origin),
        )
        if reply:
            assert seen is not None
            assert seen.body is not None
            made = self.model.put(key, seen.body, self._ident(reply))
            made.tags = dict(seen.tags)
            assert reply["CopyObjectResult"]["ETag"] == f'"{made.etag}"'

    @rule(key=KEYS, pick=PICK, count=st.integers(0, 3))
    def tag(self, key: str, pick: int, count: int) -> None:
        """A version gets other tags."""
        ident = self._pick(key, pick)
        tags = {f"name {number}": f"{pick}" for number in range(count)}
        given = {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}
        more = {"VersionId": ident} if ident else {}
        seen = self._look(key, ident)
        if self._same(
            lambda: self.model.look(key, ident),
            lambda: self.alice.put_object_tagging(Bucket=self.name, Key=key, Tagging=given, **more),
        ):
            assert seen
            seen.tags = tags
            told = self.alice.get_object_tagging(Bucket=self.name, Key=key, **more)["TagSet"]
            assert {each["Key"]: each["Value"] for each in told} == tags

    # -- locks -----------------------------------------------------------------------------------

    @rule(key=KEYS, pick=PICK, mode=st.sampled_from(["GOVERNANCE", "COMPLIANCE"]))
    def retain(self, key: str, pick: int, mode: str) -> None:
        """A version is to be kept until long after this test."""
        ident = self._pick(key, pick)
        more = {"VersionId": ident} if ident else {}
        until = _FAR + timedelta(days=next(_LATER))
        self._same(
            lambda: self.model.retain(key, ident, mode),
            lambda: self.alice.put_object_retention(
                Bucket=self.name,
                Key=key,
                Retention={"Mode": mode, "RetainUntilDate": until},
                **more,
            ),
        )

    @rule(key=KEYS, pick=PICK, on=st.booleans())
    def hold(self, key: str, pick: int, on: bool) -> None:
        """A legal hold is placed or lifted."""
        ident = self._pick(key, pick)
        more = {"VersionId": ident} if ident else {}
        self._same(
            lambda: self.model.hold(key, ident, on),
            lambda: self.alice.put_object_legal_hold(
                Bucket=self.name,
                Key=key,
                LegalHold={"Status": "ON" if on else "OFF"},
                **more,
            ),
        )

    # -- uploads in parts ------------------------------------------------------------------------

    @rule(key=KEYS)
    def begin(self, key: str) -> None:
        """A multipart upload begins."""
        made = self.alice.create_multipart_upload(Bucket=self.name, Key=key)
        self.model.uploads[made["UploadId"]] = Upload(key)

    @precondition(lambda self: self.model.uploads)
    @rule(pick=PICK, number=st.integers(1, 4), body=BODIES)
    def part(self, pick: int, number: int, body: bytes) -> None:
        """A part comes, or comes again."""
        ident, upload = self._upload(pick)
        if self._same(
            lambda: self.model.upload(ident),
            lambda: self.alice.upload_part(
                Bucket=self.name, Key=upload.key, UploadId=ident, PartNumber=number, Body=body
            ),
        ):
            upload.parts[number] = body

    @precondition(lambda self: self.model.uploads)
    @rule(pick=PICK, numbers=st.lists(st.integers(1, 4), min_size=1, max_size=4))
    def complete(self, pick: int, numbers: list[int]) -> None:
        """An upload is completed with some of its parts; once more, it says the same again."""
        ident, upload = self._upload(pick)
        if upload.made:
            return
        parts = self._parts(upload, numbers)
        request = {"Bucket": self.name, "Key": upload.key, "UploadId": ident}
        expected = list[bytes]()
        reply = self._same(
            lambda: expected.append(self.model.complete(ident, numbers)),
            lambda: self.alice.complete_multipart_upload(
                **request, MultipartUpload={"Parts": parts}
            ),
        )
        if reply:
            self._completed(upload, numbers, expected[0], self._ident(reply))
            again = self.alice.complete_multipart_upload(
                **request, MultipartUpload={"Parts": parts}
            )
            assert (again["ETag"], again.get("VersionId")) == (
                reply["ETag"],
                reply.get("VersionId"),
            )

    @precondition(lambda self: self.model.uploads)
    @rule(pick=PICK)
    def abort(self, pick: int) -> None:
        """An upload is given up."""
        ident, upload = self._upload(pick)
        if self._same(
            lambda: self.model.upload(ident),
            lambda: self.alice.abort_multipart_upload(
                Bucket=self.name, Key=upload.key, UploadId=ident
            ),
        ):
            del self.model.uploads[ident]

    # -- the stranger, and the end of the world --------------------------------------------------

    @rule(key=KEYS, pick=PICK)
    def trespass(self, key: str, pick: int) -> None:
        """Another account gets nothing, whether there is something or not."""
        where = {"Bucket": self.name, "Key": key}
        attempts: tuple[Callable[[], object], ...] = (
            lambda: self.bob.get_object(**where),
            lambda: self.bob.put_object(**where, Body=b"x"),
            lambda: self.bob.delete_object(**where),
            lambda: self.bob.create_multipart_upload(**where),
            lambda: self.bob.list_object_versions(Bucket=self.name),
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            attempts[pick % len(attempts)]()

    @precondition(lambda self: self.lives)
    @rule(
        key=KEYS,
        body=BODIES,
        wait=st.sampled_from([0, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01]),
        removes=st.booleans(),
    )
    def crash(self, key: str, body: bytes, wait: float, removes: bool) -> None:
        """The server dies with a request under way: that was done whole, or not at all."""
        self.lives -= 1
        replies = list[Any]()

        def ask() -> None:
            with suppress(BotoCoreError):
                where = {"Bucket": self.name, "Key": key}
                if removes:
                    replies.append(self.alice.delete_object(**where))
                else:
                    replies.append(self.alice.put_object(**where, Body=body))

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(wait)
        self.server.kill()
        asking.join()
        self.server.start()
        after = copy.deepcopy(self.model)
        newest = self._newest(key)
        if removes:
            after.delete(key, newest)
        else:
            after.put(key, body, newest)
        done = self._agrees(after)
        assert done or not replies, "an acknowledged change is gone"
        if done:
            self.model = after
        self.compare()

    def compare(self) -> None:
        """The listings are the model's."""
        assert self._agrees(self.model)
        told = self.alice.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        under_way = {ident for ident, upload in self.model.uploads.items() if not upload.made}
        assert {each["UploadId"] for each in told} == under_way

    def teardown(self) -> None:
        """At the end all must be as the model has it."""
        if hasattr(self, "model"):
            self.compare()
