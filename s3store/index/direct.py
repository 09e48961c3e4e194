"""Statements that every request makes: written in SQLAlchemy, sent to SQLite as they are.

SQLAlchemy takes ten times as long around such a statement as SQLite takes for it. So it is compiled
once, and from then on only the driver is between us and the answer. Any other database gets it from
SQLAlchemy, as it gets everything else.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Select, UpdateBase
from sqlalchemy.dialects import sqlite

_DIALECT = sqlite.dialect(paramstyle="qmark")
_Process = Callable[[Any], Any]


class Statement:
    """One of a few that live as long as the program; every value in it is bound by its name."""

    def __init__(self, statement: Select[*tuple[Any, ...]] | UpdateBase) -> None:
        """Take a query, no two columns of which have one name, or a change of rows."""
        self._statement = statement

    def one(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The row that a query finds, with its columns as attributes; None when there is none.

        Args:
            connection: it is asked as it is: in its transaction if one was begun.
        """
        if not _is_sqlite(connection):
            return connection.execute(self._statement, values).one_or_none()
        found = _driver(connection).execute(self._text, self._given(values)).fetchall()
        return self._spelled(found[0]) if found else None

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Change rows; returns how many."""
        if not _is_sqlite(connection):
            return connection.execute(self._statement, values).rowcount
        changed: int = _driver(connection).execute(self._text, self._given(values)).rowcount
        return changed

    # -- what is made of it once -----------------------------------------------------------------

    @cached_property
    def _compiled(self) -> Any:
        return self._statement.compile(dialect=_DIALECT)

    @cached_property
    def _text(self) -> str:
        return str(self._compiled.string)

    @cached_property
    def _fixed(self) -> dict[str, Any]:
        """The values that the statement brings along."""
        return {name: value for name, value in self._compiled.params.items() if value is not None}

    @cached_property
    def _order(self) -> list[tuple[str, _Process | None]]:
        """The values in the order they are sent, each with what SQLAlchemy would do to it."""
        binds = self._compiled.binds
        return [(n, _on_the_way_in(binds[n].type)) for n in self._compiled.positiontup]

    @cached_property
    def _row(self) -> tuple[Callable[..., Any], list[tuple[int, Any]]]:
        """What a row becomes, and what SQLAlchemy would do to some of its columns."""
        columns = self._statement.selected_columns if isinstance(self._statement, Select) else ()
        processes = [column.type.result_processor(_DIALECT, None) for column in columns]
        doing = [(at, process) for at, process in enumerate(processes) if process]
        return _named([str(column.key) for column in columns]), doing

    def _given(self, values: Mapping[str, Any]) -> Sequence[Any]:
        given = {**self._fixed, **values} if self._fixed else values
        return [given[name] if do is None else do(given[name]) for name, do in self._order]

    def _spelled(self, found: Sequence[Any]) -> Any:
        make, processes = self._row
        row = list(found)
        for at, process in processes:
            row[at] = process(row[at])
        return make(*row)


def savepoint(connection: Connection) -> None:
    """Mark the place in a transaction on SQLite that :func:`undo` goes back to."""
    _driver(connection).execute("SAVEPOINT change")


def release(connection: Connection) -> None:
    """Keep what was done since :func:`savepoint`."""
    _driver(connection).execute("RELEASE change")


def undo(connection: Connection) -> None:
    """Take back what was done since :func:`savepoint`."""
    driver = _driver(connection)
    driver.execute("ROLLBACK TO change")
    driver.execute("RELEASE change")


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _on_the_way_in(type_: Any) -> _Process | None:
    process: _Process | None = type_.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return process


def _named(names: list[str]) -> Any:
    return namedtuple("Row", names)
