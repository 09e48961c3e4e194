"""Talking to an S3-compatible endpoint: clients, and what its refusals mean to the store."""

import hashlib
import logging
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from s3store import faults
from s3store.engines.places import Place

_FULL = frozenset(("EntityTooLarge", "InsufficientCapacity", "QuotaExceeded", "XMinioStorageFull"))
_log = logging.getLogger(__name__)


class Clients:
    """A client for every process, made on its first call: connections do not survive a fork."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._made: tuple[int, Any] | None = None

    def get(self) -> Any:
        """The client of this process, which its threads share."""
        made = self._made
        if made is None or made[0] != os.getpid():
            made = self._made = os.getpid(), _client(self._place)
        return made[1]

    def close(self) -> None:
        """Close its connections; the next call makes new ones."""
        made, self._made = self._made, None
        if made is not None and made[0] == os.getpid():
            made[1].close()


@contextmanager
def asking() -> Iterator[None]:
    """Turn what the endpoint, or the way to it, refuses into the store's faults.

    Raises:
        StoreBusy, StoreFull, FileNotFoundError.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        if status == 404 and code != "NoSuchBucket":
            raise FileNotFoundError(code) from error
        if code in _FULL or status == 507:
            raise faults.StoreFull("There is no room for the data.") from error
        _log.warning("the place of the content refuses %s: %s", error.operation_name, code)
        raise faults.StoreBusy("The place of the content refuses.") from error
    except BotoCoreError as error:
        _log.warning("the place of the content does not answer: %s", error)
        raise faults.StoreBusy("The place of the content does not answer.") from error


def md5(data: bytes) -> str:
    """As Content-MD5 carries it."""
    return b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _client(place: Place) -> Any:
    # Loaded only where it is used: it takes its time.
    import boto3

    config = Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=64,
        s3={"addressing_style": "path"},
        signature_version="s3v4",
        # Content-MD5 says it to every endpoint; the newer checksums are not known to all.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=place.endpoint,
        region_name=place.region,
        aws_access_key_id=place.key,
        aws_secret_access_key=place.secret,
        config=config,
    )
    client.meta.events.register("before-call.s3.DeleteObjects", _with_md5)
    return client


def _with_md5(params: dict[str, Any], **_: Any) -> None:
    """Older endpoints want a Content-MD5 for it, which boto3 no longer sends."""
    params["headers"]["Content-MD5"] = md5(params["body"])
