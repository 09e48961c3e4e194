"""What an operation answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO


@dataclass(frozen=True)
class Slice:
    """Part of an open file: from ``start``, ``length`` bytes. Whoever sends it closes it."""

    file: BinaryIO
    start: int
    length: int


@dataclass(frozen=True)
class Reply:
    """An answer in the model's words.

    Args:
        members: by the model's names.
        status: the model's own when None.
        body: the content of an object, sent as it lies in its file.
    """

    members: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = None
    body: Slice | None = None
