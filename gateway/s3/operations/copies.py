"""Copying objects: a second name for the same content wherever that will do."""

from datetime import UTC, datetime

from gateway.s3 import conditions, target
from gateway.s3.ask import Ask
from gateway.s3.attributes import Written, attributes, checksum_members
from gateway.s3.conditions import Conditions, OfSource, OfWrite
from gateway.s3.content import LARGEST_PUT
from gateway.s3.faults import S3Fault
from gateway.s3.operations.objects import OWNERS_ACLS
from gateway.s3.registry import s3_operation
from gateway.s3.reply import Reply
from s3store.checksums import ALGORITHMS
from s3store.records import Attributes, Opened

_UNTAGGED = {"TaggingDirective": "no object has tags", "AnnotationDirective": "nor annotations"}


@s3_operation(
    "CopyObject",
    action="s3:PutObject",
    root="CopyObjectResult",
    fixed={"ACL": OWNERS_ACLS},
    ignores=_UNTAGGED,
)
def copy_object(
    ask: Ask,
    bucket: str,
    key: str,
    copy_source: str,
    written: Written,
    wanted: OfWrite,
    source_wanted: OfSource,
    metadata_directive: str = "COPY",
    expected_source_bucket_owner: str | None = None,
    checksum_algorithm: str | None = None,
) -> Reply:
    """Copy an object, with its own attributes or with new ones."""
    given, condition = attributes(written), conditions.of_write(wanted)
    algorithm, replaces = _algorithm(checksum_algorithm), _replaces(metadata_directive)
    destination = ask.bucket(bucket)
    source_bucket, source_key = _source(copy_source)
    if (source_bucket, source_key) == (bucket, key) and not (replaces or "StorageClass" in written):
        raise _to_itself()
    source = ask.store.open(ask.bucket(source_bucket, expected_source_bucket_owner), source_key)
    with source:
        Conditions.read(source_wanted, "CopySource").check_source(source.version, datetime.now(UTC))
        if source.version.size > LARGEST_PUT:
            raise S3Fault("InvalidRequest", "The specified copy source is too large to copy.")
        kept = given if replaces else _kept(source, given)
        version = ask.store.copy(
            source, destination, key, kept, checksum=algorithm, condition=condition
        )
    result = {
        "ETag": f'"{version.etag}"',
        "LastModified": version.modified,
        **checksum_members(version.checksum),
    }
    return Reply({"CopyObjectResult": result})


def _source(header: str) -> tuple[str, str]:
    bucket, key, version_id = target.copy_source(header)
    if version_id not in (None, "null"):
        raise S3Fault("NoSuchVersion", extras={"Key": key, "VersionId": str(version_id)})
    return bucket, key


def _to_itself() -> S3Fault:
    return S3Fault(
        "InvalidRequest",
        "This copy request is illegal because it is trying to copy an object to itself without "
        "changing the object's metadata, storage class, website redirect location or encryption "
        "attributes.",
    )


def _replaces(directive: str) -> bool:
    if directive not in ("COPY", "REPLACE"):
        extras = {"ArgumentName": "x-amz-metadata-directive", "ArgumentValue": directive}
        raise S3Fault("InvalidArgument", "Unknown metadata directive.", extras)
    return directive == "REPLACE"


def _kept(source: Opened, given: Attributes) -> Attributes:
    """The source's attributes; the storage class is the copy's own and never inherited."""
    old = source.version.attributes
    return Attributes(old.headers, old.metadata, given.storage_class)


def _algorithm(name: str | None) -> str | None:
    if name is not None and name.lower() not in ALGORITHMS:
        raise S3Fault("InvalidRequest", f"The checksum algorithm {name} is not known.")
    return None if name is None else name.lower()
