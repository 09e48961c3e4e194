"""``python -m tools``: the ``pileus`` command, with what only developers need."""

from tools.check import check
from tools.cli import main
from tools.migration import migration

main.add_command(check)
main.add_command(migration)
main(prog_name="python -m tools")
