"""States: every transition the table allows works, every other is refused by name."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from orchestrator.faults import Fault, Kind
from orchestrator.resources import states
from orchestrator.schema.instances import Instance, InstanceState
from orchestrator.schema.templates import Template, TemplateState
from orchestrator.schema.volumes import Volume, VolumeState
from tests.orchestrator.cloud import Cloud

TABLES: list[tuple[type[Any], Any, states.Transitions]] = [
    (Instance, InstanceState, states.INSTANCE),
    (Volume, VolumeState, states.VOLUME),
    (Template, TemplateState, states.TEMPLATE),
]


@pytest.mark.parametrize(("model", "enum", "table"), TABLES)
def test_every_state_has_its_row_and_leads_to_states_only(
    model: type[Any], enum: Any, table: states.Transitions
) -> None:
    """No state is forgotten, and none is invented."""
    assert set(table) == set(enum)
    assert all(onward <= set(enum) for onward in table.values())


def _some(cloud: Cloud, model: type[Any]) -> str:
    cloud.running()
    with cloud.sessions.read() as db:
        return str(db.scalars(select(model)).first().id)  # type: ignore[union-attr]


@pytest.mark.parametrize(("model", "enum", "table"), TABLES)
def test_only_the_transitions_of_the_table_are_made(
    cloud: Cloud, model: type[Any], enum: Any, table: states.Transitions
) -> None:
    """All pairs, each from a row that is really in that state."""
    ident = _some(cloud, model)
    for before, after in product(enum, enum):
        with cloud.sessions.write() as db:
            db.get_one(model, ident).state = before
        with cloud.sessions.write() as db:
            row = db.get_one(model, ident)
            if after in table[before]:
                states.move(db, row, to=after)
                assert row.state == after
                continue
            with pytest.raises(Fault) as refused:
                states.move(db, row, to=after)
            assert refused.value.kind is Kind.WRONG_STATE


def test_of_two_that_move_the_same_row_one_loses(cloud: Cloud) -> None:
    """The compare-and-set reads a state that is no longer so."""
    ident = cloud.running()
    with cloud.sessions.read() as stale:
        old = stale.get_one(Instance, ident)
        stale.expunge(old)
    with cloud.sessions.write() as db:
        states.move(db, db.get_one(Instance, ident), to=InstanceState.STOPPING)
    with cloud.sessions.write() as db:
        db.add(old)
        with pytest.raises(Fault) as refused:
            states.move(db, old, to=InstanceState.STOPPING)
    assert refused.value.kind is Kind.WRONG_STATE
