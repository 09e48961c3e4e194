"""Objects: put, get, head."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypedDict

from gateway.s3.ask import Ask
from gateway.s3.background import expiry
from gateway.s3.faults import S3Fault
from gateway.s3.objects import conditions, drafts, portions, reading
from gateway.s3.objects.attributes import checksum_members, members_of
from gateway.s3.objects.conditions import Conditions, OfRead, OfWrite
from gateway.s3.objects.drafts import Written
from gateway.s3.objects.portions import OfPortion, Portion
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from gateway.s3.sealing import seals
from gateway.s3.sealing.seals import Customer
from s3store.records import Bucket, Version

_ENCRYPTION = "x-amz-server-side-encryption"


class Overrides(TypedDict, total=False):
    """Headers of the answer that the asker wants otherwise."""

    ResponseCacheControl: str
    ResponseContentDisposition: str
    ResponseContentEncoding: str
    ResponseContentLanguage: str
    ResponseContentType: str
    ResponseExpires: str


class Reading(OfRead, OfPortion, Customer, total=False):
    """How an object is to be read."""

    ChecksumMode: str


@s3_operation("PutObject")
def put_object(ask: Ask, bucket: str, key: str, written: Written, wanted: OfWrite) -> Reply:
    """Store an object; it is visible when its last byte was checked and is safe on the disk."""
    condition = conditions.of_write(wanted)
    found = ask.bucket(bucket)
    draft = drafts.draft(ask, found, key, written)
    drafts.require_integrity(ask, draft.lock)
    version = ask.store.put(
        found,
        key,
        ask.content.pieces(),
        draft,
        checksum=ask.content.checksum,
        digests=ask.content.digests,
        check=ask.content.check,
        condition=condition,
        size=ask.content.size,
    )
    members = {"ETag": f'"{version.etag}"', **checksum_members(version)}
    members |= seals.told(version.seal, written) | expiry.promise(found, version, ask.options.day)
    return Reply(members | reading.named(found, version.version_id))


@s3_operation("GetObject")
def get_object(
    ask: Ask,
    bucket: str,
    key: str,
    wanted: Reading,
    overrides: Overrides,
    version_id: str | None = None,
) -> Reply:
    """The content of an object, or one range or part of it."""
    _check(ask, overrides)
    found, opened = reading.open_version(ask, bucket, key, version_id)
    with ExitStack() as closed_on_refusal:
        closed_on_refusal.enter_context(opened)
        cipher = seals.of_version(ask, opened.version, wanted)
        portion = _portion(ask, opened.version, wanted)
        answer = _answer(ask, found, opened.version, portion, wanted, overrides)
        body = reading.body(opened, portion.start, portion.length, cipher)
        closed_on_refusal.pop_all()
    return replace(answer, body=body)


@s3_operation("HeadObject", action="s3:GetObject")
def head_object(
    ask: Ask,
    bucket: str,
    key: str,
    wanted: Reading,
    overrides: Overrides,
    version_id: str | None = None,
) -> Reply:
    """What GetObject would say, without the content."""
    _check(ask, overrides)
    found, version = reading.find(ask, bucket, key, version_id)
    seals.admit(ask, version, wanted)
    return _answer(ask, found, version, _portion(ask, version, wanted), wanted, overrides)


def _check(ask: Ask, overrides: Overrides) -> None:
    """Refuse what only writers may say, and of the anonymous all wishes for another answer.

    With those any link could make our answers look like another site's.
    """
    if _ENCRYPTION in ask.access.facts.headers:
        raise S3Fault(
            "InvalidArgument", f"{_ENCRYPTION} header is not supported for this operation."
        )
    if overrides and ask.caller.anonymous:
        raise S3Fault(
            "InvalidRequest",
            "Request specific response headers cannot be used for anonymous GET requests.",
        )


def _portion(ask: Ask, version: Version, wanted: Reading) -> Portion:
    """How much of a version a read is about, if its conditions hold."""
    Conditions.read(wanted).check(version, datetime.now(UTC))
    return portions.of(wanted, version, lambda: ask.store.parts_of(version))


def _answer(
    ask: Ask,
    bucket: Bucket,
    version: Version,
    portion: Portion,
    wanted: Reading,
    overrides: Overrides,
) -> Reply:
    """All of a read's answer but the content."""
    members = members_of(version) | {
        "AcceptRanges": "bytes",
        "LastModified": version.modified,
        "ETag": f'"{version.etag}"',
        **portion.members(version.size),
        **seals.members_of(version.seal, wanted),
        **reading.named(bucket, version.version_id),
        **expiry.promise(bucket, version, ask.options.day),
        **{name.removeprefix("Response"): value for name, value in overrides.items()},
    }
    if wanted.get("ChecksumMode", "").upper() == "ENABLED":
        members |= portion.checksum
    return Reply(members, 206 if portion.partial else 200)
