"""Where the content lies when it is in no folder: the URLs of such places."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

RADOS = "rados"
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


@dataclass(frozen=True)
class Pool:
    """A pool of a Ceph cluster, and who we are there.

    Args:
        user: with its type, as ``client.name``.
        namespace: of the pool; what is in it is one store's alone.
        conf: file that tells where the cluster is, and the user's keyring unless ``key`` is given.
    """

    pool: str
    user: str
    namespace: str = ""
    conf: str = "/etc/ceph/ceph.conf"
    key: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str, key: str = "") -> Self:
        """The pool of a URL such as ``rados://client.name@pool?namespace=…&conf=…``.

        Raises:
            ValueError: it is not such a URL.
        """
        parts = urlsplit(url)
        user, _, pool = map(unquote, parts.netloc.rpartition("@"))
        told = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        plain = not (parts.path.strip("/") or parts.fragment or told.keys() - {"namespace", "conf"})
        if parts.scheme != RADOS or not user.startswith("client.") or not pool or not plain:
            raise ValueError("must look like rados://client.name@pool?conf=/etc/ceph/ceph.conf")
        return cls(pool, user, key=key, **told)


def place_of(url: str, key: str = "", secret: str = "", region: str = "us-east-1") -> Place | Pool:
    """The place of any such URL; a pool has use for the secret key alone.

    Raises:
        ValueError: it is none.
    """
    if url.startswith(f"{RADOS}:"):
        return Pool.of(url, secret)
    return Place.of(url, key, secret, region)
