"""The parts of an upload: send one, copy one from an object, list them."""

import re
from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.background import expiry
from gateway.s3.faults import S3Fault
from gateway.s3.objects import completions, paging, portions, sources
from gateway.s3.objects.attributes import part_checksum
from gateway.s3.objects.sources import Source
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from gateway.s3.sealing import seals
from gateway.s3.sealing.seals import Customer
from s3store.records import Part

_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{1,18})\Z")


@s3_operation("UploadPart", action="s3:PutObject")
def upload_part(
    ask: Ask, bucket: str, key: str, part_number: int, upload_id: str, customer: Customer
) -> Reply:
    """Store one part, in place of a former one of its number."""
    portions.check_number(part_number)
    upload = ask.store.upload(ask.bucket(bucket), key, upload_id)
    completions.check_part(upload, ask.content.sent)
    part = ask.store.put_part(
        upload,
        part_number,
        ask.content.pieces(),
        digests=ask.content.digests,
        check=ask.content.check,
        cipher=seals.of_upload(ask, upload, customer),
        size=ask.content.size,
    )
    members = {"ETag": f'"{part.etag}"', **part_checksum(part.checksum)}
    return Reply(members | seals.members_of(upload.draft.seal, customer))


@s3_operation("UploadPartCopy", action="s3:PutObject", root="CopyPartResult")
def upload_part_copy(
    ask: Ask,
    bucket: str,
    key: str,
    part_number: int,
    upload_id: str,
    source: Source,
    customer: Customer,
    copy_source_range: str | None = None,
) -> Reply:
    """Make a part of an object, or of a range of one, that is here already."""
    portions.check_number(part_number)
    upload = ask.store.upload(ask.bucket(bucket), key, upload_id)
    source_bucket, opened = sources.open_source(ask, source)
    with opened:
        start, length = _span(copy_source_range, opened.version.size)
        sources.check_size(length)
        part = ask.store.copy_part(
            upload,
            part_number,
            opened,
            start,
            length,
            source_cipher=sources.cipher(ask, source, opened),
            cipher=seals.of_upload(ask, upload, customer),
        )
    result = {
        "ETag": f'"{part.etag}"',
        "LastModified": part.modified,
        **part_checksum(part.checksum),
    }
    members = {"CopyPartResult": result, **sources.named(source_bucket, opened)}
    return Reply(members | seals.members_of(upload.draft.seal, customer))


@s3_operation("ListParts", action="s3:ListMultipartUploadParts", root="ListPartsResult")
def list_parts(
    ask: Ask,
    bucket: str,
    key: str,
    upload_id: str,
    customer: Customer,
    max_parts: int = paging.MOST,
    part_number_marker: int = 0,
) -> Reply:
    """The parts that were sent so far."""
    limit = paging.limit("max-parts", max_parts)
    found = ask.bucket(bucket)
    upload = ask.store.upload(found, key, upload_id)
    seals.repeated(ask, upload, customer)
    parts, more = ask.store.parts(upload, after=part_number_marker, limit=limit)
    members = {
        "Bucket": bucket,
        "Key": key,
        "UploadId": upload_id,
        "PartNumberMarker": part_number_marker,
        "NextPartNumberMarker": parts[-1].number if parts else part_number_marker,
        "MaxParts": limit,
        "IsTruncated": more is not None,
        "Parts": [_item(each) for each in parts],
        "Initiator": paging.owner(ask, upload.initiator),
        "Owner": paging.owner(ask, upload.draft.owner),
        "StorageClass": upload.draft.attributes.storage_class,
        **completions.members_of(upload),
        **expiry.abort_promise(found, upload, ask.options.day),
    }
    return Reply(members)


def _item(part: Part) -> dict[str, Any]:
    return {
        "PartNumber": part.number,
        "LastModified": part.modified,
        "ETag": f'"{part.etag}"',
        "Size": part.size,
        **part_checksum(part.checksum),
    }


def _span(header: str | None, size: int) -> tuple[int, int]:
    """First byte and number of bytes; unlike a read's, a range here must be whole and inside."""
    if header is None:
        return 0, size
    match = _RANGE.match(header)
    extras = {"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": header}
    if match is None or int(match[1]) > int(match[2]):
        raise S3Fault(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first "
            "and last are the zero-based offsets of the first and last bytes to copy",
            extras,
        )
    if int(match[2]) >= size:
        raise S3Fault(
            "InvalidArgument",
            f"Range specified is not valid for source object of size: {size}",
            extras,
        )
    return int(match[1]), int(match[2]) - int(match[1]) + 1
