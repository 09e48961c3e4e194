"""Requests to dicts and dicts to replies, for every operation alike, from botocore's model.

Members are named as in the model and hold text, ``int``, ``bool``, lists and dicts. Text of headers
is UTF-8; bytes that are not come as surrogate escapes and go out as they came. Timestamps come as
the text that was sent, since S3 keeps some of them verbatim and ignores others it cannot read;
going out, a ``datetime`` is spelled as the model asks and text is left alone.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from lxml import etree

from gateway.s3.faults import S3Fault
from gateway.s3.protocol import markup, places
from gateway.s3.protocol.model import NAMESPACE
from gateway.s3.protocol.target import Target

Members = dict[str, Any]
Headers = list[tuple[str, str]]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_MOST_MARKS = 200_000
"""Tags in a request's document, and attributes: twice what ten thousand parts have that say all
they can. To read one takes far longer than to send it, and anyone may send it."""


# -- requests --------------------------------------------------------------------------------------


def decode(operation: OperationModel, target: Target, headers: Mapping[str, str]) -> Members:
    """Everything of a request but its body.

    Args:
        headers: by lower-case name, as WSGI spells them.

    Raises:
        S3Fault: InvalidArgument.
    """
    expected = places.incoming(operation)
    members: Members = {**expected.named(target)}
    for name, value in target.query.items():
        if place := expected.query.get(name):
            members[place.member] = _scalar(place.shape, place.wire, value)
    for name, value in headers.items():
        if place := expected.headers.get(name):
            members[place.member] = _scalar(place.shape, place.wire, text(value))
    for place in expected.prefixed:
        if found := _prefixed(place.wire.lower(), headers):
            members[place.member] = found
    return members


def document(shape: Shape, root: str, body: bytes) -> Any:
    """A request's document: XML as the model's structure, or text as it is.

    Raises:
        S3Fault: MalformedXML, also for a document type, for elements the model does not have, for
            more of them than can mean anything, and for required ones that are absent;
            MalformedPolicy, for what is no text.
    """
    if _is_text(shape):
        return _plain_text(body)
    if max(body.count(b"<"), body.count(b"=")) > _MOST_MARKS:
        raise S3Fault("MalformedXML")
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
    return _parse(shape, element)


def _is_text(shape: Shape) -> bool:
    return shape.type_name == "string"


def _plain_text(body: bytes) -> str:
    """Policies are the only documents that are no XML."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise S3Fault("MalformedPolicy", "Policies must be valid JSON in UTF-8") from None


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
    by_wire = _by_wire(shape)
    found: Members = {}
    for attribute, qualified in markup.attributes(shape):
        if qualified in element.attrib:
            found[attribute] = str(element.get(qualified))
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


@functools.lru_cache(1024)
def _by_wire(shape: StructureShape) -> Mapping[str, str]:
    """Member by element name; a document has many elements of one structure."""
    return {markup.name_of(member, name): name for name, member in shape.members.items()}


def _name(element: Any) -> str:
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


# -- replies ---------------------------------------------------------------------------------------


def headers_of(operation: OperationModel, members: Mapping[str, Any]) -> Headers:
    """The members of a reply that travel as headers."""
    found: Headers = []
    known = places.outgoing(operation)
    for name, value in members.items():
        place = known.get(name)
        if place is None or value is None:
            continue
        if isinstance(place.shape, MapShape):
            found += [(place.wire + key, header(content)) for key, content in value.items()]
        else:
            found.append((place.wire, header(markup.spell(place.shape, value, "rfc822"))))
    return found


def header(value: str) -> str:
    """Text as WSGI wants it in a header.

    Raises:
        S3Fault: InvalidArgument, for control characters: they would end the header.
    """
    if _CONTROLS.search(value):
        raise S3Fault("InvalidArgument", "A header cannot hold control characters.")
    return value.encode("utf-8", "surrogateescape").decode("latin-1")


def body_of(
    operation: OperationModel, members: Mapping[str, Any], root: str | None, *, mend: bool = True
) -> bytes:
    """The document of a reply; empty for operations without one.

    Args:
        root: name of the document's element where the model names none; a member's name makes that
            member the document.
        mend: whether characters that XML cannot hold are replaced.

    Raises:
        Unfit: there are such, and they are not.
    """
    shape = operation.output_shape
    if shape is None or root is None:
        return b""
    if _text_of(operation) == root:
        return str(members[root]).encode()
    whole: Shape = shape
    content: Any = members
    if root in shape.members:
        whole, content = shape.members[root], members.get(root)
    parts: list[str] = []
    markup.content(whole)(content, parts)
    inner = "".join(parts)
    if mend:
        inner = markup.mended(inner)
    else:
        markup.check_fit(inner)
    return (
        f'{DECLARATION}<{root} xmlns="{NAMESPACE}">{inner}</{root}>'
    ).encode("utf-8", "surrogateescape")  # fmt: skip


def type_of(operation: OperationModel) -> str:
    """The media type of the document of a reply."""
    return "application/json" if _text_of(operation) else "application/xml"


def _text_of(operation: OperationModel) -> str | None:
    """The member that the whole document is, as text."""
    shape = operation.output_shape
    name = shape.serialization.get("payload") if shape else None
    if shape is None or name is None or not _is_text(shape.members[name]):
        return None
    return str(name)
