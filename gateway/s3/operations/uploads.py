"""Uploads in parts: begin, complete, abort, list."""

from typing import Any
from urllib.parse import quote

from gateway.s3.ask import Ask
from gateway.s3.background import expiry
from gateway.s3.objects import completions, conditions, drafts, paging, reading
from gateway.s3.objects.attributes import checksum_members
from gateway.s3.objects.completions import OfWhole
from gateway.s3.objects.conditions import OfWrite
from gateway.s3.objects.drafts import Written
from gateway.s3.objects.paging import Spell
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from gateway.s3.sealing import seals
from gateway.s3.sealing.seals import Customer
from s3store.records import Upload

_LONGEST = 8 << 20  # bytes: ten thousand parts, each with an ETag and a long checksum


@s3_operation(
    "CreateMultipartUpload",
    action="s3:PutObject",
    root="InitiateMultipartUploadResult",
)
def create_multipart_upload(
    ask: Ask,
    bucket: str,
    key: str,
    written: Written,
    checksum_algorithm: str | None = None,
    checksum_type: str | None = None,
) -> Reply:
    """Begin an upload: what is said of the object is said now."""
    algorithm, kind = completions.plan(checksum_algorithm, checksum_type)
    found = ask.bucket(bucket)
    upload = ask.store.create_upload(
        found,
        key,
        drafts.draft(ask, found, key, written),
        checksum=algorithm,
        checksum_type=kind,
        initiator=ask.caller.account_id,
    )
    members = {"Bucket": bucket, "Key": key, "UploadId": upload.id}
    members |= seals.told(upload.draft.seal, written)
    members |= expiry.abort_promise(found, upload, ask.options.day)
    return Reply(members | completions.members_of(upload))


@s3_operation(
    "CompleteMultipartUpload",
    action="s3:PutObject",
    root="CompleteMultipartUploadResult",
    longest=_LONGEST,
)
def complete_multipart_upload(
    ask: Ask,
    bucket: str,
    key: str,
    upload_id: str,
    wanted: OfWrite,
    whole: OfWhole,
    customer: Customer,
    multipart_upload: dict[str, Any] | None = None,
    checksum_type: str | None = None,
    mpu_object_size: int | None = None,
) -> Reply:
    """Make the parts one object. To ask again gets the same answer again."""
    condition = conditions.of_write(wanted)
    found = ask.bucket(bucket)
    upload = ask.store.upload(found, key, upload_id)
    seals.repeated(ask, upload, customer)
    choices = completions.choices(upload, multipart_upload or {})
    version = ask.store.complete_upload(
        upload,
        choices,
        condition=condition,
        size=mpu_object_size,
        checksum=completions.whole(upload, whole, checksum_type, len(choices)),
    )
    members = {
        "Location": _location(ask, bucket, key),
        "Bucket": bucket,
        "Key": key,
        "ETag": f'"{version.etag}"',
        **checksum_members(version),
        **seals.members_of(version.seal, customer),
        **expiry.promise(found, version, ask.options.day),
    }
    return Reply(members | reading.named(found, version.version_id))


@s3_operation("AbortMultipartUpload")
def abort_multipart_upload(ask: Ask, bucket: str, key: str, upload_id: str) -> Reply:
    """Give an upload up, with all its parts."""
    ask.store.abort_upload(ask.store.upload(ask.bucket(bucket), key, upload_id))
    return Reply()


@s3_operation(
    "ListMultipartUploads",
    action="s3:ListBucketMultipartUploads",
    root="ListMultipartUploadsResult",
)
def list_multipart_uploads(
    ask: Ask,
    bucket: str,
    prefix: str = "",
    delimiter: str = "",
    key_marker: str = "",
    upload_id_marker: str | None = None,
    max_uploads: int = paging.MOST,
    encoding_type: str | None = None,
) -> Reply:
    """The uploads under way: by key, of each the oldest first."""
    spell, limit = paging.speller(encoding_type), paging.limit("max-uploads", max_uploads)
    found = ask.store.list_uploads(
        ask.bucket(bucket),
        prefix=prefix,
        delimiter=delimiter,
        after=(key_marker.encode(), upload_id_marker or None) if key_marker else None,
        limit=limit,
    )
    members = {
        "Bucket": bucket,
        "KeyMarker": spell(key_marker),
        "UploadIdMarker": (upload_id_marker or "") if key_marker else "",
        "MaxUploads": limit,
        "IsTruncated": found.more is not None,
        "Uploads": [_item(ask, spell, each) for each in found.entries],
        **paging.echo(spell, prefix, delimiter, encoding_type, found.prefixes),
    }
    if found.more is not None:
        key, upload_id = found.more
        members |= {"NextKeyMarker": spell(key.decode()), "NextUploadIdMarker": upload_id or ""}
    return Reply(members)


def _location(ask: Ask, bucket: str, key: str) -> str:
    """The address of an object, as the caller reached us."""
    facts = ask.access.facts
    host = facts.headers.get("host", "")
    virtual = ask.options.hosts.place(host) is not None
    path = quote(key) if virtual else f"{bucket}/{quote(key)}"
    return f"{'https' if facts.secure else 'http'}://{host}/{path}"


def _item(ask: Ask, spell: Spell, upload: Upload) -> dict[str, Any]:
    return {
        "Key": spell(upload.key),
        "UploadId": upload.id,
        "Initiated": upload.started,
        "StorageClass": upload.draft.attributes.storage_class,
        "Owner": paging.owner(ask, upload.draft.owner),
        "Initiator": paging.owner(ask, upload.initiator),
        **completions.members_of(upload),
    }
