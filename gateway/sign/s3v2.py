"""Signature version 2 of S3: an HMAC-SHA1 over method, five headers and a canonical resource.

The resource is where clients differ, so several candidates are tried, each in constant time:

* a server mounted under a prefix may be signed for with and without it, since boto 2 signs the
  path it was told, and a proxy in front may have added or cut it;
* botocore signs a bucket as ``/bucket/`` where the wire has ``/bucket``;
* boto 2 and botocore each sign a few query parameters that nobody else does; those that decide
  what a request is must be signed in any case;
* WSGI does not tell ``x-amz-meta-a_b`` from ``x-amz-meta-a-b``, but the signer did.

Protocol source: "Signing and authenticating REST requests" (signature version 2) of the S3 API.
"""

import base64
import hmac
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gateway.sign.refusals import Reason, Refusal
from gateway.sign.request import Request

# Whatever makes a request another one: a signature that left any of these out does not cover what
# is asked, whichever client made it.
_ESSENTIAL = (
    "accelerate acl analytics cors delete encryption inventory legal-hold lifecycle location"
    " logging metrics notification object-lock ownershipControls partNumber policy policyStatus"
    " publicAccessBlock replication requestPayment restore retention select select-type tagging"
    " torrent uploadId uploads versionId versioning versions website"
    " response-cache-control response-content-disposition response-content-encoding"
    " response-content-language response-content-type response-expires"
)
# What clients sign besides; it changes nothing here.
_BOTOCORE = " defaultObjectAcl storageClass"
_BOTO2 = " billing compose defaultObjectAcl encryptionConfig storageClass userProject websiteConfig"
SUBRESOURCES = tuple(frozenset((_ESSENTIAL + more).split()) for more in ("", _BOTOCORE, _BOTO2))
META = "x-amz-meta-"

_MIXED = 4  # names up to which every mixture of spellings is tried


@dataclass(frozen=True)
class Claim:
    """What a request says about its own signature; nothing of it is verified yet.

    ``expires`` (the text as sent, seconds since 1970) is set for presigned URLs only.
    """

    access_key: str
    signature: str
    expires: str | None = None


def parse(request: Request, query: Mapping[str, str]) -> Claim | None:
    """Read the claim of a version 2 request; None when it carries none.

    Args:
        query: the decoded query parameters.

    Raises:
        Refusal: MALFORMED, when there is a claim that cannot be read.
    """
    header = request.header("authorization") or ""
    if header.startswith("AWS "):
        access_key, _, signature = header[4:].strip().rpartition(":")
        if not access_key or not signature:
            raise Refusal(Reason.MALFORMED, "The Authorization header must be AWS KEY:SIGNATURE.")
        return Claim(access_key, signature)
    if "AWSAccessKeyId" not in query and "Signature" not in query:
        return None
    for name in ("AWSAccessKeyId", "Signature", "Expires"):
        if not query.get(name):
            raise Refusal(Reason.MALFORMED, f"Query-string authentication requires {name}.")
    return Claim(query["AWSAccessKeyId"], query["Signature"], query["Expires"])


def verify(claim: Claim, request: Request, secret: str, mount: str) -> frozenset[str]:
    """Check the signature; times are the caller's to check.

    Args:
        mount: the prefix the service is mounted under, such as ``/awsapi/rest/AmazonS3``.

    Returns:
        The headers whose names were signed with underscores, as they are in ``request``.

    Raises:
        Refusal: MISMATCH.
    """
    given = claim.signature.encode()
    for text, underscored in strings_to_sign(claim, request, mount):
        digest = hmac.digest(secret.encode(), text, "sha1")
        if hmac.compare_digest(base64.b64encode(digest), given):
            return underscored
    raise Refusal(
        Reason.MISMATCH,
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
    )


def strings_to_sign(
    claim: Claim, request: Request, mount: str
) -> Iterator[tuple[bytes, frozenset[str]]]:
    """Everything a correct client may have signed, the likeliest first.

    Beside each, which headers it has with underscores in their names.
    """
    date = request.header("date") or ""
    if claim.expires is not None:
        date = claim.expires
    elif request.header("x-amz-date"):
        date = ""
    start = "\n".join(
        (
            request.method,
            request.header("content-md5") or "",
            request.header("content-type") or "",
            date,
        )
    )
    candidates = itertools.product(_amz_headers(request), _resources(request, mount))
    for (headers, underscored), resource in candidates:
        text = start.encode("latin-1") + b"\n" + headers.encode("latin-1") + resource
        yield text, underscored


def spelled(name: str) -> str:
    """A metadata header's name with underscores for the dashes within the writer's part of it."""
    return META + name[len(META) :].replace("-", "_")


def _amz_headers(request: Request) -> Iterator[tuple[str, frozenset[str]]]:
    """The x-amz- lines, with dashes first, then with underscores in the names of metadata."""
    pairs = [(name, value) for name, value in request.headers.items() if name.startswith("x-amz-")]
    unsure = [name for name, _ in pairs if name.startswith(META) and spelled(name) != name]
    for underscored in _choices(unsure):
        renamed = [(spelled(name) if name in underscored else name, v) for name, v in pairs]
        yield _lines(renamed), underscored


def _choices(names: list[str]) -> Iterator[frozenset[str]]:
    """Every subset of a few names; of many only none and all."""
    sizes = range(len(names) + 1) if len(names) <= _MIXED else (0, len(names))
    for size in sizes:
        yield from map(frozenset, itertools.combinations(names, size))


def _lines(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"{name}:{value.strip()}\n" for name, value in sorted(pairs))


def _resources(request: Request, mount: str) -> Iterator[bytes]:
    suffixes = dict.fromkeys(_subresources(request.query, names) for names in SUBRESOURCES)
    for path, suffix in itertools.product(_paths(request.path, mount), suffixes):
        yield path.encode("latin-1") + suffix


def _paths(path: str, mount: str) -> Iterator[str]:
    mounted = path == mount or path.startswith(mount + "/")
    bare = (path[len(mount) :] or "/") if mounted else path
    bucket_call = bare != "/" and "/" not in bare[1:]
    for known in (path, bare if mounted else mount + bare):
        yield known
        if bucket_call:
            yield known + "/"
    if bare == "/":
        yield mount


def _subresources(query: str, names: frozenset[str]) -> bytes:
    """The part of the query that is signed: sorted, names and values decoded.

    Names too, for whoever reads the query decodes them: ``%61cl`` is ``acl``, signed or not.
    """
    chosen = []
    for token in query.encode("latin-1").split(b"&"):
        name, equals, value = token.partition(b"=")
        plain = unquote_to_bytes(name)
        if plain.decode("latin-1") in names:
            chosen.append((plain, plain + equals + unquote_to_bytes(value) if equals else plain))
    joined = b"&".join(text for _, text in sorted(chosen))
    return b"?" + joined if joined else b""
