"""Any document of a bucket's setting that XML can spell is taken or refused, and nothing else."""

import json
from contextlib import suppress
from typing import Any

import pytest
from botocore.model import ListShape, Shape, StringShape, StructureShape
from hypothesis import given, settings, strategies

from gateway.s3.documents import (
    LARGEST,
    check_shape,
    encryption,
    lifecycle,
    lock,
    notification,
    website,
)
from gateway.s3.faults import S3Fault
from gateway.s3.objects import tagging
from gateway.s3.protocol import model
from gateway.s3.web import cors


def shape_of(operation: str) -> Shape:
    shape = model.operation(operation).input_shape
    assert shape is not None
    found: Shape = shape.members[shape.serialization["payload"]]
    return found


def refused(shape: Shape, document: Any, code: str = "MalformedXML") -> None:
    with pytest.raises(S3Fault, match=code):
        check_shape(shape, document)


def test_a_word_that_the_model_does_not_have_is_malformed() -> None:
    lifecycle_shape = shape_of("PutBucketLifecycleConfiguration")
    check_shape(lifecycle_shape, {"Rules": [{"Status": "Enabled"}]})
    refused(lifecycle_shape, {"Rules": [{"Status": "enabled"}]})
    lock_shape = shape_of("PutObjectLockConfiguration")
    refused(lock_shape, {"ObjectLockEnabled": "Disabled"})
    refused(lock_shape, {"Rule": {"DefaultRetention": {"Mode": "governance"}}})


def documents(shape: Shape) -> Any:
    """Whatever the codec can make of XML that has this shape."""
    if isinstance(shape, StructureShape):
        parts = {name: documents(member) for name, member in shape.members.items()}
        required = {name: parts.pop(name) for name in shape.required_members}
        return strategies.fixed_dictionaries(required, optional=parts)
    if isinstance(shape, ListShape):
        return strategies.lists(documents(shape.member), max_size=3)
    if shape.type_name == "boolean":
        return strategies.booleans()
    if shape.type_name in ("integer", "long"):
        return strategies.integers(-(10**18), 10**18) | strategies.integers(-1, 101)
    words = shape.enum if isinstance(shape, StringShape) else []
    text = strategies.text(max_size=8) | strategies.sampled_from(
        ["", "404", "302", f"{notification.ARN}http://h/", "/"]
    )
    dates = strategies.datetimes().map(lambda time: time.isoformat())
    return strategies.sampled_from(words) if words else text | dates


CHECKS: list[tuple[str, Any]] = [
    ("PutBucketLifecycleConfiguration", lifecycle.check),
    ("PutBucketWebsite", website.check),
    ("PutBucketNotificationConfiguration", notification.check),
    ("PutObjectLockConfiguration", lock.check),
    ("PutBucketEncryption", encryption.check),
    ("PutBucketCors", cors.check),
    ("PutBucketTagging", lambda document: tagging.of_bucket(document["TagSet"])),
]


@pytest.mark.parametrize(("operation", "check"), CHECKS)
@settings(deadline=None)
@given(data=strategies.data())
def test_any_document_is_taken_or_refused(operation: str, check: Any, data: Any) -> None:
    shape = shape_of(operation)
    document = data.draw(documents(shape))
    with suppress(S3Fault):
        check_shape(shape, document)
        kept = check(document)
        assert json.loads(json.dumps(kept)) == kept


def test_a_document_has_its_bounds() -> None:
    shape = shape_of("PutBucketWebsite")
    huge = {"ErrorDocument": {"Key": "k" * LARGEST}}
    refused(shape, huge, "MaxMessageLengthExceeded")
