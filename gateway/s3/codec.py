"""Requests to dicts and dicts to replies, for every operation alike, from botocore's model.

Members are named as in the model and hold text, ``int``, ``bool``, lists and dicts. Text of headers
is UTF-8; bytes that are not come as surrogate escapes and go out as they came. Timestamps come as
the text that was sent, since S3 keeps some of them verbatim and ignores others it cannot read;
going out, a ``datetime`` is spelled as the model asks and text is left alone.

XML is written directly and not through lxml, because keys may hold control characters, for which
S3 sends character references that XML 1.0 has no right to and lxml refuses to write.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape
from lxml import etree

from gateway.s3.faults import S3Fault
from gateway.s3.model import NAMESPACE
from gateway.s3.target import Target

Members = dict[str, Any]
Headers = list[tuple[str, str]]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_UNSAFE = re.compile("[&<>\"'\x00-\x08\x0b-\x1f\x7f]")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


# -- requests --------------------------------------------------------------------------------------


def decode(operation: OperationModel, target: Target, headers: Mapping[str, str]) -> Members:
    """Everything of a request but its body.

    Args:
        headers: by lower-case name, as WSGI spells them.

    Raises:
        S3Fault: InvalidArgument.
    """
    members: Members = {}
    shape = operation.input_shape
    for name, member in shape.members.items() if shape else ():
        location, wire = member.serialization.get("location"), member.serialization.get("name", "")
        if location == "uri":
            members[name] = target.bucket if wire == "Bucket" else target.key
        elif location == "querystring" and wire in target.query:
            members[name] = _scalar(member, wire, target.query[wire])
        elif location == "header" and wire.lower() in headers:
            members[name] = _scalar(member, wire, text(headers[wire.lower()]))
        elif location == "headers" and (found := _prefixed(wire.lower(), headers)):
            members[name] = found
    return members


def document(shape: Shape, root: str, body: bytes) -> Members:
    """A request's XML document as the model's structure.

    Raises:
        S3Fault: MalformedXML, also for a document type, for elements the model does not have, and
            for required ones that are absent.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    try:
        element = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        raise S3Fault("MalformedXML") from None
    tree = element.getroottree()
    if tree.docinfo.internalDTD is not None or _name(element) != root:
        raise S3Fault("MalformedXML")
    value: Members = _parse(shape, element)
    return value


def text(header: str) -> str:
    """A header's value, which WSGI spells in Latin-1, as the UTF-8 it most likely is."""
    return header.encode("latin-1").decode("utf-8", "surrogateescape")


def _prefixed(prefix: str, headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name[len(prefix) :]: text(value)
        for name, value in headers.items()
        if name.startswith(prefix)
    }


def _scalar(shape: Shape, wire: str, value: str) -> Any:
    try:
        return _plain(shape, value)
    except ValueError:
        extras = {"ArgumentName": wire, "ArgumentValue": value}
        what = "an integer" if shape.type_name in ("integer", "long") else "true or false"
        raise S3Fault("InvalidArgument", f"Provided {wire} not {what}", extras) from None


def _plain(shape: Shape, value: str) -> Any:
    if isinstance(shape, ListShape):
        return [_plain(shape.member, part.strip()) for part in value.split(",")]
    if shape.type_name in ("integer", "long"):
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise ValueError(value)
        return int(value)
    if shape.type_name == "boolean":
        if value.lower() not in ("true", "false"):
            raise ValueError(value)
        return value.lower() == "true"
    return value


def _parse(shape: Shape, element: Any) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, element)
    if len(element):
        raise S3Fault("MalformedXML")
    try:
        value = element.text or ""
        return _plain(shape, value if shape.type_name == "string" else value.strip())
    except ValueError:
        raise S3Fault("MalformedXML") from None


def _structure(shape: StructureShape, element: Any) -> Members:
    by_wire = {_wire(member, name): name for name, member in shape.members.items()}
    found: Members = {}
    for child in element:
        name = by_wire.get(_name(child))
        if name is None:
            raise S3Fault("MalformedXML")
        member = shape.members[name]
        if not isinstance(member, ListShape):
            found[name] = _parse(member, child)
        elif member.serialization.get("flattened"):
            found.setdefault(name, []).append(_parse(member.member, child))
        else:
            found[name] = [_parse(member.member, item) for item in child]
    if any(name not in found for name in shape.required_members):
        raise S3Fault("MalformedXML")
    return found


def _name(element: Any) -> str:
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


# -- replies ---------------------------------------------------------------------------------------


def headers_of(operation: OperationModel, members: Mapping[str, Any]) -> Headers:
    """The members of a reply that travel as headers."""
    found: Headers = []
    shape = operation.output_shape
    for name, member in shape.members.items() if shape else ():
        value, location = members.get(name), member.serialization.get("location")
        if value is None:
            continue
        if location == "header":
            found.append((member.serialization["name"], header(_spell(member, value, "rfc822"))))
        elif location == "headers":
            prefix = member.serialization["name"]
            found += [(prefix + key, header(content)) for key, content in value.items()]
    return found


def header(value: str) -> str:
    """Text as WSGI wants it in a header.

    Raises:
        S3Fault: InvalidArgument, for control characters: they would end the header.
    """
    if _CONTROLS.search(value):
        raise S3Fault("InvalidArgument", "A header cannot hold control characters.")
    return value.encode("utf-8", "surrogateescape").decode("latin-1")


def body_of(operation: OperationModel, members: Mapping[str, Any], root: str | None) -> bytes:
    """The document of a reply; empty for operations without one.

    Args:
        root: name of the document's element where the model names none; a member's name makes that
            member the document.
    """
    shape = operation.output_shape
    if shape is None or root is None:
        return b""
    whole: Shape = shape
    content: Any = members
    if root in shape.members:
        whole, content = shape.members[root], members.get(root)
    inner = "".join(_render(whole, content))
    return (
        f'{DECLARATION}<{root} xmlns="{NAMESPACE}">{inner}</{root}>'
    ).encode("utf-8", "surrogateescape")  # fmt: skip


def _render(shape: Shape, value: Any) -> Iterator[str]:
    if not isinstance(shape, StructureShape):
        yield escape(_spell(shape, value, "iso8601")) if value is not None else ""
        return
    for name, member in shape.members.items():
        if value.get(name) is None or "location" in member.serialization:
            continue
        wire = _wire(member, name)
        if not isinstance(member, ListShape):
            yield from _element(wire, member, value[name])
        elif member.serialization.get("flattened"):
            for item in value[name]:
                yield from _element(wire, member.member, item)
        else:
            inner = member.member.serialization.get("name", "member")
            yield f"<{wire}>"
            for item in value[name]:
                yield from _element(inner, member.member, item)
            yield f"</{wire}>"


def _element(wire: str, shape: Shape, value: Any) -> Iterator[str]:
    yield f"<{wire}>"
    yield from _render(shape, value)
    yield f"</{wire}>"


def _wire(shape: Shape, name: str) -> str:
    """A member's element name: a flattened list may carry it on its items."""
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        name = shape.member.serialization.get("name", name)
    return str(shape.serialization.get("name", name))


def _spell(shape: Shape, value: Any, times: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        style = shape.serialization.get("timestampFormat", times)
        moment = value.astimezone(UTC)
        if style == "iso8601":
            return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return format_datetime(moment, usegmt=True)
    return str(value)


def escape(value: str) -> str:
    """Text for an XML element."""
    return _UNSAFE.sub(lambda found: _NAMED.get(found[0]) or f"&#{ord(found[0])};", value)
