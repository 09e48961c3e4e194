"""The counts that ``python -m tools check`` ends with."""

from pathlib import Path

from tools.check import counts

REPORT = """<?xml version="1.0"?>
<testsuites>
  <testsuite name="pytest" errors="1" failures="2" skipped="0" tests="10"></testsuite>
</testsuites>
"""


def test_errors_count_as_failures(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert counts(report) == (7, 3)


def test_a_group_that_died_without_a_report_has_failed(tmp_path: Path) -> None:
    assert counts(tmp_path / "none.xml") == (0, 1)
