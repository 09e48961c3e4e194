"""EC2 Query ⇄ plain dicts, for every operation, from botocore's shipped model.

Botocore ships the service model that AWS's own SDKs are generated from: every operation's input and
output as a tree of *shapes* (structure, list, string …) with wire names on them. So there is no
code per operation here, and none to drift. Each shape is compiled once, on first use, into a
closure; serialising then costs about one string concatenation per element.

Parameters are flat (``Filter.1.Value.2=x``). They are first folded into a tree along the dots, then
read along the shape: lists are ``Name.N`` without a ``member`` part, in the order of N, gaps
allowed. Whatever the shape does not know is refused by name. An empty value means that the
parameter was not given; old clients send such.

Values in the dicts are what botocore's own client takes and gives: str, int, float, bool, aware
datetimes, bytes. In replies None means no element at all, an empty list an empty element.
"""

import base64
import binascii
import functools
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import botocore.loaders
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from gateway.ec2.faults import Ec2Fault, bad_value

API = "2016-11-15"
Reader = Callable[[Any, str], Any]
Writer = Callable[[Any, list[str]], None]

_DEEPEST = 16
_INTEGER = re.compile(r"-?\d{1,19}\Z", re.ASCII)
_INDEX = re.compile(r"\d{1,6}\Z", re.ASCII)
_AWKWARD = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


@functools.cache
def model() -> ServiceModel:
    """The EC2 service model; about 0.3 s and 50 MB, once a process."""
    return ServiceModel(
        botocore.loaders.Loader().load_service_model("ec2", "service-2", API), "ec2"
    )


def operation(name: str) -> OperationModel | None:
    """An operation of the model, or None."""
    return model().operation_model(name) if name in model().operation_names else None


# -- parameters to dict ------------------------------------------------------------------------


def parse(of: OperationModel, params: Mapping[str, str]) -> dict[str, Any]:
    """Read an operation's parameters; common ones (Action, Signature …) are already taken out.

    Raises:
        Ec2Fault: UnknownParameter, InvalidParameterValue and the like, naming the parameter.
    """
    tree: dict[str, Any] = {}
    for name, value in params.items():
        if value:
            _fold(tree, name, value)
    if of.input_shape is None:
        return dict(_structure_reader({})(tree, ""))
    return dict(_reader(of.input_shape)(tree, ""))


def parameter(of: OperationModel, member: str) -> str:
    """The name under which a member of an operation's input travels."""
    shape = of.input_shape
    found = shape.members.get(member) if isinstance(shape, StructureShape) else None
    return _wire_name(found, member) if found else member


def _wire_name(shape: Shape, member: str) -> str:
    """The name under which a member of an input travels."""
    said = shape.serialization
    if "queryName" in said:
        return str(said["queryName"])
    name = str(said.get("name", member))
    return name[0].upper() + name[1:]


def _fold(tree: dict[str, Any], name: str, value: str) -> None:
    *path, leaf = name.split(".")
    if len(path) > _DEEPEST:
        raise _unknown(name)
    for part in path:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise _unknown(name)
    if leaf in tree:
        raise _unknown(name)
    tree[leaf] = value


@functools.cache
def _reader(shape: Shape) -> Reader:
    if isinstance(shape, StructureShape):
        return _structure_reader(
            {_wire_name(inner, name): (name, inner) for name, inner in shape.members.items()}
        )
    if isinstance(shape, ListShape):
        return _list_reader(shape.member)
    return _scalar_reader(_SCALARS[shape.type_name])


def _structure_reader(members: Mapping[str, tuple[str, Shape]]) -> Reader:
    def read(node: Any, path: str) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise bad_value(path, node, "It is a structure: use its members.")
        found = {}
        for wire, below in node.items():
            here = f"{path}.{wire}" if path else wire
            if wire not in members:
                raise _unknown(here)
            name, shape = members[wire]
            found[name] = _reader(shape)(below, here)
        return found

    return read


def _list_reader(member: Shape) -> Reader:
    def read(node: Any, path: str) -> list[Any]:
        if not isinstance(node, dict):
            raise bad_value(path, node, f"It is a list: use {path}.1 and so on.")
        for index in node:
            if not _INDEX.match(index):
                raise _unknown(f"{path}.{index}")
        each = _reader(member)
        return [each(node[index], f"{path}.{index}") for index in sorted(node, key=int)]

    return read


def _scalar_reader(convert: Callable[[str], Any]) -> Reader:
    def read(node: Any, path: str) -> Any:
        if isinstance(node, dict):
            raise _unknown(f"{path}.{next(iter(node))}")
        try:
            return convert(node)
        except (ValueError, KeyError, OverflowError, binascii.Error):
            raise bad_value(path, node, _EXPECTED[convert]) from None

    return read


