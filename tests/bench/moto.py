"""moto_server with one bucket full from the start: filling it over HTTP would take minutes."""

from moto.s3.models import s3_backends
from moto.server import main

LISTED = "bench-list"
KEYS = 10_000
ACCOUNT = "123456789012"  # the one moto takes everybody for


def key(number: int) -> str:
    """One of the keys in the full bucket; they sort as their numbers do."""
    return f"key-{number:05}"


if __name__ == "__main__":
    backend = s3_backends[ACCOUNT]["aws"]
    backend.create_bucket(LISTED, "us-east-1")
    for number in range(KEYS):
        backend.put_object(LISTED, key(number), b"x")
    main()
