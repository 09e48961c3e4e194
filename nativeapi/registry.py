"""The registry of commands: what the declarations say, read off once.

Why a registry and not a table of routes: dispatch, validation, ``listApis``, the role table, the
typed stubs of other programs and the tests all need the same facts about a command. They are
written once, in the class that runs it (see :mod:`nativeapi.declare` for the words), and read here
into plain data when the class is defined. A declaration that says something impossible fails at
import, not at the first request.

``load()`` imports every room of :mod:`nativeapi.commands`, so a new command is one new class in the
room of its noun and nothing else.
"""

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from datetime import date, datetime
from enum import Enum, StrEnum
from importlib import import_module
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from nativeapi.declare import (
    Access,
    Blank,
    Choices,
    Done,
    Fields,
    Job,
    Length,
    Page,
    Pattern,
    Range,
    Role,
    Since,
    View,
    Wire,
)

Limit = Range | Length | Choices | Pattern | Fields | Blank
Word = TypeVar("Word", Range, Length, Choices, Pattern, Fields, Blank)
_LONG = 2**31


class Kind(StrEnum):
    """What a parameter is on the wire, in the words of ``listApis``."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    LONG = "long"
    STRING = "string"
    UUID = "uuid"
    DATE = "date"
    MOMENT = "tzdate"
    LIST = "list"
    MAP = "map"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a command.

    ``row`` is the kind of object it names, for references; ``item`` what a list is made of.
    ``choices`` of a field typed with a ``StrEnum`` are the enum's values.
    """

    field: str
    wire: str
    help: str
    kind: Kind
    item: Kind | None
    required: bool
    row: type[Any] | None
    access: Access | None
    enum: type[StrEnum] | None
    limits: tuple[Limit, ...]
    since: str | None

    def limit(self, word: type[Word]) -> Word | None:
        """The limit of this sort that was declared, if any."""
        return next((x for x in self.limits if isinstance(x, word)), None)


class Form(Enum):
    """The shape of an answer."""

    PAGE = "list"
    OBJECT = "object"
    DONE = "success"
    JOB = "job"


@dataclass(frozen=True)
class Reply:
    """What a command answers with. ``view`` is None for plain success, also of a job."""

    form: Form
    view: type[View] | None


@dataclass(frozen=True)
class Command:
    """One command of the native API, as declared.

    ``envelope`` is the outermost key of the answer and ``key`` the object's key within it (empty:
    the object's fields stand in the envelope itself). ``reads`` commands run in a transaction that
    cannot change anything. ``service`` marks what the gateway's own key may call.
    """

    name: str
    help: str
    role: Role
    service: bool
    since: str
    envelope: str
    key: str
    reads: bool
    parameters: tuple[Parameter, ...]
    reply: Reply
    factory: type[Any]

    def allows(self, role: Role) -> bool:
        """Whether a caller of this role may call it."""
        return role >= self.role or (self.service and role is Role.SERVICE)

    @property
    def asynchronous(self) -> bool:
        """Whether it answers with a job."""
        return self.reply.form is Form.JOB


COMMANDS: dict[str, Command] = {}
Declared = TypeVar("Declared")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def command(
    name: str,
    *,
    role: Role,
    since: str,
    service: bool = False,
    reads: bool | None = None,
    envelope: str | None = None,
    key: str | None = None,
) -> Callable[[type[Declared]], type[Declared]]:
    """Declare a command of the native API.

    Args:
        name: verbNoun on the wire; its case matters.
        role: the least role that may call it.
        since: the release of Pileus in which it appeared.
        service: the gateway's service key may call it too.
        reads: it changes nothing. Commands called ``list…`` read unless told otherwise.
        envelope: the answer's outermost key, where it is not the lower-case name + ``response``.
        key: the object's key in the answer, where it is not the view's noun.
    """

    def declare(cls: type[Declared]) -> type[Declared]:
        made = dataclass(frozen=True, kw_only=True)(cls)
        if name in COMMANDS:
            raise TypeError(f"the command {name} is declared twice")
        reply = reply_of(made)
        COMMANDS[name] = Command(
            name=name,
            help=docstring_of(made),
            role=role,
            service=service,
            since=since,
            envelope=envelope or f"{name.lower()}response",
            key=_key(reply) if key is None else key,
            reads=name.startswith("list") if reads is None else reads,
            parameters=parameters_of(made),
            reply=reply,
            factory=made,
        )
        return made

    return declare


