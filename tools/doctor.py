"""Preconditions, each with its remedy: what ``pileus doctor`` prints and ``pileus up`` insists on.

A kernel feature is proven by using it in a network namespace that vanishes with the command, not by
looking for a module's name: built-in, loaded and loadable look alike then.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tools import packages
from tools.home import Config, Home

ENOUGH_DISK = 2 * 1024**3
ENOUGH_MEMORY = 1024**3
_FEATURES = {
    "network namespaces": "true",
    "bridges": "ip link add name t0 type bridge",
    "virtual cables (veth)": "ip link add name t0 type veth peer name t1",
    "TUN/TAP devices": "ip tuntap add dev t0 mode tap",
    "nftables, address family ip": "nft add table ip a",
    "nftables, address family bridge": "nft add table bridge a",
    "connection tracking": "nft add table ip a && nft add chain ip a b && "
    "nft add rule ip a b ct state established accept",
    "bridged packets through the filter": "modprobe -q br_netfilter; "
    "test -e /proc/sys/net/bridge/bridge-nf-call-iptables",
}


@dataclass(frozen=True)
class Finding:
    """One precondition: whether it holds, what was seen, and the remedy if it does not."""

    name: str
    holds: bool
    seen: str
    remedy: str = ""


def examine(home: Home, config: Config, *, running: bool, probe: bool) -> Iterator[Finding]:
    """Every precondition of a cloud.

    Args:
        running: the cloud runs now, so its ports are rightly taken.
        probe: also boot a probe guest to see whether /dev/kvm really works (some seconds).
    """
    yield _python()
    yield _disk(home)
    if not running:
        yield from map(port_free, (config.native_port, config.aws_port))
    if config.hypervisor == "libvirt":
        yield from host_findings()
        yield from map(_package, packages.packages("image"))
        if probe and packages.program("qemu-system-x86_64"):
            yield _kvm()


def host_findings() -> Iterator[Finding]:
    """What a machine needs to run real guests."""
    yield _root()
    yield from map(_package, packages.packages("host"))
    yield _libvirt_binding()
    yield _memory()
    if os.geteuid() == 0:
        yield from (kernel_feature(name, trial) for name, trial in _FEATURES.items())


def port_free(port: int) -> Finding:
    """Whether a port of 127.0.0.1 can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(
                f"port {port}",
                False,
                f"cannot be had on 127.0.0.1: {(error.strerror or '').lower()}",
                "stop what listens there, or choose others with --native-port and --aws-port",
            )
    return Finding(f"port {port}", True, "free")


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer")


def _disk(home: Home) -> Finding:
    folder = next(path for path in (home.path, *home.path.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    seen = f"{free / 1024**3:.1f} GiB free at {folder}"
    return Finding("disk space", free >= ENOUGH_DISK, seen, "free 2 GiB, or use another --home")


def _root() -> Finding:
    root = os.geteuid() == 0
    return Finding(
        "root",
        root,
        "yes" if root else "real guests need it, and this is another user",
        "run as root, or simulate the guests with --hypervisor memory",
    )


def _package(package: packages.Package) -> Finding:
    seen = "there" if package.present else f"{package.proof} is missing: it {package.purpose}"
    return Finding(package.name, package.present, seen, f"apt-get install {package.name}")


def _libvirt_binding() -> Finding:
    there = find_spec("libvirt") is not None
    seen = "there" if there else "Python cannot import libvirt"
    return Finding("libvirt-python", there, seen, "pip install 'pileus[kvm]' in this environment")


def _memory() -> Finding:
    rows = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(rows["MemAvailable"].split()[0]) * 1024
    seen = f"{free / 1024**3:.1f} GiB available"
    return Finding("memory", free >= ENOUGH_MEMORY, seen, "free 1 GiB; a small guest takes 0.2 GiB")


def kernel_feature(name: str, trial: str) -> Finding:
    """Whether a trial, as shell commands, works in a network namespace of its own."""
    script = f"PATH=$PATH:/usr/sbin:/sbin; {trial}"
    done = subprocess.run(
        ("unshare", "--net", "sh", "-c", script), capture_output=True, text=True, check=False
    )
    lines = done.stderr.strip().splitlines()
    seen = "works" if done.returncode == 0 else (lines[-1] if lines else "is not there")
    return Finding(
        f"kernel: {name}",
        done.returncode == 0,
        seen,
        "use a kernel that has it (Debian's own does), and allow this machine to make namespaces",
    )


def _kvm() -> Finding:
    """Never fails: without KVM guests are emulated. Opening the device proves nothing."""
    from orchestrator.driver.libvirt.probe import works

    if not Path("/dev/kvm").exists():
        seen = "absent; guests will be emulated, which is some ten times slower"
    elif works("kvm"):
        seen = "a probe guest has booted; guests will run under KVM"
    else:
        seen = "there, but a probe guest did not boot under it; guests will be emulated"
    return Finding("/dev/kvm", True, seen)
