"""What a writer may ask for of encryption, and what the bucket asks for when they do not.

Nothing is encrypted that neither of them asks for: plain content goes out by sendfile.

Protocol source: "Protecting data with server-side encryption" of the S3 user guide.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.sealing import keypolicy, seals
from gateway.s3.sealing.keys import DEFAULT
from gateway.s3.sealing.rings import Ring
from gateway.s3.sealing.seals import CUSTOMER, NAMED, SERVICE, Customer, Seal
from s3store.records import Bucket, Draft

_UNBUILT = ("aws:kms:dsse", "aws:fsx", "aws:backup")
_LONGEST_CONTEXT = 4096  # bytes


class Encrypting(Customer, total=False):
    """What a writer may say of encryption."""

    ServerSideEncryption: str
    SSEKMSKeyId: str
    SSEKMSEncryptionContext: str
    BucketKeyEnabled: bool


@dataclass(frozen=True)
class _Choice:
    """How an object is to be encrypted: the seal but for the data key, and what will wrap that."""

    seal: Seal
    wrapping: bytes = field(repr=False)


def encrypted(ask: Ask, bucket: Bucket, key: str, draft: Draft, wanted: Encrypting) -> Draft:
    """The draft with the encryption its writer asks for, or else the one the bucket asks for.

    Raises:
        S3Fault: for what cannot be asked for.
    """
    choice = _choice(ask, bucket, wanted)
    if choice is None:
        return draft
    seal, cipher = seals.new(bucket.id, key, choice.seal, choice.wrapping)
    return replace(draft, seal=seal, cipher=cipher, opaque_etag=seal["mode"] != SERVICE)


def asks(wanted: Encrypting) -> bool:
    """Whether a request says anything of encryption."""
    return not wanted.keys().isdisjoint(Encrypting.__annotations__)


def _choice(ask: Ask, bucket: Bucket, wanted: Encrypting) -> _Choice | None:
    mode = wanted.get("ServerSideEncryption")
    secret = seals.customer_key(ask, wanted)
    if secret is not None:
        if mode is not None or "SSEKMSKeyId" in wanted:
            raise _invalid(
                "Server Side Encryption with Customer provided key is incompatible with the "
                "encryption method specified"
            )
        if CUSTOMER in _rule(bucket).get("BlockedEncryptionTypes", {}).get("EncryptionType", ()):
            raise S3Fault("AccessDenied", "The bucket blocks encryption with customers' keys.")
        return _Choice({"mode": CUSTOMER}, secret)
    if mode is not None:
        if mode == NAMED and ask.caller.anonymous:
            raise _invalid(f"Requests for server-side encryption {NAMED} must be signed.")
        return _ours(ask, mode, wanted, ask.caller.account_id, bucket)
    if "SSEKMSKeyId" in wanted or "SSEKMSEncryptionContext" in wanted:
        raise _invalid("x-amz-server-side-encryption must be aws:kms for the other headers given.")
    default = _rule(bucket).get("ApplyServerSideEncryptionByDefault")
    return None if default is None else _by_default(ask, bucket, default, wanted)


def _by_default(
    ask: Ask, bucket: Bucket, default: Mapping[str, str], wanted: Encrypting
) -> _Choice:
    bucket_key = wanted.get("BucketKeyEnabled", _rule(bucket).get("BucketKeyEnabled", False))
    meant: Encrypting = {"BucketKeyEnabled": bucket_key}
    if "KMSMasterKeyID" in default:
        meant["SSEKMSKeyId"] = default["KMSMasterKeyID"]
    return _ours(ask, default["SSEAlgorithm"], meant, bucket.owner, bucket)


def _ours(ask: Ask, mode: str, wanted: Encrypting, account: str, bucket: Bucket) -> _Choice:
    """Encryption under a key of the service."""
    if mode in _UNBUILT:
        raise S3Fault("NotImplemented", f"Server-side encryption {mode} is not implemented.")
    if mode == SERVICE:
        if "SSEKMSKeyId" in wanted or "SSEKMSEncryptionContext" in wanted:
            raise _invalid("The headers given belong to server-side encryption aws:kms.")
        return _under(seals.keys_of(ask).master(), {"mode": SERVICE})
    if mode != NAMED:
        raise _invalid(
            "The encryption method specified is not supported",
            {"ArgumentName": "x-amz-server-side-encryption", "ArgumentValue": mode},
        )
    name = wanted.get("SSEKMSKeyId")
    found = seals.keys_of(ask).find(name or DEFAULT, account if name else bucket.owner)
    seal = {"mode": NAMED, "kms": found.arn(ask.options.region)}
    if context := wanted.get("SSEKMSEncryptionContext"):
        seal["context"] = _context(context)
    if wanted.get("BucketKeyEnabled"):
        seal["bucketkey"] = "true"
    keypolicy.require(ask, found, keypolicy.ENCRYPT, seal.get("context"))
    return _under(found.ring, seal)


def _under(ring: Ring, seal: Seal) -> _Choice:
    return _Choice({**seal, **seals.under(ring)}, ring.secret)


def _context(header: str) -> str:
    """The pairs a key's use is bound to, in one spelling whatever theirs was."""
    try:
        pairs = json.loads(base64.b64decode(header, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        pairs = None
    texts = isinstance(pairs, dict) and all(isinstance(value, str) for value in pairs.values())
    if not texts or len(header) > _LONGEST_CONTEXT:
        raise _invalid(
            "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 "
            "string holding JSON which represents a string-string map"
        )
    return json.dumps(pairs, sort_keys=True)


def _rule(bucket: Bucket) -> Mapping[str, Any]:
    """What the bucket asks for; PutBucketEncryption has made sure that it is one rule."""
    rules = bucket.settings.get("encryption", {}).get("Rules", ())
    return rules[0] if rules else {}


def _invalid(message: str, extras: Mapping[str, str] | None = None) -> S3Fault:
    return S3Fault("InvalidArgument", message, extras)
