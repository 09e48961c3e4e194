"""Asking the server and the model the same."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from hypothesis.stateful import RuleBasedStateMachine

from tests.gateway.s3.machine.model import NULL, Bucket, Refused, Upload, Version, etag_of_parts
from tests.gateway.s3.machine.server import Server


class Asking(RuleBasedStateMachine):
    """What all rules have at hand: the clients, the model, and what they say of each other."""

    server: ClassVar[Server]
    locking: ClassVar[bool]
    alice: Any
    bob: Any
    name: str
    model: Bucket

    def _same(self, expect: Callable[[], object], ask: Callable[[], Any]) -> Any:
        """Ask the model and the server; the reply, or None when both refuse in the same words."""
        wanted, given, reply = "", "", None
        try:
            expect()
        except Refused as refused:
            wanted = refused.code
        try:
            reply = ask()
        except ClientError as refused:
            given = refused.response["Error"]["Code"]
        assert given == wanted
        return reply

    def _agrees(self, model: Bucket) -> bool:
        """Whether the server's listings are the model's."""
        told = self.alice.list_object_versions(Bucket=self.name)
        for kind, markers in (("Versions", False), ("DeleteMarkers", True)):
            rows = [
                (each["Key"], each["VersionId"], each["IsLatest"]) for each in told.get(kind, [])
            ]
            if rows != model.history(markers):
                return False
        shown = self.alice.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {each["Key"]: each["ETag"].strip('"') for each in shown} == model.shown()

    def _newest(self, key: str) -> str:
        """The id of the newest version of a key, or of its delete marker."""
        told = self.alice.list_object_versions(Bucket=self.name)
        rows = [*told.get("Versions", []), *told.get("DeleteMarkers", [])]
        newest = [row["VersionId"] for row in rows if row["Key"] == key and row["IsLatest"]]
        return str(newest[0]) if newest else NULL

    def _ident(self, reply: Any) -> str:
        return str(reply.get("VersionId", NULL))

    def _find(self, key: str, ident: str | None) -> Version | None:
        return next((each for each in self.model.keys.get(key, ()) if each.id == ident), None)

    def _look(self, key: str, ident: str | None) -> Version | None:
        """The version that is meant, when there is one with content."""
        with suppress(Refused):
            return self.model.look(key, ident)
        return None

    def _pick(self, key: str, pick: int) -> str | None:
        """One of a key's versions, or the null version, or none in particular."""
        known = [None, NULL, *(version.id for version in self.model.keys.get(key, ()))]
        return known[pick % len(known)]

    def _upload(self, pick: int) -> tuple[str, Upload]:
        """One of the uploads, completed ones too."""
        known = list(self.model.uploads)
        ident = known[pick % len(known)]
        return ident, self.model.uploads[ident]

    def _parts(self, upload: Upload, numbers: list[int]) -> list[dict[str, Any]]:
        """Parts as a request names them; one that never came has an invented ETag."""
        bodies = [upload.parts.get(number, b"never sent") for number in numbers]
        return [
            {"PartNumber": number, "ETag": hashlib.md5(body).hexdigest()}
            for number, body in zip(numbers, bodies, strict=True)
        ]

    def _completed(self, upload: Upload, numbers: list[int], body: bytes, ident: str) -> None:
        etag = etag_of_parts([upload.parts[number] for number in numbers])
        upload.made = self.model.put(upload.key, body, ident, etag)
