"""Dataclasses of the ports page to text and back, so that a world can be kept in a file.

Encoding looks at the value, decoding at the declared type. A decoder is put together once per type
and then only called. ``Any`` ends here: what comes out is what the type says.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from types import MappingProxyType, NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

# Types whose constructor takes the text back.
_TEXTS = (IPv4Address, IPv4Network, StrEnum)
# How a value is written that is neither JSON itself nor a dataclass (which is its fields).
_PLAIN: Mapping[type, Callable[[Any], object]] = {
    IPv4Address: str,
    IPv4Network: str,
    bytes: lambda value: b64encode(value).decode(),
    frozenset: sorted,
    MappingProxyType: dict,
}


def _plain(value: object) -> object:
    return _PLAIN.get(type(value), vars)(value)


_ENCODER = json.JSONEncoder(default=_plain, sort_keys=True, separators=(",", ":"))


def encode(value: object) -> str:
    """The value as JSON text; the same value always gives the same text."""
    return _ENCODER.encode(value)


def decode(kind: object, text: str) -> Any:
    """The value of type ``kind`` that :func:`encode` made into this text."""
    return _decoder(kind)(json.loads(text))


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    if is_dataclass(kind) and isinstance(kind, type):
        return _dataclass_decoder(kind)
    if isinstance(kind, type) and issubclass(kind, _TEXTS):
        return kind
    if kind is bytes:
        return b64decode
    if kind in (str, int, bool):
        return _itself
    return _composed_decoder(get_origin(kind), get_args(kind))


def _composed_decoder(origin: Any, parts: tuple[Any, ...]) -> Callable[[Any], Any]:
    if origin is UnionType:
        (part,) = (_decoder(part) for part in parts if part is not NoneType)
        return lambda raw: None if raw is None else part(raw)
    if origin in (tuple, frozenset):
        item = _decoder(parts[0])
        return lambda raw: origin(map(item, raw))
    if origin is Mapping:
        item = _decoder(parts[1])
        return lambda raw: {key: item(each) for key, each in raw.items()}
    raise TypeError(f"a world keeps no {origin or parts}")


def _dataclass_decoder(kind: type) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    parts = [(each.name, _decoder(hints[each.name])) for each in fields(kind)]
    return lambda raw: kind(**{name: part(raw[name]) for name, part in parts})


def _itself(raw: Any) -> Any:
    return raw
