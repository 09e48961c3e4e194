"""What every image build needs: progress by steps, programs checked and run, files put in place."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.packages import SYSTEM_FOLDERS, missing

GUEST_FILES = Path(__file__).parent / "guest"

Progress = Callable[[str], None]
"""Is told one line of text at the start and at the end of each step."""


class BuildError(Exception):
    """The image cannot be built; the text tells the operator why and, if known, what to do."""


@dataclass(frozen=True)
class Recipe:
    """One kind of image.

    Attributes:
        build: makes the raw disk in a work folder; is given a cache for downloaded packages too.
        programs: what it runs that not every Debian has.
        files: trees of ``tools/guest`` that go into it.
        code: the module it is written in.
    """

    build: Callable[[Path, Path, Progress], Path]
    programs: tuple[str, ...]
    files: tuple[str, ...]
    code: Path


def require(programs: Sequence[str]) -> None:
    """Refuse to start unless this is root and has the given programs.

    Raises:
        BuildError: naming the Debian packages that are missing.
    """
    if os.geteuid() != 0:
        raise BuildError("building an image needs root: the guest's files belong to its root")
    absent = [each.name for each in missing("host", "image") if each.proof in programs]
    if absent:
        raise BuildError(f"programs are missing; run: apt-get install {' '.join(absent)}")


@contextmanager
def step(progress: Progress, what: str) -> Iterator[None]:
    """Report a step when it begins and, with the seconds it took, when it ends."""
    progress(f"{what} ...")
    started = time.monotonic()
    yield
    progress(f"{what}: {time.monotonic() - started:.1f} s")


def run(command: Sequence[str | Path], *, cwd: Path | None = None, text: str = "") -> str:
    """Run a program with ``text`` as its input and give back what it wrote.

    Raises:
        BuildError: the program failed; carries the end of what it said.
    """
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}"
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        input=text,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "PATH": path, "LC_ALL": "C"},
    )
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise BuildError(f"{command[0]} failed with status {done.returncode}:\n{said}")
    return done.stdout


# A mount namespace of its own: nobody else ever sees what is mounted in it. A process namespace
# that dies with the caller, however that dies: nothing works on in a folder that is being removed.
_CONTAINED = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--propagation", "private"),
    *("--pid", "--fork", "--kill-child", "--mount-proc"),
)


def run_contained(command: Sequence[str | Path], *, text: str = "") -> str:
    """Like :func:`run`, for programs that mount or that start others: none of it outlives this.

    Raises:
        BuildError: the program failed.
    """
    return run([*_CONTAINED, *command], text=text)


def put_files(name: str, root: Path) -> None:
    """Copy a tree of ``tools/guest`` over a guest's root; scripts become executable.

    Modes are set here because an installed Python package does not keep them.
    """
    source = GUEST_FILES / name
    for path in filter(Path.is_file, source.rglob("*")):
        target = root / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes()
        target.unlink(missing_ok=True)
        target.write_bytes(content)
        target.chmod(0o755 if content.startswith(b"#!") else 0o644)
