"""Who may call which native command, as one table that is checked in.

``python -m tests.contract.test_native_commands`` writes the table anew.
"""

from pathlib import Path

from nativeapi.declare import Role
from nativeapi.registry import Command, Form, load

TABLE = Path(__file__).with_name("native_commands.txt")
_ROLES = (Role.ADMIN, Role.DOMAIN_ADMIN, Role.USER, Role.SERVICE)


def table() -> str:
    """One line for every command: who may call it, how it answers, and under which keys."""
    head = f"{'command':32}{'admin domain user service':28}{'answer':12}envelope: key\n"
    return head + "".join(_line(entry) for _, entry in sorted(load().items()))


def _line(entry: Command) -> str:
    marks = ("yes" if entry.allows(role) else "-" for role in _ROLES)
    allowed = "{:6}{:7}{:5}{:10}".format(*marks)
    answer = "job: " if entry.reply.form is Form.JOB else ""
    shown = entry.reply.form.value if entry.reply.form is not Form.JOB else ""
    inner = f"{entry.envelope}: {entry.key or '-'}"
    return f"{entry.name:32}{allowed}{(answer + shown).strip(' :'):12}{inner}\n"


def test_the_table_of_commands_is_the_one_that_was_agreed() -> None:
    assert table() == TABLE.read_text()


if __name__ == "__main__":
    TABLE.write_text(table())
