"""States and their legal transitions: one table per noun, and one way to move.

Every change of state is a compare-and-set: of two transactions that try to move the same row, one
loses, and reads a fault that says in which state the thing is.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import update
from sqlalchemy.orm import Session

from orchestrator.faults import wrong_state
from orchestrator.schema.base import now
from orchestrator.schema.instances import Instance
from orchestrator.schema.instances import InstanceState as I
from orchestrator.schema.templates import Template
from orchestrator.schema.templates import TemplateState as T
from orchestrator.schema.volumes import Volume
from orchestrator.schema.volumes import VolumeState as V

Row = TypeVar("Row", Instance, Volume, Template)
Transitions = Mapping[str, frozenset[str]]

INSTANCE: Transitions = {
    I.STARTING: frozenset({I.RUNNING, I.STOPPED, I.ERROR, I.EXPUNGING}),
    I.RUNNING: frozenset({I.STOPPING, I.EXPUNGING}),
    I.STOPPING: frozenset({I.STOPPED, I.EXPUNGING}),
    I.STOPPED: frozenset({I.STARTING, I.DESTROYED, I.EXPUNGING}),
    I.ERROR: frozenset({I.DESTROYED, I.EXPUNGING}),
    I.DESTROYED: frozenset({I.EXPUNGING}),
    I.EXPUNGING: frozenset({I.DESTROYED}),
}
VOLUME: Transitions = {
    V.ALLOCATED: frozenset({V.ATTACHING, V.DESTROYING}),
    V.CREATING: frozenset({V.READY}),
    V.READY: frozenset({V.ATTACHING, V.DETACHING, V.DESTROYING}),
    V.ATTACHING: frozenset({V.READY, V.ALLOCATED}),
    V.DETACHING: frozenset({V.READY}),
    V.DESTROYING: frozenset(),
}
TEMPLATE: Transitions = {
    T.FETCHING: frozenset({T.READY, T.FAILED}),
    T.READY: frozenset({T.DELETING}),
    T.FAILED: frozenset({T.DELETING}),
    T.DELETING: frozenset({T.DELETED}),
    T.DELETED: frozenset(),
}
_TABLES: Mapping[type[Any], tuple[str, Transitions]] = {
    Instance: ("virtualmachine", INSTANCE),
    Volume: ("volume", VOLUME),
    Template: ("template", TEMPLATE),
}


def move(db: Session, row: Row, *, to: str, **values: Any) -> None:
    """Move a row to another state, and set further columns with it.

    Raises:
        Fault: wrong_state, when the table forbids it or somebody else moved the row first.
    """
    model: type[Any] = type(row)
    noun, transitions = _TABLES[model]
    if to not in transitions[row.state]:
        raise wrong_state(noun, row.id, row.state, _wanted(transitions, to))
    if model is Instance:
        values["changed"] = now()
    moved = db.execute(
        update(model)
        .where(model.id == row.id, model.state == row.state)
        .values(state=to, **values)
        .execution_options(synchronize_session=False)
    )
    db.refresh(row)
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise wrong_state(noun, row.id, row.state, _wanted(transitions, to))


def _wanted(transitions: Transitions, to: str) -> str:
    return " or ".join(sorted(state for state, onward in transitions.items() if to in onward))
