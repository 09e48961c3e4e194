"""``pileus image``: builds the images that guests start from, and keeps them in a cache.

Two kinds. *tiny* is for tests and first steps: some 20 MB, up in seconds even under emulation.
*full* is Debian with cloud-init, as other clouds have it. Both are unpartitioned disks of Debian
packages that a BIOS boots.

An image in the cache is named after a hash of its recipe: this code and the files that go into the
guest. It is built again when those change, or on request (newer packages), never otherwise.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tools import guest_build, guest_disk, guest_full, guest_packages, guest_tiny
from tools.guest_build import GUEST_FILES, BuildError, Progress, Recipe, step

RECIPES = {"tiny": guest_tiny.RECIPE, "full": guest_full.RECIPE}

# The code that all kinds are made by.
_SHARED = (guest_build, guest_disk, guest_packages)


def cache_folder() -> Path:
    """Where images are kept: ``PILEUS_IMAGE_CACHE``, else ``~/.cache/pileus``."""
    return Path(os.environ.get("PILEUS_IMAGE_CACHE") or Path.home() / ".cache" / "pileus")


def ensure_image(kind: str, cache: Path, progress: Progress = click.echo) -> Path:
    """The cached qcow2 image of a kind (``tiny`` or ``full``), built first where there is none.

    Safe against concurrent callers: one builds, the others wait and share.

    Raises:
        BuildError: it is not there and cannot be built.
    """
    image_file = cached_image(kind, cache)
    if image_file.exists():
        return image_file
    with _lock(kind, cache):
        if not image_file.exists():
            _build(kind, cache, image_file, progress)
    return image_file


def build_image(kind: str, cache: Path, output: Path, progress: Progress = click.echo) -> None:
    """Build an image anew, from the packages that apt offers now, as the file ``output``.

    Raises:
        BuildError: it cannot be built; ``output`` is then as it was.
    """
    with _lock(kind, cache):
        _build(kind, cache, output, progress)


def cached_image(kind: str, cache: Path) -> Path:
    """The name in the cache of the image that this very recipe makes; the file may not exist."""
    return cache / f"{kind}-{_fingerprint(RECIPES[kind])}.qcow2"


def _fingerprint(recipe: Recipe) -> str:
    """Twelve hexadecimal digits that change with anything that makes the image what it is."""
    here = Path(__file__).parent
    trees = [GUEST_FILES / name for name in recipe.files]
    files = [path for tree in trees for path in tree.rglob("*") if path.is_file()]
    code = [recipe.code, *(Path(str(module.__file__)) for module in _SHARED)]
    digest = hashlib.sha256()
    for path in sorted([*code, *files]):
        digest.update(f"{path.relative_to(here)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


@contextmanager
def _lock(kind: str, cache: Path) -> Iterator[None]:
    """Hold the cache for one kind. What a killed build left behind is swept by the next holder."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f".{kind}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for leftover in cache.glob(f".build-{kind}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


def _build(kind: str, cache: Path, output: Path, progress: Progress) -> None:
    recipe = RECIPES[kind]
    guest_build.require(recipe.programs)
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f".{output.name}.partial")
    try:
        with (
            step(progress, f"{kind} image"),
            tempfile.TemporaryDirectory(prefix=f".build-{kind}-", dir=cache) as work,
        ):
            raw = recipe.build(Path(work), cache / "packages", progress)
            with step(progress, "compressing"):
                guest_disk.compress(raw, partial)
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    progress(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@click.group()
def image() -> None:
    """Build the images that guests start from."""


@image.command()
@click.argument("kind", type=click.Choice(list(RECIPES)), default="tiny")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The qcow2 file to write; the same as FILE. Default: into the cache, where quickstart "
    "and the tests look for it.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=cache_folder,
    help="Folder for built images and downloaded packages. Default: PILEUS_IMAGE_CACHE, else "
    "~/.cache/pileus.",
)
def build(kind: str, file: Path | None, output: Path | None, cache: Path) -> None:
    """Build an image from the packages that apt offers now. Needs root.

    KIND is tiny (seconds to build and to boot) or full (Debian with cloud-init; minutes).
    """
    if file and output:
        raise click.UsageError("give FILE or --output, not both")
    # As an exception, so that the work folder goes away and programs at work are ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        build_image(kind, cache, file or output or cached_image(kind, cache))
    except BuildError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    image()
