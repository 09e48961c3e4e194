"""``python -m tools check``: every check and test, as continuous integration runs them.

Fast tests run in two processes. The kill loop and the tests that boot real guests run after them,
one at a time: on a loaded machine they miss their deadlines. Nothing stops at the first failure:
the last lines say what failed, and how many tests there were.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import click

ROOT = Path(__file__).parent.parent
_PYTHON = (sys.executable, "-m")
_LINTERS = {
    "format": (*_PYTHON, "ruff", "format", "--check", "--quiet", "."),
    "lint": (*_PYTHON, "ruff", "check", "--quiet", "."),
    "types": (*_PYTHON, "mypy", "--no-error-summary"),
}
_LIVE = "live tests"
_QUIET = ("-q", "--no-header", "--tb=short")
_TESTS = {
    "tests": ("-m", "not live and not alone", "--numprocesses=2", "--dist=loadfile"),
    "kill loop": ("-m", "alone", "--numprocesses=2"),
    _LIVE: ("-m", "live"),
}


@dataclass(frozen=True)
class Outcome:
    """How one check went. ``seconds`` it took; test counts are 0 for what is no test."""

    name: str
    good: bool
    seconds: float
    passed: int = 0
    failed: int = 0


@click.command()
@click.option("--live/--no-live", default=True, help="Also the tests that boot real guests.")
def check(live: bool) -> None:
    """Run every check and test of this checkout."""
    began = time.monotonic()
    outcomes = [_lint(name, command) for name, command in _LINTERS.items()]
    wanted = {name: words for name, words in _TESTS.items() if live or name != _LIVE}
    outcomes += [_test(name, words) for name, words in wanted.items()]
    for outcome in outcomes:
        verdict = "ok" if outcome.good else "FAILED"
        click.echo(f"{outcome.seconds:8.1f} s  {outcome.name} {verdict}")
    passed, failed = (sum(getattr(o, what) for o in outcomes) for what in ("passed", "failed"))
    click.echo(f"{passed} passed, {failed} failed in {time.monotonic() - began:.0f} s")
    sys.exit(0 if all(outcome.good for outcome in outcomes) else 1)


def _lint(name: str, command: tuple[str, ...]) -> Outcome:
    click.echo(f"== {name}")
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, check=False)
    return Outcome(name, done.returncode == 0, time.monotonic() - began)


def _test(name: str, words: tuple[str, ...]) -> Outcome:
    """Run a group of tests; counts are read from pytest's own report."""
    click.echo(f"== {name}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = (*_PYTHON, "pytest", *_QUIET, f"--junitxml={report}", *words)
        done = subprocess.run(command, cwd=ROOT, check=False)
        passed, failed = counts(report)
    return Outcome(name, done.returncode == 0, time.monotonic() - began, passed, failed)


def counts(report: Path) -> tuple[int, int]:
    """Tests passed and failed; a group that died without a report counts as one failure."""
    if not report.exists():
        return 0, 1
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314 - pytest wrote it
    passed = failed = 0
    for suite in suites:
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
        failed += bad
    return passed, failed
