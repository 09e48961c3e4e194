"""Options that several commands share."""

from pathlib import Path

import click

from tools.home import DEFAULT_HOME

HOME = click.option(
    "--home",
    "folder",
    type=click.Path(path_type=Path),
    default=DEFAULT_HOME,
    envvar="PILEUS_HOME",
    show_default=True,
    help="Folder that holds all state of the cloud. Several clouds live side by side in several.",
)
