"""Answers as bytes: one tree of plain values, written as JSON or as XML.

The tree is made of dictionaries, lists, texts, numbers and booleans. None is left out, never
written. JSON is one line: clients parse the first line only. In XML a list repeats the element
that is named after the field.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import get_type_hints

import orjson
from lxml import etree

from nativeapi.declare import View
from nativeapi.registry import wire_name

JSON_TYPE = "application/json; charset=UTF-8"
XML_TYPE = "text/xml; charset=UTF-8"
VERSION = "4.1.0"
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'

Tree = Mapping[str, "Node"]
Node = str | int | float | bool | Tree | Sequence["Node"] | None

_PLAIN = frozenset({str, int, float, bool})

# What XML 1.0 cannot carry, escaped or not.
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def tree(view: View) -> Tree:
    """A view's fields in order, under their names on the wire, without those that are None."""
    values = vars(view)
    found: dict[str, Node] = {}
    for field, wire in wire_names(type(view)):
        value = values[field]
        # Lists of a thousand objects come through here: most values need no second look.
        if type(value) in _PLAIN:
            found[wire] = value
        elif value is not None:
            found[wire] = _node(value)
    return found


_names: dict[type[View], tuple[tuple[str, str], ...]] = {}


def wire_names(view: type[View]) -> tuple[tuple[str, str], ...]:
    """Each field of a view with its name on the wire; worked out once for every view."""
    if view not in _names:
        hints = get_type_hints(view, include_extras=True)
        _names[view] = tuple((x.name, wire_name(x.name, hints[x.name])) for x in fields(view))
    return _names[view]


def _node(value: object) -> Node:
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, View):
        return tree(value)
    if isinstance(value, tuple | list):
        return [_node(item) for item in value]
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        return {str(name): _node(item) for name, item in value.items() if item is not None}
    raise TypeError(f"a view cannot hold a {type(value).__name__}")


def moment(value: datetime) -> str:
    """A time as clients read it: ``2013-03-20T17:20:17+0000``."""
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}+0000"


def write_json(envelope: str, content: Tree) -> bytes:
    """The answer as one line of JSON in UTF-8."""
    return orjson.dumps({envelope: content})


def write_xml(envelope: str, content: Tree) -> bytes:
    """The answer as an XML document in UTF-8."""
    root = etree.Element(envelope, {"cloud-stack-version": VERSION})
    _fill(root, content)
    return _DECLARATION + etree.tostring(root, encoding="UTF-8")


def _fill(element: etree._Element, content: Tree) -> None:
    for name, value in content.items():
        for item in value if isinstance(value, list) else [value]:
            child = etree.SubElement(element, name)
            if isinstance(item, Mapping):
                _fill(child, item)
            else:
                child.text = _text(item)


def _text(value: Node) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNSPEAKABLE.sub("\ufffd", str(value))
