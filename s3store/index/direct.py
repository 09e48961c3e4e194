"""A query that every request makes, in SQLite's own words: sent as it is, its row read as it comes.

SQLAlchemy takes ten times as long around such a query as SQLite takes for it. So it is compiled
once, and from then on only the driver is between us and the answer.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Engine, Select


class Direct:
    """A query as text, and what makes of its row what SQLAlchemy would make of it."""

    def __init__(self, engine: Engine, query: Select[Any]) -> None:
        """Compile a query that selects columns, no two of one name."""
        compiled: Any = query.compile(engine)
        columns = list(query.selected_columns)
        self._text: str = compiled.string
        self._order: list[str] = compiled.positiontup
        self._fixed: dict[str, Any] = compiled.params
        self._row: Callable[..., Any] = _row([str(column.key) for column in columns])
        processors = [column.type.result_processor(engine.dialect, None) for column in columns]
        self._processors = [(at, each) for at, each in enumerate(processors) if each]

    def one(self, driver: Any, values: Mapping[str, Any]) -> Any:
        """The first row, with its columns as attributes; None when there is none."""
        given = {**self._fixed, **values}
        found = driver.execute(self._text, [given[name] for name in self._order]).fetchall()
        if not found:
            return None
        row = list(found[0])
        for at, process in self._processors:
            row[at] = process(row[at])
        return self._row(*row)


def _row(names: list[str]) -> Any:
    return namedtuple("Row", names)
