"""What every image build needs: progress by steps, programs checked and run, files put in place."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

GUEST_FILES = Path(__file__).parent / "guest"

Progress = Callable[[str], None]
"""Is told one line of text at the start and at the end of each step."""


class BuildError(Exception):
    """The image cannot be built; the text tells the operator why and, if known, what to do."""


_DEBIAN_PACKAGE = {
    "cpio": "cpio",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "extlinux": "extlinux",
    "mkfs.ext4": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "modprobe": "kmod",
    "mount": "mount",
    "qemu-img": "qemu-utils",
    "unshare": "util-linux",
}


def require(programs: Iterable[str]) -> None:
    """Refuse to start unless this is root with the given programs.

    Raises:
        BuildError: naming the Debian packages that are missing.
    """
    if os.geteuid() != 0:
        raise BuildError("building an image needs root: files of the guest belong to its root")
    missing = sorted({_DEBIAN_PACKAGE[name] for name in programs if shutil.which(name) is None})
    if missing:
        raise BuildError(f"programs are missing; run: apt-get install {' '.join(missing)}")


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
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        input=text,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise BuildError(f"{command[0]} failed with status {done.returncode}:\n{said}")
    return done.stdout


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
