"""A request of any operation that is declared, made from the model: minimal and sound."""

import base64
import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote

from botocore.model import ListShape, Shape, StructureShape
from botocore.serialize import create_serializer

from gateway.credentials import Caller
from gateway.s3 import operations, registry
from gateway.s3.registry import Operation
from s3store.tables import Table
from tests.gateway.s3 import raw
from tests.gateway.s3.raw import Answer
from tests.gateway.s3.samples import sample
from tests.gateway.s3.servers import Server

operations.load()

NAMES = sorted(registry.OPERATIONS)
"""Every operation there is."""

_SERIALIZER: Any = create_serializer("rest-xml", include_validation=False)
# What the service itself writes now and then.
_NOT_ASKED_FOR = ("lease", "sample", "arrival")


@dataclass(frozen=True)
class Asked:
    """A request. ``query`` is decoded, ``more`` is what comes behind it as it is."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    more: str = ""

    def with_header(self, name: str, value: str) -> "Asked":
        """With one header put, in place of any of its name."""
        kept = {n: v for n, v in self.headers.items() if n.lower() != name.lower()}
        return replace(self, headers={**kept, name: value})

    def with_query(self, name: str, value: str) -> "Asked":
        """With one parameter put, in place of any of its name."""
        kept = tuple((n, v) for n, v in self.query if n != name)
        return replace(self, query=(*kept, (name, value)))

    def with_body(self, body: bytes) -> "Asked":
        """With another document, and its digest."""
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        return replace(self, body=body).with_header("Content-MD5", digest)

    def send(self, server: Server, who: Caller | None) -> Answer:
        """Ask as someone, or as nobody."""
        pairs = (f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in self.query)
        query = "&".join([*pairs, *([self.more] if self.more else [])])
        target = f"{self.path}?{query}" if query else self.path
        headers = {n: v for n, v in self.headers.items() if n.lower() != "content-length"}
        headers["Content-Length"] = str(len(self.body))
        if who is None:
            headers["Host"] = server.host
        else:
            digest = hashlib.sha256(self.body).hexdigest()
            headers = raw.signed(server, self.method, target, headers, digest, who)
        return raw.send(server, self.method, target, headers, self.body)


def ask(name: str, place: Mapping[str, Any]) -> Asked:
    """A request with all that the operation requires, and its document.

    Args:
        place: the members that name something there is.
    """
    operation = registry.OPERATIONS[name]
    made = _SERIALIZER.serialize_to_request(_members(operation, place), operation.model)
    path, _, literal = made["url_path"].partition("?")
    given = {name: str(value) for name, value in dict(made["query_string"]).items()}
    query = (*parse_qsl(literal, keep_blank_values=True), *given.items())
    headers = {name: str(value) for name, value in made["headers"].items()}
    body = made["body"] if isinstance(made["body"], bytes) else str(made["body"]).encode()
    return Asked(made["method"], path, query, headers).with_body(body)


def furnish(server: Server, bucket: str, **said: Any) -> dict[str, Any]:
    """Make a bucket of Alice's whose versions can be locked, an object and an upload in it.

    Returns:
        The members of requests that name them.
    """
    alice = server.client()
    alice.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True, **said)
    alice.put_object(Bucket=bucket, Key="k", Body=b"data")
    return {
        "Bucket": bucket,
        "Key": "k",
        "UploadId": alice.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"],
        "PartNumber": 1,
        "CopySource": f"{bucket}/k",
        "ObjectAttributes": ["ETag"],
        "CreateBucketConfiguration": {},
    }


class Kept:
    """All that a server's store holds: every row but those it writes by itself, and every file."""

    def __init__(self, server: Server) -> None:
        """Look at it for the first time."""
        self._root = server.root / "objects"
        self._connection = sqlite3.connect(self._root / "index.sqlite")
        self._edition = self._now()
        self._content = self._look()

    def changed(self) -> bool:
        """Whether it holds something else than at the last look."""
        edition = self._now()
        if edition == self._edition:  # nothing was committed, and no file comes before a commit
            return False
        self._edition, before = edition, self._content
        self._content = self._look()
        return self._content != before

    def close(self) -> None:
        """Look no more."""
        self._connection.close()

    def _now(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _look(self) -> tuple[dict[str, list[str]], list[str]]:
        rows = {
            name: sorted(map(repr, self._connection.execute(str(table.select()))))
            for name, table in Table.metadata.tables.items()
            if name not in _NOT_ASKED_FOR
        }
        files = (self._root / "blobs").rglob("*")
        return rows, sorted(str(each) for each in files if each.is_file())


def _members(operation: Operation, place: Mapping[str, Any]) -> dict[str, Any]:
    shape = operation.model.input_shape
    if shape is None:
        return {}
    names = list(shape.required_members)
    if operation.document and operation.document[0] not in names:
        names.append(operation.document[0])
    return {name: place[name] if name in place else _least(shape.members[name]) for name in names}


def _least(shape: Shape) -> Any:
    """The smallest value of a shape; of a structure that requires nothing, something of all."""
    if isinstance(shape, StructureShape):
        names = shape.required_members or shape.members
        return {name: _least(shape.members[name]) for name in names}
    if isinstance(shape, ListShape):
        return [_least(shape.member)]
    return sample(shape)
