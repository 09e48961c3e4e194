"""Where an S3-compatible endpoint keeps the content: a bucket there, and a prefix in it."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_SCHEMES = {"s3+http": "http", "s3+https": "https"}


@dataclass(frozen=True)
class Place:
    """A bucket at an endpoint, and who we are there.

    Args:
        endpoint: URL without a path.
        prefix: of all keys; empty, or with a slash at its end.
        region: the name that signatures carry.
    """

    endpoint: str
    bucket: str
    prefix: str
    key: str
    secret: str = field(repr=False)
    region: str = "us-east-1"

    @classmethod
    def of(cls, url: str, key: str = "", secret: str = "", region: str = "us-east-1") -> Self:
        """The place of a URL such as ``s3+https://host:port/bucket/prefix``.

        Raises:
            ValueError: it is not such a URL.
        """
        parts = urlsplit(url)
        bucket, _, prefix = parts.path.strip("/").partition("/")
        plain = not (parts.query or parts.fragment or parts.username)
        if parts.scheme not in _SCHEMES or not parts.hostname or not bucket or not plain:
            raise ValueError("must look like s3+https://host:port/bucket/prefix")
        endpoint = f"{_SCHEMES[parts.scheme]}://{parts.netloc}"
        return cls(endpoint, bucket, f"{prefix}/" if prefix else "", key, secret, region)
