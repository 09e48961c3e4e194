"""What is kept of an object's encryption, and how its content is read again.

Every encrypted object has a random data key of its own, and the store encrypts the content with it.
What differs is under which key that one is kept:

- ``AES256`` (SSE-S3): the service's master key;
- ``aws:kms`` (SSE-KMS): a named key of the service (:mod:`gateway.s3.sealing.keys`);
- ``SSE-C``: a key that the customer sends along with every request and that is never kept.

Keys of the service are renewed (:mod:`gateway.s3.sealing.rings`): the seal says under which of the
secrets of its key the data key is wrapped, which can be wrapped anew without touching the content.

The *seal* kept with an object holds the kind, the wrapped data key and whatever else a reply must
say. The wrapping is bound to bucket, key and all else in the seal, so none of it can be changed or
moved to another object. It is also what tells a customer's wrong key from the right one: to unwrap
is to verify, under a salt of its own.

Protocol source: "Protecting data with server-side encryption" of the S3 user guide.
"""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import os
from collections.abc import Mapping
from typing import Any, NamedTuple, TypedDict, cast

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.sealing import keypolicy
from gateway.s3.sealing.keys import Keys
from gateway.s3.sealing.rings import Ring
from s3store.records import Upload, Version
from s3store.sealing import KEY, Cipher, Sealing, WrongKey, unwrap, wrap

Seal = Mapping[str, str]

SERVICE, NAMED, CUSTOMER = "AES256", "aws:kms", "SSE-C"

_UNDER = "under"

_WITH_CUSTOMER = "Requests specifying Server Side Encryption with Customer provided keys must "
_log = logging.getLogger(__name__)


class Customer(TypedDict, total=False):
    """The key that a customer brings along."""

    SSECustomerAlgorithm: str
    SSECustomerKey: str
    SSECustomerKeyMD5: str


class SourceCustomer(TypedDict, total=False):
    """The key that a customer brings along for the source of a copy."""

    CopySourceSSECustomerAlgorithm: str
    CopySourceSSECustomerKey: str
    CopySourceSSECustomerKeyMD5: str


class _Place(NamedTuple):
    """The object that a seal belongs to, whatever its version."""

    key: str
    bucket_id: int


def new(bucket_id: int, key: str, facts: Seal, wrapping: bytes) -> tuple[Seal, Cipher]:
    """A seal for an object to come, and the cipher for its content.

    Args:
        facts: the seal but for the data key.
        wrapping: what the data key is kept under.
    """
    secret = os.urandom(KEY)
    wrapped = _wrapped(wrapping, secret, _Place(key, bucket_id), facts)
    return {**facts, "key": wrapped}, Sealing(secret)


def admit(ask: Ask, version: Version, brought: Customer) -> None:
    """Check what a reader brings, as even one who only wants to hear of an object must bring it.

    Raises:
        S3Fault: InvalidRequest, AccessDenied, and as :func:`customer_key`.
    """
    _admitted(ask, _Place(version.key, version.bucket_id), version.seal, brought)


def of_version(ask: Ask, version: Version, brought: Customer) -> Cipher | None:
    """What decrypts an object; None for plain content.

    Raises:
        S3Fault: as :func:`admit`, and KMS.NotFoundException, KMS.DisabledException.
    """
    return _cipher(ask, _Place(version.key, version.bucket_id), version.seal, brought)


def of_upload(ask: Ask, upload: Upload, brought: Customer) -> Cipher | None:
    """What encrypts the parts of an upload; None for plain content.

    Raises:
        S3Fault: as :func:`of_version`.
    """
    return _cipher(ask, _Place(upload.key, upload.bucket_id), upload.draft.seal, brought)


def repeated(ask: Ask, upload: Upload, brought: Customer) -> None:
    """Check a customer's key that need not have been brought.

    Raises:
        S3Fault: as :func:`admit`.
    """
    if brought:
        _admitted(ask, _Place(upload.key, upload.bucket_id), upload.draft.seal, brought)


def _admitted(ask: Ask, place: _Place, seal: Seal | None, brought: Customer) -> Cipher | None:
    """The cipher, when the key is the customer's."""
    secret = customer_key(ask, brought)
    if seal is None or seal["mode"] != CUSTOMER:
        if secret is not None:
            raise S3Fault(
                "InvalidRequest", "The encryption parameters are not applicable to this object."
            )
        return None
    if secret is None:
        raise S3Fault(
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. The correct parameters "
            "must be provided to retrieve the object.",
        )
    try:
        return Sealing(_unwrapped(place, seal, secret))
    except WrongKey:
        raise S3Fault("AccessDenied") from None


def _cipher(ask: Ask, place: _Place, seal: Seal | None, brought: Customer) -> Cipher | None:
    cipher = _admitted(ask, place, seal, brought)
    if seal is None or cipher is not None:
        return cipher
    try:
        return Sealing(_unwrapped(place, seal, _wrapping(ask, seal)))
    except WrongKey:
        _log.error("the seal of %r in bucket %d is broken or under another key", *place)
        raise S3Fault("InternalError") from None


def source(brought: SourceCustomer) -> Customer:
    """What a copy brings for its source, in the words of a reader."""
    found = {name.removeprefix("CopySource"): value for name, value in brought.items()}
    return cast(Customer, {name: found[name] for name in Customer.__annotations__ if name in found})


def members_of(seal: Seal | None, brought: Customer) -> dict[str, Any]:
    """What a reply says of an object's encryption."""
    if seal is None:
        return {}
    if seal["mode"] == CUSTOMER:
        told = ("SSECustomerAlgorithm", "SSECustomerKeyMD5")
        return {name: value for name, value in brought.items() if name in told}
    members: dict[str, Any] = {"ServerSideEncryption": seal["mode"]}
    if "kms" in seal:
        members["SSEKMSKeyId"] = seal["kms"]
    if "bucketkey" in seal:
        members["BucketKeyEnabled"] = True
    return members


