"""Bringing a database to the tables of this version, by the migrations in ``migrations/``."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

FOLDER = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Apply every migration that is missing."""
    with engine.execution_options(writes=True).begin() as connection:
        run(connection, lambda config: command.upgrade(config, "head"))


def run(connection: Connection, act: Callable[[Config], None]) -> None:
    """Run an alembic command on a connection of ours."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    act(config)
