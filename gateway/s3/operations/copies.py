"""Copying objects: a second name for the same content wherever that will do."""

from dataclasses import replace

from gateway.s3.ask import Ask
from gateway.s3.background import expiry
from gateway.s3.faults import S3Fault
from gateway.s3.objects import conditions, drafts, reading, sources
from gateway.s3.objects.attributes import checksum_members
from gateway.s3.objects.conditions import OfWrite
from gateway.s3.objects.drafts import Written
from gateway.s3.objects.sources import Source
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from gateway.s3.sealing import encryption, seals
from s3store.checksums import ALGORITHMS
from s3store.records import Attributes, Bucket, Draft, Version

REDIRECT = "WebsiteRedirectLocation"


@s3_operation(
    "CopyObject",
    action="s3:PutObject",
    root="CopyObjectResult",
    ignores={"AnnotationDirective": "no object has annotations"},
)
def copy_object(
    ask: Ask,
    bucket: str,
    key: str,
    source: Source,
    written: Written,
    wanted: OfWrite,
    metadata_directive: str = "COPY",
    tagging_directive: str = "COPY",
    checksum_algorithm: str | None = None,
) -> Reply:
    """Copy an object, with its own attributes and tags or with new ones."""
    condition, algorithm = conditions.of_write(wanted), _algorithm(checksum_algorithm)
    replaces = _replaces("x-amz-metadata-directive", metadata_directive)
    retags = _replaces("x-amz-tagging-directive", tagging_directive)
    found = ask.bucket(bucket)
    draft = drafts.draft(ask, found, key, written)
    source_bucket, opened = sources.open_source(ask, source)
    with opened:
        sources.check_size(opened.version.size)
        if opened.version.tags and not retags:
            sources.require_tags(ask, source, source_bucket, opened.version)
            ask.require(found, "s3:PutObjectTagging", key)
        changes = replaces or encryption.asks(written)
        if not (changes or written.keys() & {"StorageClass", REDIRECT}):
            _check_not_itself(opened.version, found, key)
        version = ask.store.copy(
            opened,
            found,
            key,
            _inherited(draft, opened.version, replaces, retags),
            checksum=algorithm,
            condition=condition,
            source_cipher=sources.cipher(ask, source, opened),
        )
    result = {
        "ETag": f'"{version.etag}"',
        "LastModified": version.modified,
        **checksum_members(version),
    }
    members = {"CopyObjectResult": result, **sources.named(source_bucket, opened)}
    members |= seals.told(version.seal, written) | expiry.promise(found, version, ask.options.day)
    return Reply(members | reading.named(found, version.version_id))


def _check_not_itself(source: Version, bucket: Bucket, key: str) -> None:
    """A copy of what a key shows onto that key must change something; one of older content does."""
    if source.latest and (source.bucket_id, source.key) == (bucket.id, key):
        raise S3Fault(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without "
            "changing the object's metadata, storage class, website redirect location or "
            "encryption attributes.",
        )


def _replaces(name: str, directive: str) -> bool:
    if directive not in ("COPY", "REPLACE"):
        extras = {"ArgumentName": name, "ArgumentValue": directive}
        raise S3Fault("InvalidArgument", f"Unknown {name.removeprefix('x-amz-')}.", extras)
    return directive == "REPLACE"


def _inherited(draft: Draft, source: Version, replaces: bool, retags: bool) -> Draft:
    """The draft with what it takes over from the source.

    Storage class, redirect, access list and lock are the copy's own and never inherited.
    """
    given, old = draft.attributes, source.attributes
    if not replaces:
        headers = {name: value for name, value in old.headers.items() if name != REDIRECT}
        if REDIRECT in given.headers:
            headers[REDIRECT] = given.headers[REDIRECT]
        given = Attributes(headers, old.metadata, given.storage_class)
    return replace(draft, attributes=given, tags=draft.tags if retags else source.tags)


def _algorithm(name: str | None) -> str | None:
    if name is not None and name.lower() not in ALGORITHMS:
        raise S3Fault("InvalidRequest", f"The checksum algorithm {name} is not known.")
    return None if name is None else name.lower()
