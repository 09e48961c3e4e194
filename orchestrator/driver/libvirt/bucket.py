"""A bucket at any S3 endpoint, as a shelf of images: put there whole, fetched whole, removed.

An upload becomes visible when it is complete, so there is no half image; what an interrupted one
left of its parts is removed with the image, or before it is put there again. The image's sizes and
the SHA-256 of its bytes are kept with it.
"""

import functools
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.driver.libvirt import layout
from orchestrator.driver.ports import BucketPool, ImageFacts, NoSpace, Refused, Transient

_FOLDER = "images/"
_PROBE = "images/.probe"
_SIZE, _DIGEST = "virtual-size", "sha256"
_GONE = frozenset(("404", "NoSuchKey", "NotFound"))
_FULL = frozenset(("QuotaExceeded", "EntityTooLarge"))
_PASSING = frozenset((408, 425, 429))
_CONFIG = Config(
    connect_timeout=10,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 3},
    s3={"addressing_style": "path"},
    signature_version="s3v4",
)
# Parts of 64 MiB, of which S3 takes 10,000: more than the largest image.
_TRANSFER = TransferConfig(
    multipart_threshold=64 << 20, multipart_chunksize=64 << 20, max_concurrency=4
)


class Bucket:
    """The images of one store."""

    def __init__(self, store: BucketPool) -> None:
        self._name = store.path
        self._client = _client(store.endpoint, store.region, store.access_key, store.secret_key)

    def check(self) -> int:
        """Find out whether images can be kept here; bytes of those that are.

        Raises:
            Refused: the bucket is not there, or not ours to write to.
            Transient: the endpoint does not answer.
        """
        with self._asking():
            self._client.head_bucket(Bucket=self._name)
            self._client.put_object(Bucket=self._name, Key=_PROBE, Body=b"")
            self._client.delete_object(Bucket=self._name, Key=_PROBE)
            return sum(row["Size"] for row in self._rows())

    def ids(self) -> tuple[frozenset[str], frozenset[str]]:
        """Ids of the images, and keys that are none of ours."""
        with self._asking():
            keys = [row["Key"] for row in self._rows()]
        named = {key: layout.volume_of(key) for key in keys if key.endswith(".qcow2")}
        ours = frozenset(ident for ident in named.values() if ident)
        return ours, frozenset(key for key in keys if not named.get(key))

    def facts(self, image_id: str) -> ImageFacts | None:
        """The sizes of an image; None when it is not there."""
        with self._asking():
            try:
                head = self._client.head_object(Bucket=self._name, Key=_key(image_id))
            except ClientError as error:
                if _code(error) in _GONE:
                    return None
                raise
        size = head["Metadata"].get(_SIZE, "")
        if not size.isdecimal():
            raise Refused(f"the object {_key(image_id)} is no image of this cloud")
        return ImageFacts(int(size), head["ContentLength"])

    def put(self, image_id: str, file: Path, facts: ImageFacts) -> None:
        """Keep a file as this image."""
        digest = _digest(file)
        with self._asking():
            self._abort(image_id)
            self._client.upload_file(
                str(file),
                self._name,
                _key(image_id),
                ExtraArgs={"Metadata": {_SIZE: str(facts.virtual_size), _DIGEST: digest}},
                Config=_TRANSFER,
            )

    def fetch(self, image_id: str, file: Path) -> None:
        """Write an image into a file.

        Raises:
            Refused: there is none.
            Transient: what came is not what was put there, or too little came.
        """
        with self._asking():
            head = self._client.head_object(Bucket=self._name, Key=_key(image_id))
            self._client.download_file(self._name, _key(image_id), str(file), Config=_TRANSFER)
        if _digest(file) != head["Metadata"].get(_DIGEST):
            raise Transient(f"the object {_key(image_id)} did not come as it was put there")

    def remove(self, image_id: str) -> None:
        """Remove an image, and what an interrupted upload left of it."""
        with self._asking():
            self._abort(image_id)
            self._client.delete_object(Bucket=self._name, Key=_key(image_id))

    def _rows(self) -> Iterator[Any]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._name, Prefix=_FOLDER):
            yield from page.get("Contents", ())

    def _abort(self, image_id: str) -> None:
        pages = self._client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self._name, Prefix=_key(image_id)):
            for upload in page.get("Uploads", ()):
                told = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
                self._client.abort_multipart_upload(Bucket=self._name, **told)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Faults of the endpoint as those of a driver."""
        try:
            yield
        except ClientError as error:
            raise _translated(error, self._name) from error
        except (BotoCoreError, Boto3Error) as error:
            inner = error.__context__
            if isinstance(inner, ClientError):
                raise _translated(inner, self._name) from error
            raise Transient(f"the S3 endpoint does not answer: {error}") from error


@functools.lru_cache(maxsize=32)
def _client(endpoint: str, region: str, access_key: str, secret_key: str) -> Any:
    """boto3 makes a client's methods at run time, hence ``Any``; it may be used by many threads."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=_CONFIG,
    )


def _translated(error: ClientError, bucket: str) -> Exception:
    code, status = _code(error), error.response["ResponseMetadata"]["HTTPStatusCode"]
    if code in _FULL:
        return NoSpace(f"bucket {bucket} takes no more: {code}")
    text = f"bucket {bucket}: HTTP {status} ({code})"
    return (Transient if status >= 500 or status in _PASSING else Refused)(text)


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))


def _key(image_id: str) -> str:
    return f"{_FOLDER}{image_id}.qcow2"


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
