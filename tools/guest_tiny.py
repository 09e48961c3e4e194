"""The tiny guest: a kernel, busybox and an SSH server out of Debian packages, some 20 MB in all.

It behaves like a cloud image (see the scripts in ``tools/guest/tiny``) and is up in seconds even
where guests are emulated, which makes it the guest of the tests and of the first steps.

The packages are unpacked side by side into a *stage*; the guest's root gets only what it needs of
it. Programs' libraries are found by the stage's own dynamic loader, never by this machine's.
"""

import os
import shutil
from pathlib import Path

from tools import guest_disk, guest_packages
from tools.guest_build import BuildError, Progress, Recipe, put_files, run, step

DISK_MIB = 64

# Busybox is the static one: under emulation a program that needs libraries takes a tenth of a
# second to start, and boot scripts start hundreds of programs.
_PACKAGES = (
    guest_packages.KERNEL,
    "busybox-static",
    "dropbear-bin",
    "e2fsprogs",
    "openssh-sftp-server",  # makes scp and sftp work with dropbear
)

# What is not a part of busybox; links keep the names people type.
_PROGRAMS = (
    "usr/sbin/dropbear",
    "usr/bin/dropbearkey",
    "usr/lib/sftp-server",
    "sbin/e2fsck",
    "sbin/mke2fs",
    "sbin/resize2fs",
    "sbin/tune2fs",
)
_LINKS = {"sbin/mkfs.ext4": "mke2fs", "sbin/fsck.ext4": "e2fsck"}

# Loaded by the initramfs; button and evdev make the ACPI power button work.
_MODULES = (
    "virtio_pci",
    "virtio_blk",
    "virtio_net",
    "virtio-rng",
    "virtio_console",
    "virtio_balloon",
    "button",
    "evdev",
    "isofs",
)

_FOLDERS = ("dev", "mnt", "proc", "run", "srv", "sys", "tmp", "var/lib", "var/log")
_MERGED = ("bin", "lib", "lib64", "sbin")


def build(work: Path, packages: Path, progress: Progress) -> Path:
    """Build the guest's raw disk in the folder ``work``; ``packages`` is a cache of downloads.

    Raises:
        BuildError: a package, a program or a library is not to be had.
    """
    with step(progress, "packages"):
        names = guest_packages.closure(_PACKAGES)
        files = guest_packages.fetch(names, packages)
    with step(progress, "unpacking"):
        stage = _merged_root(work / "stage")
        for file in files:
            guest_packages.unpack(file, stage)
    with step(progress, "root filesystem"):
        root = _merged_root(work / "root")
        _fill(root, stage)
    with step(progress, "kernel and initramfs"):
        _add_kernel(root, stage, work / "initramfs")
    with step(progress, "disk"):
        return guest_disk.make_disk(root, DISK_MIB, work)


def _merged_root(root: Path) -> Path:
    """A new root folder whose /bin, /lib, /lib64 and /sbin are links into /usr."""
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    return root


def _fill(root: Path, stage: Path) -> None:
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True)
    for folder, mode in (("root", 0o700), ("tmp", 0o1777), ("etc/dropbear", 0o700)):
        (root / folder).mkdir(exist_ok=True, parents=True)
        (root / folder).chmod(mode)
    for program in _PROGRAMS:
        _install_program(root, stage, program)
    for link, target in _LINKS.items():
        (root / link).symlink_to(target)
    _link_busybox(root, stage)
    shutil.copy2(stage / "etc/mke2fs.conf", root / "etc/mke2fs.conf")
    put_files("tiny", root)
    (root / "etc/shadow").chmod(0o600)


def _link_busybox(root: Path, stage: Path) -> None:
    """Install busybox under all its names, init among them, but those of programs put in before."""
    _copy(root, stage, "bin/busybox")
    for applet in run(["chroot", stage, "/bin/busybox", "--list-full"]).split():
        if not os.path.lexists(root / applet):
            (root / applet).symlink_to("/bin/busybox")


def _install_program(root: Path, stage: Path, program: str) -> None:
    """Copy a program and the libraries it needs."""
    loader = "/lib64/ld-linux-x86-64.so.2"
    listing = run(["chroot", stage, loader, "--list", f"/{program}"])
    _copy(root, stage, program)
    for word in listing.split():
        if word == "not":
            raise BuildError(f"a library of {program} is in none of the packages:\n{listing}")
        if word.startswith("/"):
            _copy(root, stage, word.lstrip("/"))


def _copy(root: Path, stage: Path, name: str) -> None:
    target = root / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(os.path.realpath(stage / name), target)


def _add_kernel(root: Path, stage: Path, initramfs: Path) -> None:
    """Put the kernel into the root, and an initramfs with the modules that reach the root disk."""
    (version,) = os.listdir(stage / "lib/modules")
    put_files("initramfs", initramfs)
    _copy(initramfs, stage, "bin/busybox")
    for folder in ("dev", "lib/modules", "mnt", "proc", "sys"):
        (initramfs / folder).mkdir(parents=True, exist_ok=True)
    modules = _modules(stage, version)
    for module in modules:
        shutil.copy2(module, initramfs / "lib/modules")
    order = "".join(f"{module.name}\n" for module in modules)
    (initramfs / "lib/modules/order").write_text(order)
    image = root / "boot/initrd.img"
    run(
        ["sh", "-c", 'find . | cpio --create --format=newc --quiet | gzip -9 >"$1"', "sh", image],
        cwd=initramfs,
    )
    shutil.copy2(stage / f"boot/vmlinuz-{version}", root / "boot/vmlinuz")


def _modules(stage: Path, version: str) -> list[Path]:
    """The modules' files, each after those it depends on."""
    run(["depmod", "--basedir", stage, version])
    query = ["modprobe", "--dirname", str(stage), "--set-version", version, "--show-depends"]
    files: dict[Path, None] = {}
    for name in _MODULES:
        for line in run([*query, name]).splitlines():
            verb, _, rest = line.partition(" ")
            if verb == "insmod":
                files[Path(rest.split()[0])] = None
    return list(files)


RECIPE = Recipe(
    build=build,
    programs=(*guest_disk.PROGRAMS, "cpio", "depmod"),
    files=("tiny", "initramfs"),
    code=Path(__file__),
)
