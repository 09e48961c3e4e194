"""Values as XML elements, for every reply alike, from the shapes of botocore's model.

A structure of the model is compiled into closures when a value of it first comes along. Its values
mostly have the very same members, few of all that the model has, so what to write is worked out
once for each set of them; from then on an element costs one call and one string.

XML is written directly and not through lxml. Keys may hold control characters, for which XML 1.0
has no spelling at all: a document with one of them is :class:`Unfit`, and whoever makes it says
what else to write, or has them replaced.
"""

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

Writer = Callable[[Any, list[str]], None]
"""Appends the text of a value."""

_UNSAFE = re.compile("[&<>\"'\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
_UNFIT = re.compile("&#(?:[0-8]|1[124-9]|2[0-9]|3[01]|6553[45]);")


@dataclass(frozen=True)
class Instead:
    """An item of a flattened list that is written as one of another list of the same structure.

    So two lists come interleaved, where the order of all items together says something.
    """

    member: str
    value: Any


class Unfit(Exception):
    """A document has a character that XML 1.0 cannot hold."""


def escape(value: str) -> str:
    """Text for an XML element, with a replacement character for each that XML cannot hold."""
    return mended(_referenced(value))


def mended(document: str) -> str:
    """A document with a replacement character for each that XML cannot hold."""
    return _UNFIT.sub("\ufffd", document) if "&#" in document else document


def check_fit(document: str) -> None:
    """Whether XML 1.0 can hold what a document was made of.

    Raises:
        Unfit.
    """
    if "&#" in document and _UNFIT.search(document):
        raise Unfit


def _referenced(value: str) -> str:
    """Text for an XML element, with references also for characters that XML cannot hold."""
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    value = value.replace('"', "&quot;").replace("'", "&apos;")
    return _CONTROLS.sub(_reference, value)


def _reference(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def spell(shape: Shape, value: Any, times: str = "iso8601") -> str:
    """A single value as text.

    Args:
        times: how a ``datetime`` is spelled where the model does not say it.
    """
    if isinstance(value, datetime):
        style = shape.serialization.get("timestampFormat", times)
        moment = value if value.tzinfo is UTC else value.astimezone(UTC)
        if style == "iso8601":
            return f"{moment.isoformat()[:19]}.000Z"
        return format_datetime(moment, usegmt=True)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def name_of(shape: Shape, member: str) -> str:
    """A member's element name: a flattened list may carry it on its items."""
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        member = shape.member.serialization.get("name", member)
    return str(shape.serialization.get("name", member))


def attributes(shape: StructureShape) -> Iterator[tuple[str, str]]:
    """Members of a structure that are attributes of its element, and their names in lxml."""
    for name, member in shape.members.items():
        if member.serialization.get("xmlAttribute"):
            uri = shape.serialization["xmlNamespace"]["uri"]
            yield name, f"{{{uri}}}{member.serialization['name'].partition(':')[2]}"


@functools.cache
def content(shape: Shape) -> Writer:
    """Writes what is inside the element of a value; nothing for None outside of structures."""
    if isinstance(shape, StructureShape):
        return _structure(shape)

    def write(value: Any, out: list[str]) -> None:
        if value is not None:
            out.append(_referenced(spell(shape, value)))

    return write


def _structure(shape: StructureShape) -> Writer:
    unsafe = _UNSAFE.search

    def write(value: Any, out: list[str]) -> None:
        for name, start, end, put in _plan(shape, tuple(value)):
            item = value[name]
            if start and type(item) is str:  # as most of a document is, so it spares a call
                out.append(f"{start}{_referenced(item) if unsafe(item) else item}{end}")
            elif item is not None:
                put(item, out)

    return write


@functools.lru_cache(1024)  # documents that we keep come in whatever order they were sent in
def _plan(shape: StructureShape, names: tuple[str, ...]) -> list[tuple[str, str, str, Writer]]:
    """Members in the model's order, each with the tags around it if it is a single value.

    Those that are no elements, or not the model's, are left out.
    """
    return [
        (name, *_tags(member, name_of(member, name)), _member(shape, member, name_of(member, name)))
        for name, member in shape.members.items()
        if name in names and not {"location", "xmlAttribute"} & member.serialization.keys()
    ]


def _tags(member: Shape, wire: str) -> tuple[str, str]:
    several = isinstance(member, StructureShape | ListShape)
    return ("", "") if several else (f"<{wire}>", f"</{wire}>")


def _member(shape: StructureShape, member: Shape, wire: str) -> Writer:
    if not isinstance(member, ListShape):
        return _element(wire, member)
    if member.serialization.get("flattened"):
        return _flattened(shape, _element(wire, member.member))
    return _list(wire, _element(member.member.serialization.get("name", "member"), member.member))


def _flattened(shape: StructureShape, put: Writer) -> Writer:
    def write(value: Any, out: list[str]) -> None:
        for item in value:
            if isinstance(item, Instead):
                _other(shape, item.member)(item.value, out)
            else:
                put(item, out)

    return write


@functools.cache
def _other(shape: StructureShape, name: str) -> Writer:
    """Writes one item of another list."""
    other = shape.members[name]
    inner = other.member if isinstance(other, ListShape) else other
    return _element(name_of(other, name), inner)


def _list(wire: str, put: Writer) -> Writer:
    def write(value: Any, out: list[str]) -> None:
        out.append(f"<{wire}>")
        for item in value:
            put(item, out)
        out.append(f"</{wire}>")

    return write


def _element(wire: str, shape: Shape) -> Writer:
    start, end, pairs = f"<{wire}>", f"</{wire}>", _pairs(shape)
    if not isinstance(shape, StructureShape):
        return _single(start, end, shape)

    def write(value: Any, out: list[str]) -> None:
        out.append(f"<{wire}{pairs(value)}>" if pairs else start)
        content(shape)(value, out)  # looked up late, since shapes may nest in a circle
        out.append(end)

    return write


def _single(start: str, end: str, shape: Shape) -> Writer:
    timed = shape.type_name == "timestamp" and "timestampFormat" not in shape.serialization
    unsafe = _UNSAFE.search

    def write(value: Any, out: list[str]) -> None:
        if timed and type(value) is datetime and value.tzinfo is UTC:
            text = f"{value.isoformat()[:19]}.000Z"
        else:
            text = spell(shape, value)
            text = _referenced(text) if unsafe(text) else text
        out.append(f"{start}{text}{end}")

    return write


def _pairs(shape: Shape) -> Callable[[Any], str] | None:
    """What writes the attributes of an element; None where it never has any."""
    space = shape.serialization.get("xmlNamespace", {})
    if not isinstance(shape, StructureShape) or "prefix" not in space:
        return None
    names = [(name, shape.members[name].serialization["name"]) for name, _ in attributes(shape)]
    declared = f' xmlns:{space["prefix"]}="{space["uri"]}"'
    return lambda value: (
        declared + "".join(f' {wire}="{escape(str(value[name]))}"' for name, wire in names)
    )
