"""Which face a request is for, told from its head alone: the body may be an object of gigabytes.

EC2 and S3 share one port. S3 owns every path, since the first part of a path is a bucket's name,
and every host that is named after a bucket. EC2 has a few fixed paths, which it only gets when the
request does not say that it is S3's.
"""

import re
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl

from gateway.s3.protocol.hosts import NO_HOSTS, Hosts
from gateway.sign.request import Request, from_environ, target

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

S3_MOUNT = "/awsapi/rest/AmazonS3"
EC2_PATHS = frozenset(
    ("/awsapi", "/awsapi/", "/rest/AmazonEC2", "/rest/AmazonEC2/", "/awsapi/rest/AmazonEC2")
)
_SHARED = EC2_PATHS | {"/"}
FORM = "application/x-www-form-urlencoded"
_SCOPE = re.compile(r"Credential=[^,]*/([^/,]+)/aws4_request")


class Face(Enum):
    """The two faces of the gateway."""

    EC2 = "ec2"
    S3 = "s3"


def face(request: Request, hosts: Hosts = NO_HOSTS) -> Face:
    """Who answers a request."""
    if request.path not in _SHARED:
        return Face.S3
    if hosts.place(request.header("host")) is not None:
        return Face.S3
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if _signed_for_s3(request, query):
        return Face.S3
    if request.path in EC2_PATHS or "Action" in query:
        return Face.EC2
    form = (request.header("content-type") or "").partition(";")[0].strip().lower() == FORM
    return Face.EC2 if form and request.method == "POST" else Face.S3


def _signed_for_s3(request: Request, query: dict[str, str]) -> bool:
    """Whether the credentials are of a kind or scope that only S3 takes."""
    header = request.header("authorization") or ""
    if header.startswith("AWS "):
        return True
    found = _SCOPE.search(header)
    scope = query.get("X-Amz-Credential", "").split("/")
    service = found.group(1) if found else scope[-2] if len(scope) == 5 else ""
    return service == "s3"


class Front:
    """The WSGI application in front of both faces."""

    def __init__(self, ec2: Wsgi, s3: Wsgi, hosts: Hosts = NO_HOSTS) -> None:
        self._faces = {Face.EC2: ec2, Face.S3: s3}
        self._hosts = hosts

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Hand a request to its face. Nearly all paths are S3's: the rest is not even looked at."""
        path, _ = target(environ)
        chosen = face(from_environ(environ), self._hosts) if path in _SHARED else Face.S3
        return self._faces[chosen](environ, start_response)
