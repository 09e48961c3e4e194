"""Where the members of an operation travel in HTTP, read off the model once for every operation.

A request has a handful of members and an operation up to forty: so a request's parts are looked up
here, instead of looking for every member in the request.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.model import OperationModel, Shape

from gateway.s3.protocol.target import Target


@dataclass(frozen=True)
class Place:
    """A member; ``wire`` is the name of its parameter or header, or the prefix of several."""

    member: str
    wire: str
    shape: Shape


@dataclass(frozen=True)
class Incoming:
    """The members of a request that are not in its body.

    Args:
        path: the members that name bucket and key, each with what it is called in the path.
        query: by parameter.
        headers: by lower-case name.
        prefixed: mappings that take all headers with a prefix.
    """

    path: tuple[tuple[str, str], ...]
    query: Mapping[str, Place]
    headers: Mapping[str, Place]
    prefixed: tuple[Place, ...]

    def named(self, target: Target) -> dict[str, str | None]:
        """The members that the path holds."""
        return {m: target.bucket if wire == "Bucket" else target.key for m, wire in self.path}


@functools.cache
def incoming(operation: OperationModel) -> Incoming:
    """Where an operation's input is."""
    places = _places(operation.input_shape)
    return Incoming(
        path=tuple((place.member, place.wire) for place in places.get("uri", ())),
        query={place.wire: place for place in places.get("querystring", ())},
        headers={place.wire.lower(): place for place in places.get("header", ())},
        prefixed=tuple(places.get("headers", ())),
    )


@functools.cache
def outgoing(operation: OperationModel) -> Mapping[str, Place]:
    """The members of a reply that travel as headers; a mapping's wire name is a prefix."""
    places = _places(operation.output_shape)
    return {p.member: p for p in (*places.get("header", ()), *places.get("headers", ()))}


def _places(shape: Shape | None) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    members: Mapping[str, Shape] = getattr(shape, "members", {})
    for name, member in members.items():
        spelled = member.serialization
        place = Place(name, spelled.get("name", ""), member)
        found.setdefault(spelled.get("location", ""), []).append(place)
    return found
