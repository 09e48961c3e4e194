"""What a boto3 client was told when a call of its was refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(status: int, code: str) -> Iterator[None]:
    """Expect the calls inside to end in this error."""
    with pytest.raises(ClientError) as error:
        yield
    answer = error.value.response
    found = answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]
    assert found == (status, code)
