"""Tags of objects: the one part of a version that may be changed afterwards at will."""

from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.objects import reading
from gateway.s3.objects.tagging import members_of, of_document
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation


@s3_operation("GetObjectTagging", root="Tagging")
def get_object_tagging(ask: Ask, bucket: str, key: str, version_id: str | None = None) -> Reply:
    """The tags of a version."""
    found, version = reading.find(ask, bucket, key, version_id)
    members = {"TagSet": members_of(version.tags)}
    return Reply(members | reading.named(found, version.version_id))


@s3_operation("PutObjectTagging")
def put_object_tagging(
    ask: Ask, bucket: str, key: str, tagging: dict[str, Any], version_id: str | None = None
) -> Reply:
    """Give a version these tags instead of those it has."""
    return _tag(ask, bucket, key, version_id, tagging)


@s3_operation("DeleteObjectTagging")
def delete_object_tagging(ask: Ask, bucket: str, key: str, version_id: str | None = None) -> Reply:
    """Take all tags off a version."""
    return _tag(ask, bucket, key, version_id, {"TagSet": []})


def _tag(ask: Ask, bucket: str, key: str, version_id: str | None, tagging: dict[str, Any]) -> Reply:
    reading.check_id(version_id)
    found = ask.bucket(bucket)
    tags = of_document(tagging)
    with reading.markers(version_id):
        version = ask.store.set_tags(found, key, version_id, tags)
    return Reply(reading.named(found, version.version_id))
