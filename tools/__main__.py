"""``python -m tools``: the ``pileus`` command, with what only developers need."""

from tools.check import check
from tools.cli import main

main.add_command(check)
main(prog_name="python -m tools")
