"""The full guest: Debian with cloud-init and OpenSSH, as other clouds have it.

mmdebstrap makes it from the repositories this machine's own apt uses. Our files (see
``tools/guest/full``) are laid down before the first package is configured, so that the initramfs
is made only once and made right.
"""

import shlex
from pathlib import Path

from tools import guest_disk, guest_packages
from tools.guest_build import Progress, Recipe, put_files, run_contained, step

DISK_MIB = 2048

_PACKAGES = (
    guest_packages.KERNEL,
    "ca-certificates",
    "cloud-init",
    "dbus",  # without it logind does not see the power button
    "e2fsprogs",
    "ifupdown",  # what cloud-init configures the network with
    "initramfs-tools",
    "iproute2",
    "iputils-ping",
    "isc-dhcp-client",
    "netbase",
    "openssh-server",
    "procps",
    "sudo",
    "systemd-sysv",
)

# Manuals and translations are a third of the size; licences stay.
_LEFT_OUT = (
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
)

# Housekeeping that would only compete with the guest's own work.
_TIMERS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
)

# What makes a machine itself is not for an image: each instance makes its own keys and number. The
# name and the resolver are this machine's, lent by mmdebstrap; with a resolver that it cannot reach
# cloud-init waits for half a minute.
_ANONYMOUS = """
rm -f "$1"/etc/ssh/ssh_host_* &&
: >"$1/etc/machine-id" &&
: >"$1/etc/resolv.conf" &&
echo debian >"$1/etc/hostname"
"""


def build(work: Path, packages: Path, progress: Progress) -> Path:
    """Build the guest's raw disk in the folder ``work``.

    ``packages``, a cache of downloads, is not used: mmdebstrap fetches by itself.

    Raises:
        BuildError: apt offers no Debian, or mmdebstrap failed.
    """
    sources = guest_packages.debian_sources()
    root = work / "root"
    with step(progress, f"Debian {sources.codename} (takes minutes)"):
        files = work / "files"
        put_files("full", files)
        text = "".join(f"{line}\n" for line in sources.lines)
        run_contained(_mmdebstrap(sources.codename, root, files), text=text)
    with step(progress, "disk"):
        return guest_disk.make_disk(root, DISK_MIB, work)


def _mmdebstrap(codename: str, root: Path, files: Path) -> list[str | Path]:
    """The command that makes the root folder; it reads apt sources from its standard input."""
    hooks = {
        "setup": f'cp -r {shlex.quote(str(files))}/. "$1"',
        "customize": f'chroot "$1" systemctl --quiet disable {" ".join(_TIMERS)} && {_ANONYMOUS}',
    }
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--mode=root",
        f"--include={','.join(_PACKAGES)}",
        *(f"--dpkgopt={option}" for option in _LEFT_OUT),
        *(f"--{name}-hook={hook}" for name, hook in hooks.items()),
        codename,
        root,
        "-",
    ]


RECIPE = Recipe(
    build=build,
    programs=(*guest_disk.PROGRAMS, "mmdebstrap"),
    files=("full",),
    code=Path(__file__),
)
