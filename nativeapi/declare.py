"""The words in which a command is declared.

A command is a class: its fields are the parameters, its docstring the help, and the return
annotation of ``run`` says what kind of answer it gives::

    volume: Annotated[Owned[Volume], Wire("id"), "the volume to attach"]
    device: Annotated[int | None, Range(1, 25), "slot; the first free one when absent"] = None

    def run(self, call: Call) -> Job[VolumeView]: ...

Everything about a field stands in its ``Annotated``: the help text (a plain string) and the words
of this page. Nothing here does anything; :mod:`nativeapi.registry` reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Annotated, ClassVar, Generic, TypeVar, dataclass_transform

Row = TypeVar("Row")


class Role(IntEnum):
    """Who calls. A role may do what the ones below it may; a service only what names services."""

    SERVICE = 0
    USER = 1
    DOMAIN_ADMIN = 2
    ADMIN = 3


class Access(Enum):
    """What a caller must be to an object to name it in a parameter."""

    OWNED = "owned"
    VISIBLE = "visible"


# ``Owned[Volume]`` is a volume of the caller (or of those below it, for administrators);
# ``Visible[Zone]`` is one the caller can see without owning it: zones, offerings, public images.
# Dispatch fetches the row and refuses a stranger's exactly as one that does not exist.
Owned = Annotated[Row, Access.OWNED]
Visible = Annotated[Row, Access.VISIBLE]

# One entry of a map parameter: ``x[0].key=k&x[0].value=v`` is one ``{"key": "k", "value": "v"}``.
Entry = Mapping[str, str]


@dataclass(frozen=True)
class Wire:
    """The name on the wire, where it is not the field's name without underscores."""

    name: str


@dataclass(frozen=True)
class Range:
    """Lowest and highest value of a number, both allowed; None is no limit on that side."""

    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Length:
    """Least and most characters of a text. Where ``least`` is 0 an empty value is kept as such."""

    least: int
    most: int


@dataclass(frozen=True)
class Choices:
    """The only texts accepted, in any case; the command sees them as they are spelt here."""

    values: tuple[str, ...]

    def __init__(self, *values: str) -> None:
        object.__setattr__(self, "values", values)


@dataclass(frozen=True)
class Pattern:
    """A regular expression that a text must match as a whole, and what it means in words."""

    regex: str
    words: str


@dataclass(frozen=True)
class Fields:
    """The fields that an entry of a map parameter may have."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


@dataclass(frozen=True)
class Blank:
    """A text that stands for "not given" in old clients, such as ``-1`` for all zones."""

    text: str


@dataclass(frozen=True)
class Since:
    """The release in which a parameter appeared, where that is later than its command."""

    release: str


@dataclass_transform(kw_only_default=True, frozen_default=True)
@dataclass(frozen=True)
class View:
    """An object as it goes over the wire: a frozen dataclass with a help text on every field.

    Fields are written in the order they are declared and left out when None. ``noun`` is the key
    under which the object stands in an answer::

        class VolumeView(View, noun="volume"):
            id: Annotated[str, "the id of the volume"]
    """

    noun: ClassVar[str]

    def __init_subclass__(cls, *, noun: str) -> None:
        super().__init_subclass__()
        cls.noun = noun
        dataclass(frozen=True, kw_only=True)(cls)


Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Page(Generic[Seen]):
    """A list answer: the rows of this page, and how many match in all."""

    rows: Sequence[Seen]
    total: int


@dataclass(frozen=True)
class Done:
    """The answer of a command that has nothing to show but that it was done."""


@dataclass(frozen=True)
class Job(Generic[Seen]):
    """Work has been started and goes on by itself.

    ``id`` is the job's; ``created`` the id of the object being made, which only commands that
    create one give. What the job will show in the end is the view in brackets, built from the
    object as it is when the client asks for the result.
    """

    id: str
    created: str | None = None
