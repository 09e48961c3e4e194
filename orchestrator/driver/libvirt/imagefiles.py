"""What is in an image file, and making one safe to stand disks on.

A disk image can name other files: a backing file, an external data file. A stranger's image that
names ``/etc/shadow`` must never be opened by a tool that follows. So a qcow2 header is read here
first, tools are always told the format (none is guessed), and they run with limits on memory and
processor time, because a crafted image can make them use both without end.
"""

import json
import struct
from pathlib import Path
from typing import Any

from orchestrator.driver.commands import run
from orchestrator.driver.ports import BadImage, ImageFacts, NoSpace, Transient

# Our word for a format (in any case), and qemu's.
FORMATS = {"qcow2": "qcow2", "raw": "raw", "vhd": "vpc", "vhdx": "vhdx"}

_HEADER = struct.Struct(">4sIQIIQIIQQIIQQ")
_EXTERNAL_DATA = 1 << 2
_LIMITS = ["prlimit", "--as=1610612736", "--cpu=120"]
_LARGEST = 8 * 1024**4


def qemu_format(declared: str) -> str:
    """qemu's name for a declared format. BadImage for one that is not supported."""
    try:
        return FORMATS[declared.lower()]
    except KeyError:
        raise BadImage(f"images of format {declared!r} are not supported") from None


def check(path: Path, declared: str) -> int:
    """The virtual size of a stranger's image, in bytes.

    Raises:
        BadImage: it is not of the declared format, or leans on other files, or is encrypted.
    """
    form = qemu_format(declared)
    if form == "qcow2":
        _check_header(path)
    found = facts(path, form)
    if any(key in found for key in ("backing-filename", "full-backing-filename")):
        raise BadImage("the image has a backing file")
    details = found.get("format-specific", {}).get("data", {})
    if details.get("data-file") or found.get("encrypted"):
        raise BadImage("the image is encrypted or keeps its data in another file")
    size = int(found["virtual-size"])
    if not 0 < size <= _LARGEST:
        raise BadImage(f"a disk of {size} bytes cannot be made of the image")
    return size


def facts(path: Path, form: str = "qcow2") -> dict[str, Any]:
    """What ``qemu-img info`` says, without opening anything but this file's own format."""
    try:
        told = run([*_LIMITS, "qemu-img", "info", "-U", "-f", form, "--output=json", str(path)])
    except Transient as error:
        raise BadImage(f"the image is no good {form} file") from error
    parsed: dict[str, Any] = json.loads(told)
    return parsed


def convert(source: Path, declared: str, target: Path) -> None:
    """Write the checked image anew as qcow2. NoSpace when the disk fills up."""
    form = qemu_format(declared)
    try:
        run(
            ["qemu-img", "convert", "-f", form, "-O", "qcow2", str(source), str(target)],
            timeout=3600,
        )
    except Transient as error:
        if "No space left" in str(error):
            raise NoSpace("the disk is full") from error
        raise BadImage("the image cannot be read") from error


def measured(path: Path) -> ImageFacts:
    """Sizes of an image of ours."""
    return ImageFacts(int(facts(path)["virtual-size"]), path.stat().st_size)


def _check_header(path: Path) -> None:
    with path.open("rb") as file:
        raw = file.read(_HEADER.size)
    if len(raw) < _HEADER.size or raw[:4] != b"QFI\xfb":
        raise BadImage("the image is no qcow2 file")
    _magic, version, backing, *_sizes = _HEADER.unpack(raw)
    if backing:
        raise BadImage("the image has a backing file")
    if version not in (2, 3):
        raise BadImage(f"qcow2 version {version} is not supported")
    if version == 3 and _HEADER.unpack(raw)[12] & _EXTERNAL_DATA:
        raise BadImage("the image keeps its data in another file")
