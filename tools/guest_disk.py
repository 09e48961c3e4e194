"""From a folder to a bootable disk: ext4 without partitions, extlinux, compressed qcow2.

Without a partition table the filesystem can grow to the end of the disk while it is mounted, with
nothing but ``resize2fs``. The boot loader reads the filesystem by itself and is older than some
ext4 features, hence the list of those that stay off.
"""

from pathlib import Path

from tools.guest_build import run, run_contained

PROGRAMS = ("extlinux", "mkfs.ext4", "qemu-img", "unshare")

ROOT_LABEL = "pileus-root"

_MIB = 1024 * 1024
_BLOCK = 4096
# The journal stays: a guest may lose power at any time. 64bit group descriptors and checksummed
# metadata are what extlinux cannot read; uninit_bg keeps growing cheap without the latter.
_FEATURES = "^64bit,^metadata_csum,uninit_bg,^huge_file,^dir_nlink"
# Room for the group descriptors of a disk of one tebibyte, the furthest it can grow while mounted.
_GROWTH_BLOCKS = 2**40 // _BLOCK

# extlinux wants its folder mounted.
_INSTALL = """
mount -o loop "$1" "$2" || exit
extlinux --install "$2/boot"
status=$?
umount "$2" || exit
exit $status
"""


def make_disk(root: Path, size: int, work: Path) -> Path:
    """Write a guest's root folder to a raw disk of ``size`` MiB that a BIOS can boot.

    Expects kernel, initramfs and ``extlinux.conf`` in ``root/boot``.
    """
    raw = work / "disk.raw"
    with raw.open("wb") as file:
        file.truncate(size * _MIB)
    options = ["-L", ROOT_LABEL, "-m", "0", "-b", str(_BLOCK), "-O", _FEATURES]
    growth = f"resize={_GROWTH_BLOCKS},lazy_itable_init=0"
    run(["mkfs.ext4", "-q", "-F", *options, "-E", growth, "-d", root, raw])
    mountpoint = work / "mount"
    mountpoint.mkdir()
    run_contained(["sh", "-c", _INSTALL, "sh", raw, mountpoint])
    return raw


def compress(raw: Path, output: Path) -> None:
    """Write a raw disk as a compressed qcow2 file, by zstd: seven times as fast as the default."""
    run(["qemu-img", "convert", "-c", "-o", "compression_type=zstd", "-O", "qcow2", raw, output])