def _integer(text: str) -> int:
    if not _INTEGER.match(text):
        raise ValueError(text)
    return int(text)


def _boolean(text: str) -> bool:
    return _TRUTH[text.lower()]


def _moment(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _blob(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)


_SCALARS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": _integer,
    "long": _integer,
    "boolean": _boolean,
    "double": float,
    "float": float,
    "timestamp": _moment,
    "blob": _blob,
}
_EXPECTED: dict[Callable[[str], Any], str] = {
    _integer: "It must be a whole number.",
    _boolean: "It must be true or false.",
    float: "It must be a number.",
    _moment: "It must be a time like 2016-11-15T12:00:00Z.",
    _blob: "It must be base64.",
}


def _unknown(name: str) -> Ec2Fault:
    return Ec2Fault("UnknownParameter", f"The parameter {name} is not recognized.")


# -- dict to XML ---------------------------------------------------------------------------------


def render(of: OperationModel, reply: Mapping[str, Any], version: str, request_id: str) -> str:
    """The answer document of an operation, in the namespace of the version asked for.

    Every operation whose model says nothing of the kind has ``<return>true</return>`` on the wire:
    it is the only content of most, and what old clients read as the result.
    """
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<{of.name}Response xmlns="http://ec2.amazonaws.com/doc/{version}/">',
        f"<requestId>{request_id}</requestId>",
    ]
    if of.output_shape is None or of.name in _ALSO_RETURN:
        out.append("<return>true</return>")
    if of.output_shape is not None:
        _writer(of.output_shape)(reply, out)
    elif reply:
        raise TypeError(f"{of.name} has no output, but the reply is {sorted(reply)}")
    out.append(f"</{of.name}Response>")
    return "".join(out)


_ALSO_RETURN = frozenset(("AssociateAddress", "CreateSecurityGroup"))


@functools.cache
def _writer(shape: Shape) -> Writer:
    """Writes the content of a shape, without an element around it."""
    if isinstance(shape, StructureShape):
        return _structure_writer(shape)
    if isinstance(shape, ListShape):
        return _list_writer(shape)
    text = _TEXTS[shape.type_name]
    return lambda value, out: out.append(text(value))


def _structure_writer(shape: StructureShape) -> Writer:
    """Members in the model's order. Most values of a shape have the very same members, of all that
    the model has, so what to write is worked out once for each set of them that comes along."""
    plans = dict[tuple[str, ...], list[tuple[str, Writer]]]()

    def write(value: Any, out: list[str]) -> None:
        names = tuple(value)
        if names not in plans:
            plans[names] = _plan(shape, names)
        for name, put in plans[names]:
            item = value[name]
            if item is not None:
                put(item, out)

    return write


def _plan(shape: StructureShape, names: tuple[str, ...]) -> list[tuple[str, Writer]]:
    unknown = set(names) - set(shape.members)
    if unknown:
        raise TypeError(f"{shape.name} has no {sorted(unknown)}")
    return [
        (name, _element(str(inner.serialization.get("name", name)), inner))
        for name, inner in shape.members.items()
        if name in names
    ]


def _list_writer(shape: ListShape) -> Writer:
    put = _element(str(shape.member.serialization.get("name", "item")), shape.member)

    def write(value: Any, out: list[str]) -> None:
        for item in value:
            put(item, out)

    return write


def _element(name: str, shape: Shape) -> Writer:
    """Writes a value as an element; compiled when first used, since shapes may nest in a circle."""
    start, end, empty = f"<{name}>", f"</{name}>", f"<{name}/>"
    if shape.type_name == "string":
        return _string_element(start, end)
    if shape.type_name in _TEXTS:
        text = _TEXTS[shape.type_name]
        return lambda value, out: out.append(f"{start}{text(value)}{end}")

    def write(value: Any, out: list[str]) -> None:
        if not value:
            out.append(empty)
            return
        out.append(start)
        _writer(shape)(value, out)
        out.append(end)

    return write


def _string_element(start: str, end: str) -> Writer:
    """Most of a document is plain text in elements, so this one spares a call."""
    awkward = _AWKWARD.search

    def write(value: str, out: list[str]) -> None:
        text = _string(value) if awkward(value) else value
        out.append(f"{start}{text}{end}")

    return write


def _string(value: str) -> str:
    return _UNSENDABLE.sub("?", escape(value, {"\r": "&#13;"}))


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_TEXTS: dict[str, Callable[[Any], str]] = {
    "string": _string,
    "integer": str,
    "long": str,
    "boolean": lambda value: "true" if value else "false",
    "double": repr,
    "float": repr,
    "timestamp": _time,
    "blob": lambda value: base64.b64encode(value).decode(),
}
