"""Signatures of native calls: pure functions, no clock and no database of their own.

A call is signed by joining its parameters, sorted by name, as ``name=encoded value`` with ``&``,
lower-casing the whole, and taking the base64 HMAC of it under the secret key. Clients disagree in
two places: whether names are sorted as sent or lower-cased, and whether ``~``, ``*`` and brackets
in values are percent-encoded. All those forms describe the same call, and none can be made without
the secret key, so a signature that matches under any of them is accepted.

The digest is SHA-1, as CloudStack's clients use, or SHA-256: its 32 bytes tell it apart from
SHA-1's 20, so a client that wants it just sends the longer signature. ``signatureVersion`` 3 adds
``expires``; other versions (and none) do not expire.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from itertools import product
from urllib.parse import quote

_DIGESTS = {20: hashlib.sha1, 32: hashlib.sha256}
_JAVA = "-._"
_OPTIONAL = ("~", "*", "[]")


def verify(secret: str, parameters: Mapping[str, str], now: datetime) -> bool:
    """Whether the call is signed with ``secret`` and has not expired.

    Args:
        secret: the caller's secret key.
        parameters: everything received, decoded, names as sent.
        now: this moment, with a zone.
    """
    given = _decode(_get(parameters, "signature"))
    matches = [
        hmac.compare_digest(made, given)
        for made in (_digest(secret, form, len(given)) for form in canonical_forms(parameters))
    ]
    return any(matches) and not _expired(parameters, now)


def sign(secret: str, parameters: Mapping[str, str], digest: str = "sha1") -> str:
    """The signature of a call in the form CloudStack's own server computes."""
    text = _join(parameters, safe="*", fold=False)
    return base64.b64encode(hmac.digest(secret.encode(), text, digest)).decode()


def canonical_forms(parameters: Mapping[str, str]) -> tuple[bytes, ...]:
    """Every text that some client would sign for this call; usually there is only one."""
    bare = ("".join(kept) for kept in product(*((x, "") for x in _OPTIONAL)))
    forms = (_join(parameters, safe, fold) for safe in bare for fold in (False, True))
    return tuple(dict.fromkeys(forms))


def _join(parameters: Mapping[str, str], safe: str, fold: bool) -> bytes:
    names = [name for name in parameters if name.lower() != "signature"]
    names.sort(key=str.lower if fold else None)
    pairs = (f"{name}={_encode(parameters[name], safe)}" for name in names)
    return "&".join(pairs).lower().encode()


def _encode(value: str, safe: str) -> str:
    """Percent-encode; ``~`` is taken back afterwards because ``quote`` never encodes it."""
    text = quote(value, safe=_JAVA + safe)
    return text if "~" in safe else text.replace("~", "%7E")


def _digest(secret: str, text: bytes, size: int) -> bytes:
    algorithm = _DIGESTS.get(size, hashlib.sha1)
    return hmac.new(secret.encode(), text, algorithm).digest()


def _decode(signature: str) -> bytes:
    """The bytes of a signature; empty when it is none, which matches nothing."""
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _expired(parameters: Mapping[str, str], now: datetime) -> bool:
    if _get(parameters, "signatureversion") != "3":
        return False
    try:
        expires = datetime.strptime(_get(parameters, "expires"), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return True
    return expires <= now


def _get(parameters: Mapping[str, str], name: str) -> str:
    """A parameter by its lower-case name, however the client spelt it."""
    return next((value for key, value in parameters.items() if key.lower() == name), "")
