"""Disks and images as files."""

import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.driver.libvirt import imagefiles, layout
from orchestrator.driver.libvirt.disks import FileStorage
from orchestrator.driver.ports import Image, ImageFacts, Pool, Refused
from orchestrator.ids import new_id
from tests.live.drivers.lab import LOOPBACK, served

MIB = 1024**2


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    pool = Pool(new_id(), str(tmp_path / "pool"))
    FileStorage().ensure_pool(pool)
    return pool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where images to fetch lie."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def qemu_img(*argv: str) -> None:
    subprocess.run(["qemu-img", *argv], check=True, capture_output=True)


def image(folder: Path, form: str = "qcow2", *options: str) -> Path:
    path = folder / f"image.{form}"
    qemu_img("create", "-f", imagefiles.qemu_format(form), *options, str(path), "8M")
    return path


def take(folder: Path, path: Path, pool: Pool, form: str = "qcow2") -> ImageFacts:
    with served(folder) as site:
        wanted = Image(new_id(), f"{site}/{path.name}", form)
        return FileStorage().ensure_image(pool, wanted, LOOPBACK)


@pytest.mark.parametrize("form", ["qcow2", "QCOW2", "raw", "vhd", "vhdx"])
def test_every_format_becomes_qcow2(folder: Path, pool: Pool, form: str) -> None:
    facts = take(folder, image(folder, form), pool, form)
    assert facts.virtual_size >= 8 * MIB
    (stored,) = (Path(pool.path) / layout.IMAGES).iterdir()
    assert stored.read_bytes()[:4] == b"QFI\xfb"
    assert not FileStorage().observe(pool).strays


def test_an_image_of_another_format_than_declared_is_refused(folder: Path, pool: Pool) -> None:
    path = image(folder, "raw")
    path.write_bytes(b"hello" * 1000)
    for form in ("qcow2", "vhd", "vhdx"):
        with pytest.raises(Refused):
            take(folder, path, pool, form)
    assert FileStorage().observe(pool).images == frozenset()


def test_an_image_that_leans_on_another_file_is_refused(folder: Path, pool: Pool) -> None:
    base = image(folder)
    backed = folder / "backed.qcow2"
    qemu_img("create", "-f", "qcow2", "-b", str(base), "-F", "qcow2", str(backed))
    split = folder / "split.qcow2"
    qemu_img("create", "-f", "qcow2", "-o", f"data_file={folder}/data.raw", str(split), "8M")
    for path, why in ((backed, "backing file"), (split, "another file")):
        with pytest.raises(Refused, match=why):
            take(folder, path, pool)


def test_a_raw_image_that_looks_like_qcow2_is_taken_as_its_bytes(folder: Path, pool: Pool) -> None:
    """Its backing file must not be followed: guessing formats is how files leak."""
    backed = folder / "backed.qcow2"
    qemu_img("create", "-u", "-f", "qcow2", "-b", "/etc/shadow", "-F", "raw", str(backed), "1M")
    facts = take(folder, backed, pool, "raw")
    assert facts.virtual_size < MIB
    (stored,) = (Path(pool.path) / layout.IMAGES).iterdir()
    assert "backing-filename" not in imagefiles.facts(stored)


def test_a_header_with_a_monstrous_size_is_refused(folder: Path, pool: Pool) -> None:
    path = image(folder)
    raw = bytearray(path.read_bytes())
    raw[24:32] = struct.pack(">Q", 1 << 62)
    path.write_bytes(raw)
    with pytest.raises(Refused):
        take(folder, path, pool)


def test_a_disk_on_an_image_can_be_moved_with_its_pool(folder: Path, pool: Pool) -> None:
    storage = FileStorage()
    take(folder, image(folder), pool)
    (base,) = storage.observe(pool).images
    volume = new_id()
    storage.ensure_disk(pool, volume, 16 * MIB, base)
    moved = replace(pool, path=pool.path + "-moved")
    Path(pool.path).rename(moved.path)
    qemu_img("check", str(layout.disk_path(moved, volume)))
    assert imagefiles.measured(layout.disk_path(moved, volume)).virtual_size == 16 * MIB


def test_a_disk_is_not_made_into_another_one(pool: Pool) -> None:
    storage, volume = FileStorage(), new_id()
    storage.ensure_disk(pool, volume, 16 * MIB, None)
    with pytest.raises(Refused, match="another disk"):
        storage.ensure_disk(pool, volume, 32 * MIB, None)


def test_files_of_no_id_are_strays(pool: Pool) -> None:
    root = Path(pool.path)
    (root / layout.DISKS / "notes.txt").touch()
    (root / layout.IMAGES / "x.qcow2").touch()
    (root / layout.SCRATCH / f"{new_id()}.part").touch()
    inventory = FileStorage().observe(pool)
    assert len(inventory.strays) == 3
    assert not inventory.disks
    assert not inventory.images


def test_what_a_crash_left_of_a_disk_goes_with_it(pool: Pool) -> None:
    storage, volume = FileStorage(), new_id()
    layout.scratch_path(pool, volume, "part").touch()
    storage.ensure_disk_absent(pool, volume)
    assert not storage.observe(pool).strays


def test_a_pool_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused):
        FileStorage().ensure_pool(Pool(new_id(), str(tmp_path / "file")))


def test_an_id_that_could_be_a_path_is_a_mistake(pool: Pool) -> None:
    with pytest.raises(ValueError, match="no id"):
        FileStorage().ensure_disk(pool, "../../etc/passwd", MIB, None)