def load() -> Mapping[str, Command]:
    """All commands, by name."""
    package = import_module("nativeapi.commands")
    for room in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{room.name}")
    return COMMANDS


def help_of(annotation: Any) -> str:
    """The help text in an annotation; empty when there is none."""
    words = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((word for word in words if isinstance(word, str)), "")


def wire_name(field: str, annotation: Any) -> str:
    """The name of a parameter, or of a field of a view, on the wire."""
    words = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((word.name for word in words if isinstance(word, Wire)), field.replace("_", ""))


def docstring_of(cls: type[Any]) -> str:
    """The first paragraph of a command's docstring."""
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    if not text or text.startswith(f"{cls.__name__}("):
        raise TypeError(f"{cls.__name__} has no docstring")
    return text.split("\n\n", 1)[0].replace("\n", " ")


def reply_of(cls: type[Any]) -> Reply:
    """What the return annotation of a command's ``run`` says."""
    said = get_type_hints(cls.run)["return"]
    if said is Done:
        return Reply(Form.DONE, None)
    origin, arguments = get_origin(said), get_args(said)
    if origin in (Page, Job):
        [shown] = arguments
        form = Form.PAGE if origin is Page else Form.JOB
        return Reply(form, None if shown is Done else _view(cls, shown))
    return Reply(Form.OBJECT, _view(cls, said))


def _view(cls: type[Any], shown: Any) -> type[View]:
    if not (isinstance(shown, type) and issubclass(shown, View)):
        raise TypeError(f"{cls.__name__}.run must return a View, Page, Job or Done")
    return shown


def _key(reply: Reply) -> str:
    return reply.view.noun if reply.view else ""


def parameters_of(cls: type[Any]) -> tuple[Parameter, ...]:
    """What the fields of a command say."""
    hints = get_type_hints(cls, include_extras=True)
    found = tuple(_parameter(cls, field, hints[field.name]) for field in fields(cls))
    names = [parameter.wire for parameter in found]
    if len(set(names)) != len(names):
        raise TypeError(f"{cls.__name__} has two parameters of one wire name")
    return found


def _parameter(cls: type[Any], field: "Field[Any]", annotation: Any) -> Parameter:
    said = help_of(annotation)
    if not said:
        raise TypeError(f"{cls.__name__}.{field.name} has no help text")
    kind, words = bare(annotation)
    item, words = _item(kind, words)
    limits = tuple(word for word in words if isinstance(word, Limit))
    what = _kind(item or kind, words, limits)
    access = next((word for word in words if isinstance(word, Access)), None)
    basic = item or kind
    return Parameter(
        field=field.name,
        wire=wire_name(field.name, annotation),
        help=said,
        kind=_container(item, what),
        item=what if item else None,
        required=field.default is MISSING and field.default_factory is MISSING,
        row=basic if access else None,
        access=access,
        enum=basic if isinstance(basic, type) and issubclass(basic, StrEnum) else None,
        limits=limits,
        since=next((word.release for word in words if isinstance(word, Since)), None),
    )


def _container(item: Any, what: Kind) -> Kind:
    if item is None:
        return what
    return Kind.MAP if what is Kind.MAP else Kind.LIST


def _item(kind: Any, words: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """What a list parameter (``tuple[X, ...]``) is made of, and all words said about it."""
    if get_origin(kind) is not tuple:
        return None, words
    inner, more = bare(get_args(kind)[0])
    return inner, (*words, *more)


def bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The bare type and every word around it, through ``Annotated`` and ``| None``."""
    words: tuple[Any, ...] = ()
    while get_origin(annotation) in (Annotated, Union, UnionType):
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            words = (*words, *more)
        else:
            [annotation] = [x for x in get_args(annotation) if x is not NoneType]
    return annotation, words


def _kind(basic: Any, words: tuple[Any, ...], limits: tuple[Limit, ...]) -> Kind:
    if any(isinstance(word, Access) for word in words):
        return Kind.UUID
    if basic is int:
        high = next((x.high for x in limits if isinstance(x, Range) and x.high), 0)
        return Kind.LONG if high >= _LONG else Kind.INTEGER
    if isinstance(basic, type) and issubclass(basic, StrEnum):
        return Kind.STRING
    if get_origin(basic) is not None:
        return Kind.MAP
    return _PLAIN[basic]


_PLAIN = {bool: Kind.BOOLEAN, str: Kind.STRING, date: Kind.DATE, datetime: Kind.MOMENT}
