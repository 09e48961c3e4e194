"""Writing a database migration: the difference between the last one and the tables as declared."""

import click
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from orchestrator.schema import migrate


@click.command()
@click.argument("what")
def migration(what: str) -> None:
    """Write the migration that brings the last version's tables to those declared now.

    WHAT says what it does, as "Volumes have a speed". Read the file before you commit it: renames
    look like a drop and an add.
    """
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate.run(connection, lambda config: command.upgrade(config, "head"))
        migrate.run(connection, lambda config: _write(config, what))


def _write(config: Config, what: str) -> None:
    directory = migrate.FOLDER / "versions"
    number = 1 + max(int(file.name.split("_")[0]) for file in directory.glob("[0-9]*.py"))
    command.revision(config, message=what, autogenerate=True, rev_id=f"{number:04}")
