"""Values for any shape of botocore's model, for tests over the whole of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

_DEEPEST = 12
_SCALARS: dict[str, Callable[[int], Any]] = {
    "string": lambda n: f"text <{n}> & é\n",
    "integer": lambda n: n,
    "long": lambda n: 2**40 + n,
    "boolean": lambda n: n % 2 == 0,
    "double": lambda n: n + 0.25,
    "float": lambda n: n + 0.5,
    "timestamp": lambda n: datetime(2026, 11, 21, 1, 2, n % 60, tzinfo=UTC),
    "blob": lambda n: b"\x00\xff" + str(n).encode(),
}


def value(shape: Shape, number: "count[int] | None" = None, depth: int = 0) -> Any:
    """A value with every member of a shape and two entries in every list."""
    number = number or count(1)
    if isinstance(shape, StructureShape):
        if depth > _DEEPEST:
            return {}
        return {
            name: value(inner, number, depth + 1)
            for name, inner in shape.members.items()
            if depth < _DEEPEST - 1 or inner.type_name in _SCALARS
        }
    if isinstance(shape, ListShape):
        if depth > _DEEPEST:
            return []
        return [value(shape.member, number, depth + 1) for _ in range(2)]
    return _SCALARS[shape.type_name](next(number))
