"""The tables: migrations build what the declarations say, on every database we support."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from cryptography.exceptions import InvalidTag
from sqlalchemy import Engine, inspect, select, text

from orchestrator.schema import Base, migrate
from orchestrator.schema.accounts import Domain
from orchestrator.schema.configuration import Configuration
from orchestrator.schema.pools import StoragePool
from orchestrator.schema.secrets import Vault
from orchestrator.schema.session import Sessions
from tests.mariadb import MariaDb

_ZONE = (
    "INSERT INTO zone (id, name, network_type, security_groups, dns1, internal_dns1, allocation, "
    "created) VALUES ('z', 'zone', 'Basic', 1, '10.0.0.1', '10.0.0.1', 'Enabled', "
    "'2026-01-01 00:00:00')"
)
_POOL = (
    "INSERT INTO storage_pool (id, name, role, url, path, zone_id, state, capacity, taken, "
    "created) VALUES ('p', 'images', 'image', 'file:///images', '/images', 'z', 'Up', 0, 0, "
    "'2026-01-01 00:00:00')"
)


@pytest.fixture(params=["sqlite", "mariadb"])
def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'cloud.sqlite'}"
    else:
        server: MariaDb = request.getfixturevalue("mariadb")
        url = server.database("schema_test")
    opened = Sessions(url)
    yield opened
    opened.close()


def _differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        return list(compare_metadata(context, Base.metadata))


def test_the_migrations_build_the_tables_that_are_declared(sessions: Sessions) -> None:
    """From nothing to head, then compared with the declarations; and again, without effect."""
    migrate.upgrade(sessions.engine)
    migrate.upgrade(sessions.engine)
    assert _differences(sessions.engine) == []
    tables = set(inspect(sessions.engine).get_table_names()) - {"alembic_version"}
    assert tables == set(Base.metadata.tables)


@pytest.mark.parametrize("exists", [True, False])
def test_a_cloud_of_before_the_switches_goes_on_answering(sessions: Sessions, exists: bool) -> None:
    """One that has a zone keeps both faces on, and its pools; a new one is told by its maker."""
    with sessions.engine.execution_options(writes=True).begin() as connection:
        migrate.run(connection, lambda config: command.upgrade(config, "0001"))
        if exists:
            connection.execute(text(_ZONE))
            connection.execute(text(_POOL))
    migrate.upgrade(sessions.engine)
    with sessions.read() as db:
        switches = {row.name: row.value for row in db.scalars(select(Configuration))}
        providers = list(db.scalars(select(StoragePool.provider)))
    on = {"enable.ec2.api": "true", "enable.s3.api": "true"}
    assert (switches, providers) == ((on, ["NFS"]) if exists else ({}, []))


def test_names_may_be_in_any_script_and_times_keep_their_microseconds(sessions: Sessions) -> None:
    """What is stored comes back as it was."""
    migrate.upgrade(sessions.engine)
    with sessions.write() as db:
        db.add(Domain(name="区域 ☁", path="/", level=0))
    with sessions.read() as db:
        assert db.scalars(Domain.__table__.select().with_only_columns(Domain.name)).one() == (
            "区域 ☁"
        )


def test_a_sqlite_commit_is_synced_and_writers_wait_for_each_other(tmp_path: Path) -> None:
    """Durability is a setting of the connection; it must be on."""
    sessions = Sessions(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with sessions.read() as db:
        assert db.scalar(text("PRAGMA synchronous")) == 2
        assert db.scalar(text("PRAGMA journal_mode")) == "wal"
        assert db.scalar(text("PRAGMA foreign_keys")) == 1
    sessions.close()


def test_a_sealed_text_opens_with_the_same_key_only(tmp_path: Path) -> None:
    """The key file is made once, readable by its owner alone; sealing never repeats itself."""
    vault, same, other = Vault(), Vault(), Vault()
    vault.open(tmp_path / "keys" / "a")
    same.open(tmp_path / "keys" / "a")
    other.open(tmp_path / "keys" / "b")
    sealed = vault.seal("secret")
    assert same.unseal(sealed) == "secret"
    assert "secret" not in sealed
    assert vault.seal("secret") != sealed
    assert (tmp_path / "keys" / "a").stat().st_mode & 0o777 == 0o600
    with pytest.raises(InvalidTag):
        other.unseal(sealed)
