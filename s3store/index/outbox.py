"""Messages on their way out, and leases: who of many processes does what only one should do."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, exc, insert, select, update

from s3store.index import rows
from s3store.tables import LeaseRow, MessageRow
from s3store.witness import Message


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that has not been delivered.

    Args:
        created: when its change was made, UTC.
        tries: how often delivering it failed.
    """

    id: int
    target: str
    body: str
    created: datetime
    tries: int


def add(connection: Connection, messages: Iterable[Message], now: datetime) -> None:
    """Keep messages to be delivered at once."""
    stamp = rows.stamp(now)
    made = [
        {"target": each.target, "body": each.body, "created": stamp, "due": stamp, "tries": 0}
        for each in messages
    ]
    if made:
        connection.execute(insert(MessageRow), made)


def due(
    connection: Connection, now: datetime, resting: Collection[str], most: int
) -> list[Waiting]:
    """The oldest messages that are due, those for ``resting`` targets left out."""
    query = (
        select(MessageRow)
        .where(MessageRow.due <= rows.stamp(now), MessageRow.target.not_in(list(resting)))
        .order_by(MessageRow.id)
        .limit(most)
    )
    return [
        Waiting(row.id, row.target, row.body, rows.moment(row.created), row.tries)
        for row in connection.execute(query.with_only_columns(*MessageRow.__table__.columns))
    ]


def forget(connection: Connection, ids: Collection[int]) -> None:
    """Messages that were delivered, or given up."""
    connection.execute(delete(MessageRow).where(MessageRow.id.in_(list(ids))))


def postpone(connection: Connection, message: Waiting, until: datetime) -> None:
    """Try a message again later."""
    values = {"tries": message.tries + 1, "due": rows.stamp(until)}
    connection.execute(update(MessageRow).where(MessageRow.id == message.id).values(values))


def lease(connection: Connection, name: str, holder: str, now: datetime, until: datetime) -> bool:
    """Take a lease or prolong one's own; False while somebody else's lasts."""
    mine = (LeaseRow.holder == holder) | (LeaseRow.until < rows.stamp(now))
    values = {"holder": holder, "until": rows.stamp(until)}
    taken = connection.execute(update(LeaseRow).where(LeaseRow.name == name, mine).values(values))
    if taken.rowcount:
        return True
    if connection.execute(select(LeaseRow.name).where(LeaseRow.name == name)).first() is not None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(insert(LeaseRow).values(name=name, **values))
    except exc.IntegrityError:
        return False
    return True


def end_lease(connection: Connection, name: str, holder: str) -> None:
    """Give one's own lease back."""
    connection.execute(delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.holder == holder))
