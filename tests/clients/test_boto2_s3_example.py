"""The guide's S3 example, in words of our own: what its users have is run as they would run it.

It makes a bucket and sends a file; where the bucket cannot be made it is opened, and the file
fetched. Then the same with a string. So the second run does what the first one did not.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.s3.servers import GUIDE, Server, serving

SCRIPT = '''
from boto.exception import S3CreateError
from boto.s3.connection import OrdinaryCallingFormat, S3Connection
from boto.s3.key import Key

ACCESS_KEY = "{access}"
SECRET_KEY = "{secret}"


def main():
    """Connect to the S3 service and use it."""
    connection = S3Connection(
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        is_secure=False,
        host="{host}",
        port={port},
        calling_format=OrdinaryCallingFormat(),
        path="/awsapi/rest/AmazonS3",
    )

    try:
        bucket = connection.create_bucket("cloudstack")
        key = Key(bucket)
        key.key = "test"
        key.set_contents_from_filename("{sent}")
        print("sent the file")
    except S3CreateError:
        bucket = connection.get_bucket("cloudstack")
        key = Key(bucket)
        key.key = "test"
        key.get_contents_to_filename("{received}")
        print("received the file")

    try:
        bucket = connection.create_bucket("teststring")
        key = Key(bucket)
        key.key = "foobar"
        key.set_contents_from_string("This is my silly test")
        print("sent the string")
    except S3CreateError:
        bucket = connection.get_bucket("teststring")
        key = Key(bucket)
        key.key = "foobar"
        print(key.get_contents_as_string().decode())


if __name__ == "__main__":
    main()
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server of a region with a name of its own."""
    with serving(tmp_path_factory.mktemp("s3"), region="pileus") as running:
        yield running


def test_the_guides_s3_example_sends_first_and_receives_then(
    server: Server, tmp_path: Path
) -> None:
    sent, received, script = tmp_path / "sent", tmp_path / "received", tmp_path / "example.py"
    sent.write_bytes(b"what the user had in a file\n" * 1000)
    script.write_text(
        SCRIPT.format(
            access=GUIDE.access_key,
            secret=GUIDE.secret,
            host="127.0.0.1",
            port=server.port,
            sent=sent,
            received=received,
        )
    )

    def run() -> str:
        command = [sys.executable, str(script)]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    assert run() == "sent the file\nsent the string\n"
    assert run() == "received the file\nThis is my silly test\n"
    assert received.read_bytes() == sent.read_bytes()
