"""moto_server with one bucket full from the start: filling it over HTTP would take minutes."""

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import main

LISTED = "bench-list"
KEYS = 10_000


def key(number: int) -> str:
    """One of the keys in the full bucket; they sort as their numbers do."""
    return f"key-{number:05}"


if __name__ == "__main__":
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket(LISTED, "us-east-1")
    for number in range(KEYS):
        backend.put_object(LISTED, key(number), b"x")
    main()
