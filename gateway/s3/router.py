"""Which operation a request is, derived from the model: nothing here knows any operation.

An operation matches when its method, its level (service, bucket or object), the literal part of
its query and its required query and header members are all there; of several the one that demands
most wins. What the winner has no place for is not ignored: ``PUT /bucket?acl`` must never become
CreateBucket, nor ``PUT /bucket/key?unheard-of`` an upload, nor one with ``x-amz-rename-source``.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from botocore.model import OperationModel

from gateway.s3.faults import S3Fault
from gateway.s3.protocol import model
from gateway.s3.protocol.integrity import PREFIX, SDK
from gateway.s3.protocol.target import Target

APART = frozenset({"AWSAccessKeyId", "Signature", "Expires", "x-id"}) | {
    f"X-Amz-{name}"
    for name in (
        "Algorithm",
        "Content-Sha256",
        "Credential",
        "Date",
        "Expires",
        "Security-Token",
        "Signature",
        "SignedHeaders",
    )
}
"""Query parameters of the signature, or noise that SDKs add to every request."""
CARRIED = frozenset({"content-md5", "content-type"})
"""Headers besides Amazon's own that a presigned URL of version 2 may bring along."""
# Speaks of the body and means the same everywhere, even where the model does not have it.
_OF_BODIES = (PREFIX, SDK)


@dataclass(frozen=True)
class Route:
    """One operation's demands on a request."""

    name: str
    method: str
    level: int
    literals: Mapping[str, str]
    queries: frozenset[str]
    headers: frozenset[str]
    known: frozenset[str]
    spoken: frozenset[str]

    @functools.cached_property
    def needed(self) -> frozenset[str]:
        """Names that the query must have."""
        return self.queries | self.literals.keys()

    @functools.cached_property
    def demands(self) -> int:
        """How much it asks for."""
        return len(self.literals) + len(self.queries) + len(self.headers)

    def matches(self, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Whether a request of this method and level has all it asks for."""
        return (
            self.needed <= query.keys()
            and all(query[name] == value for name, value in self.literals.items() if value)
            and self.headers <= headers.keys()
        )


def route(method: str, target: Target, headers: Mapping[str, str]) -> str:
    """The name of the operation a request is.

    Args:
        headers: by lower-case name.

    Raises:
        S3Fault: MethodNotAllowed, NotImplemented.
    """
    level = (target.bucket is not None) + (target.key is not None)
    candidates = _routes().get((method, level), ())
    found = [candidate for candidate in candidates if candidate.matches(target.query, headers)]
    if not found:
        raise S3Fault("MethodNotAllowed", extras={"Method": method, "ResourceType": _TYPES[level]})
    best = max(found, key=lambda route: route.demands)
    for name in target.query:
        if name not in best.known and name not in APART and not _hoisted(name, headers):
            raise S3Fault(
                "NotImplemented",
                f"The query parameter {name} is not implemented for {best.name}.",
                {"Parameter": name},
            )
    for name in _meant_for_others(best.method, level, best.spoken) & headers.keys():
        raise S3Fault(
            "NotImplemented",
            f"The header {name} is not implemented for {best.name}.",
            {"Header": name},
        )
    return best.name


def _hoisted(name: str, headers: Mapping[str, str]) -> bool:
    """Whether a parameter of a presigned URL was taken for the header it stands for."""
    plain = name.lower()
    return (plain.startswith("x-amz-") or plain in CARRIED) and plain in headers


@functools.cache
def _meant_for_others(method: str, level: int, spoken: frozenset[str]) -> frozenset[str]:
    """Headers that would make a request of this method and level another operation.

    Headers the model does not know at all are noise of some client, and let pass.
    """
    neighbours = (route.spoken for route in _routes()[method, level])
    return frozenset().union(*neighbours) - spoken


_TYPES = ("SERVICE", "BUCKET", "OBJECT")


@functools.cache
def _routes() -> Mapping[tuple[str, int], list[Route]]:
    """By method and level."""
    table: dict[tuple[str, int], list[Route]] = {}
    for operation in model.operations():
        route = _route(operation)
        table.setdefault((route.method, route.level), []).append(route)
    return table


def _route(operation: OperationModel) -> Route:
    path, _, query = operation.http["requestUri"].partition("?")
    literals = dict(parse_qsl(query, keep_blank_values=True))
    shape = operation.input_shape
    members = shape.members if shape else {}
    required = set(shape.required_members) if shape else set()

    def wire(location: str, names: set[str]) -> frozenset[str]:
        chosen = (members[name].serialization for name in names)
        return frozenset(s["name"] for s in chosen if s.get("location") == location)

    return Route(
        name=operation.name,
        method=operation.http["method"],
        level=path.count("{"),
        literals=literals,
        queries=wire("querystring", required),
        headers=frozenset(name.lower() for name in wire("header", required)),
        known=wire("querystring", set(members)) | literals.keys(),
        spoken=frozenset(
            name
            for name in map(str.lower, wire("header", set(members)))
            if name.startswith("x-amz-") and not name.startswith(_OF_BODIES)
        ),
    )
