"""What the sweep asks: which files are under way, and which belong to nothing."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select

from s3store.index import rows
from s3store.tables import ArrivalRow, PartRow, VersionRow


def unfinished(connection: Connection, before: datetime) -> list[str]:
    """Files announced before a time that have not come."""
    query = select(ArrivalRow.id).where(ArrivalRow.started < rows.stamp(before))
    return list(connection.scalars(query))


def abandon(connection: Connection, name: str) -> bool:
    """Give a file under way up; False when it has come, so that it must stay."""
    connection.execute(delete(ArrivalRow).where(ArrivalRow.id == name))
    return not known(connection, [name])


def known(connection: Connection, names: Collection[str]) -> set[str]:
    """Which of these files belong to something.

    Those under way are looked for first: one that comes meanwhile is then found where it came to.
    """
    found: set[str] = set()
    for query in (
        select(ArrivalRow.id).where(ArrivalRow.id.in_(names)),
        select(PartRow.id).where(PartRow.id.in_(names)),
        select(VersionRow.id).where(VersionRow.id.in_(names), VersionRow.place == "file"),
    ):
        found |= set(connection.scalars(query))
    return found
