"""A value for every shape of the model, filled to its full depth."""

from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

MOMENT = datetime(2026, 11, 21, 5, 34, 8, tzinfo=UTC)


def sample(shape: Shape) -> Any:
    """A value of this shape; lists have two items."""
    if isinstance(shape, StructureShape):
        return {name: sample(member) for name, member in shape.members.items()}
    if isinstance(shape, ListShape):
        return [sample(shape.member), sample(shape.member)]
    if isinstance(shape, MapShape):
        return {"one": sample(shape.value), "two": sample(shape.value)}
    if isinstance(shape, StringShape):
        return shape.enum[0] if shape.enum else 'a<b>&"c" é'.strip()
    scalars = {"boolean": True, "timestamp": MOMENT, "blob": b"blob", "float": 1.5, "double": 1.5}
    return scalars.get(shape.type_name, 7)
