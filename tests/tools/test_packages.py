"""The list of Debian packages, and the scripts that read it."""

import subprocess
from pathlib import Path

import pytest

from tools import packages

ROOT = Path(packages.__file__).parent.parent
SCRIPTS = ("tools/quickstart", "tools/test", ".ci/run")


def test_every_line_of_the_list_is_a_package_of_a_known_group() -> None:
    groups = ("build", "host", "image", "test", "bench")
    lines = packages.LIST.read_text().splitlines()
    found = packages.packages(*groups)
    assert len(found) == sum(bool(line) and not line.startswith("#") for line in lines)
    assert all(package.purpose for package in found)


def test_a_package_without_a_program_counts_as_present() -> None:
    assert packages.Package("build", "libvirt-dev", "-", "is compiled against").present


def test_a_program_that_is_nowhere_is_missing() -> None:
    assert not packages.Package("host", "nothing", "no-such-program-at-all", "is missing").present


def test_programs_are_found_in_the_folders_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert packages.program("sh") is None
    assert packages.program("ldconfig") == "/usr/sbin/ldconfig"


def test_the_shell_and_python_read_the_same_list() -> None:
    # A group of which nothing is installed: the shell then names every package of it.
    script = "dpkg-query() { return 1; }; LOG=/dev/null; . tools/prepare.sh; missing_packages host"
    done = subprocess.run(
        ("bash", "-c", script), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [package.name for package in packages.packages("host")]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_executable_and_can_be_parsed(script: str) -> None:
    assert (ROOT / script).stat().st_mode & 0o111
    subprocess.run(("bash", "-n", ROOT / script), check=True)


def test_a_failing_step_shows_the_end_of_its_log(tmp_path: Path) -> None:
    script = (
        f"LOG={tmp_path}/log; . tools/prepare.sh; step Trying sh -c 'echo why; exit 3'; echo no"
    )
    done = subprocess.run(
        ("bash", "-ec", script), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Trying FAILED" in done.stderr
    assert "why" in done.stderr
    assert done.stdout == ""


def test_a_step_stops_at_its_first_error(tmp_path: Path) -> None:
    script = f"LOG={tmp_path}/log; . tools/prepare.sh; two() {{ false; echo on; }}; step Two two"
    done = subprocess.run(
        ("bash", "-ec", script), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "\non" not in done.stderr


def test_quickstart_explains_itself() -> None:
    done = subprocess.run(
        (ROOT / "tools/quickstart", "--help"), capture_output=True, text=True, check=True
    )
    assert "--once" in done.stdout
