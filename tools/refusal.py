"""How the command line says no: one sentence, its remedy, and exit code 2."""

import click


class Refusal(click.ClickException):
    """Something stands in the way that the operator can mend.

    Args:
        sentence: what is wrong, in one sentence.
        remedy: what to do about it, when the sentence does not already say so.
    """

    exit_code = 2

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(f"{sentence}\n  Remedy: {remedy}" if remedy else sentence)
