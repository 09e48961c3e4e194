"""The kinds of encryption as a client of S3 sees them."""

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway.s3.servers import Server

MARK = b"nobody but the customer may read this line; "
SMALL = MARK * 3
LARGE = b"".join(MARK + number.to_bytes(4, "big") for number in range(160_000))  # 7.3 MiB
PART = 5 << 20
NAMED = re.compile("arn:aws:kms:us-east-1:[0-9]{12}:key/[0-9a-f-]{36}")
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
Pairs = dict[str, Any]


def customer(key: bytes = KEY, prefix: str = "") -> Pairs:
    """The three members of a customer's key."""
    return {
        f"{prefix}SSECustomerAlgorithm": "AES256",
        f"{prefix}SSECustomerKey": base64.b64encode(key).decode(),
        f"{prefix}SSECustomerKeyMD5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }


def source(key: bytes = KEY) -> Pairs:
    """Those for the source of a copy."""
    return customer(key, "CopySource")


@dataclass(frozen=True)
class Kind:
    """A kind of encryption: what a writer says, what a reader brings, what a reply tells."""

    write: Pairs
    read: Pairs
    told: Pairs
    opaque: bool

    @property
    def source(self) -> Pairs:
        """What a copy brings for a source of this kind."""
        return {f"CopySource{name}": value for name, value in self.read.items()}

    def holds(self, reply: Pairs) -> bool:
        """Whether a reply says that it is of this kind."""
        named = NAMED.fullmatch(reply.get("SSEKMSKeyId", ""))
        return self.told.items() <= reply.items() and (self is not KINDS["named"] or bool(named))


_CUSTOMER = customer()
KINDS = {
    "service": Kind(
        {"ServerSideEncryption": "AES256"}, {}, {"ServerSideEncryption": "AES256"}, False
    ),
    "named": Kind(
        {"ServerSideEncryption": "aws:kms"}, {}, {"ServerSideEncryption": "aws:kms"}, True
    ),
    "customer": Kind(
        _CUSTOMER,
        _CUSTOMER,
        {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": _CUSTOMER["SSECustomerKeyMD5"]},
        True,
    ),
}
PLAIN = Kind({}, {}, {}, False)


def refusal(call: Callable[..., Any], **members: Any) -> tuple[int, str]:
    """How a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**members)
    error = caught.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"]


def md5(data: bytes) -> str:
    """An ETag."""
    return f'"{hashlib.md5(data).hexdigest()}"'


def upload(s3: Any, bucket: str, key: str, kind: Kind, *parts: bytes) -> tuple[Pairs, Pairs]:
    """Upload an object in parts; what was said at its beginning and at its end."""
    begun = s3.create_multipart_upload(Bucket=bucket, Key=key, **kind.write)
    which = {"Bucket": bucket, "Key": key, "UploadId": begun["UploadId"]}
    done = []
    for number, part in enumerate(parts, 1):
        sent = s3.upload_part(**which, PartNumber=number, Body=part, **kind.read)
        assert kind.holds(sent)
        done.append({"PartNumber": number, "ETag": sent["ETag"]})
    whole = s3.complete_multipart_upload(**which, MultipartUpload={"Parts": done}, **kind.read)
    return begun, whole


def name_key(server: Server, key_id: str, **entry: Any) -> None:
    """What an operator does with an editor."""
    file = server.root / "keys" / "named.json"
    file.parent.mkdir(exist_ok=True)
    document = json.loads(file.read_text()) if file.exists() else {"keys": {}}
    secret = base64.b64encode(os.urandom(32)).decode()
    kept = document["keys"].get(key_id, {"key": secret})
    document["keys"][key_id] = kept | entry
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(document))
    fresh.replace(file)
