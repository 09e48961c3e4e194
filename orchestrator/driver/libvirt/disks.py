"""Disks and images as qcow2 files in folders: the Storage port.

A pool is a folder with three in it: ``disks`` and ``images`` hold whole files named by id, ``tmp``
what is being made. A file is made in ``tmp``, flushed, and moved into place by renaming; what a
crash leaves in ``tmp`` is made anew or removed with its id. A lock file per id keeps twins apart.

A disk made of an image is a qcow2 overlay whose backing file is named relative to it, so that a
pool may be moved as a whole.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

from orchestrator.driver.commands import run
from orchestrator.driver.files import locked, settle
from orchestrator.driver.libvirt import imagefiles, layout
from orchestrator.driver.libvirt.fetch import Limits, fetch
from orchestrator.driver.ports import (
    Image,
    ImageFacts,
    Inventory,
    NoSpace,
    Pool,
    PoolFacts,
    Refused,
)

# Less than this, and not even an empty overlay can be trusted to grow.
_RESERVE = 16 * 1024 * 1024


class FileStorage:
    """Keeps disks and images in folders of this host."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()

    def ensure_pool(self, pool: Pool) -> PoolFacts:
        """Make the folders. The capacity is that of the file system they are on."""
        for name in (layout.DISKS, layout.IMAGES, layout.SCRATCH):
            try:
                (Path(pool.path) / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            except (NotADirectoryError, FileExistsError, PermissionError) as error:
                raise Refused(f"{pool.path} cannot be a pool: {error}") from error
        usage = shutil.disk_usage(pool.path)
        return PoolFacts(usage.total, usage.total - usage.free)

    def observe(self, pool: Pool) -> Inventory:
        """Files by kind; those without an id of ours are strays, by their path in the pool."""
        disks, odd_disks = _listed(pool, layout.DISKS)
        images, odd_images = _listed(pool, layout.IMAGES)
        return Inventory(disks, images, odd_disks | odd_images | _unfinished(pool))

    def ensure_image(
        self, store: Pool, image: Image, allowed_sites: tuple[IPv4Network, ...]
    ) -> ImageFacts:
        """Download, check, convert to qcow2 if it is not, and move into place."""
        target = layout.image_path(store, image.id)
        with self.making(store, image.id):
            if not target.exists():
                imagefiles.qemu_format(image.format)
                self._make_image(store, image, allowed_sites, target)
            return imagefiles.measured(target)

    def ensure_image_absent(self, store: Pool, image_id: str) -> None:
        """Remove the image's file and what was left of fetching it."""
        self._remove(store, image_id, layout.image_path(store, image_id))

    def ensure_backing(self, pool: Pool, store: Pool, image_id: str) -> None:
        """Have the image in the pool: by a hard link within a file system, else by a copy."""
        source = layout.image_path(store, image_id)
        target = layout.image_path(pool, image_id)
        with self.making(pool, image_id):
            if target.exists():
                return
            if not source.exists():
                raise Refused(f"image {image_id} is not in the store")
            part = layout.scratch_path(pool, image_id, "part")
            _duplicate(source, part)
            put(part, target, mode=0o400)

    def ensure_disk(self, pool: Pool, volume_id: str, size: int, backing: str | None) -> None:
        """Make the disk. Refused when one of another size or origin is there."""
        target = layout.disk_path(pool, volume_id)
        with self.making(pool, volume_id):
            if target.exists():
                _check_disk(target, size, backing)
                return
            usage = shutil.disk_usage(pool.path)
            if size > usage.total or usage.free < _RESERVE:
                raise NoSpace(f"pool {pool.id} is full")
            part = layout.scratch_path(pool, volume_id, "part")
            part.unlink(missing_ok=True)
            run(
                [
                    "qemu-img",
                    "create",
                    "-q",
                    "-f",
                    "qcow2",
                    *_origin(pool, backing, size),
                    str(part),
                    str(size),
                ]
            )
            put(part, target)

    def ensure_disk_absent(self, pool: Pool, volume_id: str) -> None:
        """Remove the disk's file."""
        self._remove(pool, volume_id, layout.disk_path(pool, volume_id))

    def _make_image(
        self, store: Pool, image: Image, sites: tuple[IPv4Network, ...], target: Path
    ) -> None:
        download = layout.scratch_path(store, image.id, "download")
        part = layout.scratch_path(store, image.id, "part")
        part.unlink(missing_ok=True)
        try:
            with download.open("wb") as file:
                fetch(image.url, file, image.checksum, sites, self._limits)
            imagefiles.check(download, image.format)
            if imagefiles.qemu_format(image.format) == "qcow2":
                download.replace(part)
            else:
                imagefiles.convert(download, image.format, part)
            put(part, target, mode=0o400)
        finally:
            download.unlink(missing_ok=True)
            part.unlink(missing_ok=True)

    def _remove(self, pool: Pool, ident: str, path: Path) -> None:
        if not (Path(pool.path) / layout.SCRATCH).is_dir():
            return
        with self.making(pool, ident):
            for kind in ("part", "download"):
                layout.scratch_path(pool, ident, kind).unlink(missing_ok=True)
            if path.exists():
                path.unlink()
                settle(path.parent)

    @contextmanager
    def making(self, pool: Pool, ident: str) -> Iterator[None]:
        """Keep others from making the file of this id in the pool meanwhile."""
        if not (Path(pool.path) / layout.SCRATCH).is_dir():
            raise Refused(f"pool {pool.id} was never made usable")
        lock = layout.scratch_path(pool, ident, "lock")
        with locked(lock):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)


def _origin(pool: Pool, backing: str | None, size: int) -> list[str]:
    if backing is None:
        return []
    image = layout.image_path(pool, backing)
    if not image.exists():
        raise Refused(f"image {backing} is not in pool {pool.id}")
    if imagefiles.measured(image).virtual_size > size:
        raise Refused(f"a disk of {size} bytes is too small for image {backing}")
    return ["-b", _relative(backing), "-F", "qcow2"]


def _relative(backing: str) -> str:
    return f"../{layout.IMAGES}/{backing}.qcow2"


def _check_disk(path: Path, size: int, backing: str | None) -> None:
    found = imagefiles.facts(path)
    wanted = None if backing is None else _relative(backing)
    if found["virtual-size"] != size or found.get("backing-filename") != wanted:
        raise Refused(f"{path.name} is there already and is another disk")


def _duplicate(source: Path, part: Path) -> None:
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        run(["cp", "--reflink=auto", "--sparse=auto", str(source), str(part)], timeout=3600)


def put(part: Path, target: Path, mode: int = 0o600) -> None:
    """Flush the finished file and move it to its place, to survive a power cut."""
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.chmod(mode)
    part.replace(target)
    settle(target.parent)


def _listed(pool: Pool, kind: str) -> tuple[frozenset[str], frozenset[str]]:
    ours: set[str] = set()
    strays: set[str] = set()
    folder = Path(pool.path) / kind
    for path in folder.iterdir() if folder.is_dir() else ():
        ident = layout.volume_of(path.name) if path.suffix == ".qcow2" else None
        (strays if ident is None else ours).add(ident or f"{kind}/{path.name}")
    return frozenset(ours), frozenset(strays)


def _unfinished(pool: Pool) -> frozenset[str]:
    folder = Path(pool.path) / layout.SCRATCH
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return frozenset(f"{layout.SCRATCH}/{name}" for name in names if not name.endswith(".lock"))