def told(seal: Seal | None, brought: Customer) -> dict[str, Any]:
    """What a reply to a writer says of it, which is a little more."""
    members = members_of(seal, brought)
    if seal is not None and "context" in seal:
        members["SSEKMSEncryptionContext"] = base64.b64encode(seal["context"].encode()).decode()
    return members


def customer_key(ask: Ask, brought: Customer) -> bytes | None:
    """The key that a customer sent, 32 bytes; None when they sent nothing of the kind.

    Raises:
        S3Fault: InvalidRequest, InvalidArgument, InvalidEncryptionAlgorithmError.
    """
    algorithm = brought.get("SSECustomerAlgorithm")
    key, md5 = brought.get("SSECustomerKey"), brought.get("SSECustomerKeyMD5")
    if algorithm is None and key is None and md5 is None:
        return None
    if not (ask.secure or ask.options.customer_keys_over_http):
        raise S3Fault("InvalidRequest", f"{_WITH_CUSTOMER}be made over a secure connection.")
    if algorithm is None:
        raise _invalid(f"{_WITH_CUSTOMER}provide a valid encryption algorithm.")
    if algorithm != "AES256":
        raise S3Fault("InvalidEncryptionAlgorithmError")
    secret = _base64(key)
    if secret is None or len(secret) != KEY:
        raise _invalid(f"{_WITH_CUSTOMER}provide an appropriate secret key.")
    if md5 is None:
        raise _invalid(f"{_WITH_CUSTOMER}provide the client calculated MD5 of the secret key.")
    taken = hashlib.md5(secret, usedforsecurity=False).digest()
    if not hmac.compare_digest(taken, _base64(md5) or b""):
        raise _invalid(
            "The calculated MD5 hash of the key did not match the hash that was provided."
        )
    return secret


def opened(keys: Keys, bucket_id: int, key: str, seal: Seal) -> Cipher | None:
    """What decrypts an object for the service itself; None when only the customer can.

    Raises:
        WrongKey: the key is not there, or it is another one.
    """
    if seal.get("mode") == CUSTOMER:
        return None
    return Sealing(_unsealed(keys, _Place(key, bucket_id), seal))


def renewed(keys: Keys, bucket_id: int, key: str, seal: Seal) -> Seal | None:
    """A seal with the data key under the newest secret of its key; None when it is so already.

    Raises:
        WrongKey: the key is not there, or it is another one.
    """
    if seal.get("mode") == CUSTOMER:
        return None
    place = _Place(key, bucket_id)
    try:
        ring = keys.ring(_key_id(seal))
    except S3Fault as fault:
        raise WrongKey(fault.message) from None
    if seal.get(_UNDER) == ring.label:
        return None
    secret = _unsealed(keys, place, seal)
    facts = _facts(seal) | {_UNDER: ring.label}
    return {**facts, "key": _wrapped(ring.secret, secret, place, facts)}


def under(ring: Ring) -> Seal:
    """What a seal says of the secret that its data key is wrapped under."""
    return {_UNDER: ring.label}


def keys_of(ask: Ask) -> Keys:
    """The service's own keys.

    Raises:
        S3Fault: NotImplemented.
    """
    if ask.options.keys is None:
        raise S3Fault("NotImplemented", "This service has no keys to encrypt with.")
    return ask.options.keys


def _wrapping(ask: Ask, seal: Seal) -> bytes:
    """What the data key of a seal of ours is wrapped under, for a caller who may use it.

    Raises:
        S3Fault: KMS.NotFoundException, KMS.DisabledException, AccessDenied.
    """
    keys = keys_of(ask)
    if seal["mode"] == NAMED:
        named = keys.known(_key_id(seal))
        keypolicy.require(ask, named, keypolicy.DECRYPT, seal.get("context"))
    return keys.secret(_key_id(seal), seal.get(_UNDER, ""))


def _unsealed(keys: Keys, place: _Place, seal: Seal) -> bytes:
    """The data key of a seal of ours, be its key switched on or off."""
    try:
        wrapping = keys.secret(_key_id(seal), seal.get(_UNDER, ""))
    except S3Fault as fault:
        raise WrongKey(fault.message) from None
    try:
        return _unwrapped(place, seal, wrapping)
    except (KeyError, ValueError):
        raise WrongKey("the seal is none") from None


def _key_id(seal: Seal) -> str:
    """That of a named key; empty for the master key."""
    return seal.get("kms", "").rpartition("/")[2]


def _facts(seal: Seal) -> dict[str, str]:
    return {name: value for name, value in seal.items() if name != "key"}


def _wrapped(wrapping: bytes, secret: bytes, place: _Place, facts: Seal) -> str:
    return base64.b64encode(wrap(wrapping, secret, _bound(place, facts))).decode()


def _unwrapped(place: _Place, seal: Seal, wrapping: bytes) -> bytes:
    return unwrap(wrapping, base64.b64decode(seal["key"]), _bound(place, _facts(seal)))


def _bound(place: _Place, facts: Seal) -> bytes:
    """Where a wrapped key belongs, so that it opens nowhere else."""
    return json.dumps([place.bucket_id, place.key, facts], sort_keys=True).encode()


def _base64(text: str | None) -> bytes | None:
    try:
        return base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        return None


def _invalid(message: str, extras: Mapping[str, str] | None = None) -> S3Fault:
    return S3Fault("InvalidArgument", message, extras)
