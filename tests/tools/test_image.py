import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import tools
from tools import image
from tools.guest_build import GUEST_FILES, BuildError, Progress, Recipe, put_files, run, step
from tools.image import build_image, cached_image, ensure_image

SCRIPTS = [path for path in GUEST_FILES.rglob("*") if path.is_file()]
SCRIPTS = [path for path in SCRIPTS if path.read_bytes().startswith(b"#!")]


def quiet(line: str) -> None:
    """Progress that nobody wants to see."""


class Kitchen:
    """Makes disks of a few bytes and counts them; may be told to burn one."""

    def __init__(self) -> None:
        self.made = 0
        self.burns = False

    def build(self, work: Path, packages: Path, progress: Progress) -> Path:
        if self.burns:
            (work / "half-made").write_text("x")
            raise BuildError("it burned")
        self.made += 1
        time.sleep(0.1)
        raw = work / "disk.raw"
        raw.write_bytes(b"disk" * 1024)
        return raw


@pytest.fixture
def kitchen(monkeypatch: pytest.MonkeyPatch) -> Kitchen:
    """A kind of image named ``toast`` that is made in a moment."""
    kitchen = Kitchen()
    recipe = Recipe(build=kitchen.build, programs=(), files=(), code=Path(image.__file__))
    monkeypatch.setitem(image.RECIPES, "toast", recipe)
    return kitchen


def test_an_image_is_built_once_and_then_comes_from_the_cache(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    first = ensure_image("toast", tmp_path, quiet)
    assert first == cached_image("toast", tmp_path) == ensure_image("toast", tmp_path, quiet)
    assert kitchen.made == 1
    assert run(["qemu-img", "info", first]).count("qcow2")


def test_callers_at_the_same_time_share_one_build(kitchen: Kitchen, tmp_path: Path) -> None:
    callers = [
        threading.Thread(target=ensure_image, args=("toast", tmp_path, quiet)) for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert kitchen.made == 1


def test_a_build_on_request_replaces_the_cached_image(kitchen: Kitchen, tmp_path: Path) -> None:
    first = ensure_image("toast", tmp_path, quiet)
    build_image("toast", tmp_path, first, quiet)
    assert kitchen.made == 2


def test_a_failed_build_leaves_the_output_as_it_was_and_nothing_else(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    output = tmp_path / "out" / "toast.qcow2"
    build_image("toast", tmp_path / "cache", output, quiet)
    before = output.read_bytes()
    kitchen.burns = True
    with pytest.raises(BuildError, match="it burned"):
        build_image("toast", tmp_path / "cache", output, quiet)
    assert output.read_bytes() == before
    assert os.listdir(tmp_path / "out") == ["toast.qcow2"]
    assert os.listdir(tmp_path / "cache") == [".toast.lock"]


def test_what_a_killed_build_left_behind_is_swept(kitchen: Kitchen, tmp_path: Path) -> None:
    (tmp_path / ".build-toast-abc").mkdir()
    ensure_image("toast", tmp_path, quiet)
    assert not list(tmp_path.glob(".build-*"))


def test_the_cached_name_changes_with_the_files_that_go_into_the_guest(tmp_path: Path) -> None:
    source = Path(tools.__file__).parent
    shutil.copytree(source, tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))

    def names() -> list[str]:
        code = (
            "from pathlib import Path; from tools.image import cached_image as at;"
            "print(*(at(kind, Path()) for kind in ('tiny', 'full')))"
        )
        return run([sys.executable, "-c", code], cwd=tmp_path).split()

    tiny, full = names()
    assert tiny == str(cached_image("tiny", Path()))
    with (tmp_path / "tools/guest/tiny/etc/rc").open("a") as script:
        script.write("echo more\n")
    changed, unchanged = names()
    assert changed != tiny
    assert unchanged == full


def test_the_cache_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILEUS_IMAGE_CACHE", "/somewhere")
    assert image.cache_folder() == Path("/somewhere")
    monkeypatch.delenv("PILEUS_IMAGE_CACHE")
    assert image.cache_folder() == Path.home() / ".cache/pileus"


@pytest.mark.parametrize(("kind", "package"), [("tiny", "cpio"), ("full", "mmdebstrap")])
def test_programs_that_are_missing_are_named_by_their_packages(
    kind: str, package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tools.packages.SYSTEM_FOLDERS", str(tmp_path))
    with pytest.raises(BuildError, match=rf"apt-get install .*qemu-utils.*{package}"):
        ensure_image(kind, tmp_path, quiet)


def test_building_without_root_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    told = CliRunner().invoke(image.image, ["build", "tiny", "--cache", str(tmp_path)])
    assert told.exit_code == 1
    assert "needs root" in told.output


def test_the_output_is_named_once(tmp_path: Path) -> None:
    told = CliRunner().invoke(image.image, ["build", "tiny", "one", "--output", "two"])
    assert told.exit_code == 2
    assert "not both" in told.output


def test_a_failing_program_is_quoted() -> None:
    with pytest.raises(BuildError, match=r"(?s)sh failed with status 3.*too bad"):
        run(["sh", "-c", "echo too bad >&2; exit 3"])


def test_a_step_is_reported_with_its_time() -> None:
    lines: list[str] = []
    with step(lines.append, "work"):
        pass
    assert lines == ["work ...", "work: 0.0 s"]


def test_files_for_the_guest_are_executable_when_they_are_scripts(tmp_path: Path) -> None:
    put_files("tiny", tmp_path)
    assert (tmp_path / "etc/rc").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "etc/inittab").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_guest_script_is_sound_posix_shell(script: Path) -> None:
    done = subprocess.run(["dash", "-n", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
