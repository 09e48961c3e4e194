"""The S3 face behind the front, as the gateway has it; callers come from a file."""

from collections.abc import Iterable
from typing import Any

from gateway.app import freeze
from gateway.front import Front
from tests.gateway.s3 import serving


def _no_ec2(_environ: object, start_response: Any) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Length", "0")])
    return []


def create() -> Front:
    """What gunicorn calls."""
    front = Front(_no_ec2, serving.create())
    freeze()  # or the collector spoils one answer in a hundred
    return front
