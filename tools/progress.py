"""Progress on a terminal: one line per step, with the time since the command began."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click


class Progress:
    """Prints steps as they end. Safe to hand to any function that takes a while.

    Steps are numbered once it is known how many there will be.
    """

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._total = 0
        self._count = 0

    def expect(self, total: int) -> None:
        """Number the steps from here on, up to ``total``."""
        self._total = self._count + total

    @property
    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self._start

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Print ``name`` with its time when the block ends, and say so when it fails."""
        self._count += 1
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self._line("FAILED", name, began)
            raise
        self._line("ok", name, began)

    def note(self, text: str) -> None:
        """Print a line that belongs to the step under way."""
        click.echo(f"{'':10}    {text}")

    def _line(self, verdict: str, name: str, began: float) -> None:
        number = f"{self._count:2}/{self._total} " if self._total else ""
        took = time.monotonic() - began
        click.echo(f"{self.elapsed:8.1f} s  {number}{name} ({took:.1f} s) {verdict}")
