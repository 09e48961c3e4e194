"""Nouns: how dispatch fetches the object a parameter names, and how an object becomes a view.

Each noun declares itself once, next to its view::

    noun(Volume, VolumeView, "volume", owned=volumes.find, views=volume_views)

so that dispatch and the job commands know no noun. ``owned`` and ``visible`` find a row by id
within a scope, or return None; ``views`` makes the views of many rows at once, in their order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from nativeapi.call import Call
from nativeapi.declare import Access, View
from nativeapi.registry import Command, Parameter
from orchestrator.faults import not_found
from orchestrator.resources.scope import Scope
from orchestrator.schema.session import Session

Row = TypeVar("Row")
Seen = TypeVar("Seen", bound=View)
Find = Callable[[Session, Scope, str], Row | None]


@dataclass(frozen=True)
class Noun:
    """A kind of object: its row, its view, and its name in refusals."""

    subject: str
    find: Mapping[Access, Find[Any]]
    views: Callable[[Call, Sequence[Any]], Sequence[View]] | None


_BY_ROW: dict[type[Any], Noun] = {}
_BY_VIEW: dict[type[View], Noun] = {}


def noun(
    row: type[Row],
    view: type[Seen] | None,
    subject: str,
    *,
    owned: Find[Row] | None = None,
    visible: Find[Row] | None = None,
    views: Callable[[Call, Sequence[Row]], Sequence[Seen]] | None = None,
) -> None:
    """Declare a noun."""
    given = {Access.OWNED: owned, Access.VISIBLE: visible}
    made = Noun(subject, {access: find for access, find in given.items() if find}, views)
    if row in _BY_ROW:
        raise TypeError(f"the noun {subject} is declared twice")
    _BY_ROW[row] = made
    if view:
        _BY_VIEW[view] = made


def known(row: type[Any], access: Access) -> bool:
    """Whether a noun has said how to fetch such an object."""
    return row in _BY_ROW and access in _BY_ROW[row].find


def fetch(call: Call, command: Command, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a command's fields with every id replaced by its row.

    Raises:
        Fault: ``not_found``, naming the parameter and the id; also for a stranger's object.
    """
    fetched = dict(values)
    for parameter in command.parameters:
        if parameter.access and parameter.field in values:
            value = values[parameter.field]
            fetched[parameter.field] = (
                tuple(_row(call, parameter, ident) for ident in value)
                if parameter.item
                else _row(call, parameter, value)
            )
    return fetched


def views_of(call: Call, view: type[View], idents: Iterable[str]) -> dict[str, View]:
    """The views of objects by their ids, without those that are gone (or never show themselves)."""
    found = _BY_VIEW.get(view)
    if found is None or found.views is None:
        return {}
    find = next(iter(found.find.values()))
    rows = {ident: find(call.db, call.scope, ident) for ident in dict.fromkeys(idents)}
    kept = {ident: row for ident, row in rows.items() if row is not None}
    return dict(zip(kept, found.views(call, list(kept.values())), strict=True))


def _row(call: Call, parameter: Parameter, ident: str) -> Any:
    if parameter.row is None or parameter.access is None:
        raise TypeError(f"{parameter.field} is no reference")
    kind = _BY_ROW[parameter.row]
    row = kind.find[parameter.access](call.db, call.scope, ident)
    if row is None:
        raise not_found(kind.subject, ident[:100], field=parameter.wire)
    return row
