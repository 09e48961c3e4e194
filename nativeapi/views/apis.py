"""Commands as ``listApis`` shows them."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from nativeapi.declare import Length, View
from nativeapi.parameters import TEXT
from nativeapi.registry import Command, Parameter, bare, help_of, wire_name


class ApiParameterView(View, noun="params"):
    """A parameter of a command."""

    name: Annotated[str, "the parameter's name"]
    description: Annotated[str, "what it is for"]
    type: Annotated[str, "its type"]
    length: Annotated[int, "most characters of a text"]
    required: Annotated[bool, "whether it must be given"]
    since: Annotated[str | None, "the release in which it appeared"] = None


class ApiFieldView(View, noun="response"):
    """A field of a command's answer."""

    name: Annotated[str, "the field's name"]
    description: Annotated[str, "what it holds"]
    type: Annotated[str, "its type"]
    response: Annotated[tuple[View, ...] | None, "the fields of the objects in it"] = None


class ApiView(View, noun="api"):
    """A command."""

    name: Annotated[str, "the command's name"]
    description: Annotated[str, "what it does"]
    since: Annotated[str, "the release in which it appeared"]
    isasync: Annotated[bool, "whether it answers with a job"]
    related: Annotated[str, "other commands that show the same kind of object, parted by commas"]
    params: Annotated[tuple[ApiParameterView, ...], "its parameters"]
    response: Annotated[tuple[ApiFieldView, ...], "the fields of the object it shows"]


_SUCCESS = (ApiFieldView(name="success", description="true when it was done", type="boolean"),)
_TYPES = {bool: "boolean", int: "integer", float: "float", str: "string", datetime: "date"}


def api(entry: Command, offered: Mapping[str, Command]) -> ApiView:
    """A command among those that the caller may use."""
    view = entry.reply.view
    return ApiView(
        name=entry.name,
        description=entry.help,
        since=entry.since,
        isasync=entry.asynchronous,
        related=",".join(sorted(_related(entry, offered))),
        params=tuple(_parameter(parameter) for parameter in entry.parameters),
        response=_fields(view) if view else _SUCCESS,
    )


def _related(entry: Command, offered: Mapping[str, Command]) -> list[str]:
    return [
        other.name
        for other in offered.values()
        if entry.reply.view and other.reply.view is entry.reply.view and other is not entry
    ]


def _parameter(parameter: Parameter) -> ApiParameterView:
    return ApiParameterView(
        name=parameter.wire,
        description=parameter.help,
        type=str(parameter.kind),
        length=(parameter.limit(Length) or TEXT).most,
        required=parameter.required,
        since=parameter.since,
    )


def _fields(view: type[View]) -> tuple[ApiFieldView, ...]:
    hints = get_type_hints(view, include_extras=True)
    return tuple(_field(field.name, hints[field.name]) for field in fields(view))


def _field(name: str, annotation: Any) -> ApiFieldView:
    basic, _words = bare(annotation)
    many = get_origin(basic) is tuple
    inner, _words = bare(get_args(basic)[0]) if many else (basic, ())
    nested = isinstance(inner, type) and issubclass(inner, View)
    return ApiFieldView(
        name=wire_name(name, annotation),
        description=help_of(annotation),
        type="list" if many else "responseobject" if nested else _TYPES.get(basic, "map"),
        response=_fields(inner) if nested else None,
    )
