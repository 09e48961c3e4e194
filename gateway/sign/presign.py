"""Making a presigned URL of our own, signature version 4, for a GET of S3."""

from datetime import datetime
from urllib.parse import urlsplit

from gateway.sign import v4
from gateway.sign.encoding import encode
from gateway.sign.request import Request

_UNSIGNED = "UNSIGNED-PAYLOAD"


def presigned(
    url: str, access_key: str, secret: str, region: str, now: datetime, expires: int
) -> str:
    """A URL that whoever holds it may GET, as if they had the key.

    Args:
        url: without a query; its path percent-encoded as it will be sent.
        expires: for how many seconds from ``now``.
    """
    parts = urlsplit(url)
    claim = v4.Claim(
        access_key=access_key,
        day=f"{now:%Y%m%d}",
        region=region,
        service="s3",
        signed_headers=("host",),
        signature="",
        time=now,
        expires=expires,
    )
    told = {
        "X-Amz-Algorithm": v4.ALGORITHM,
        "X-Amz-Credential": f"{access_key}/{claim.scope}",
        "X-Amz-Date": claim.stamp,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": "host",
    }
    query = "&".join(f"{name}={encode(value)}" for name, value in told.items())
    request = Request("GET", parts.path, query, {"host": parts.netloc})
    canonical = v4.canonical_request(claim, request, parts.path, _UNSIGNED)
    key = v4.signing_key(secret, claim.day, region, "s3")
    signature = v4.sign(key, v4.string_to_sign(claim, canonical))
    return f"{url}?{query}&X-Amz-Signature={signature}"
