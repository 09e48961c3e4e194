"""Which of qemu's two ways works on this machine: ``kvm`` or ``qemu`` (emulation).

That ``/dev/kvm`` can be opened proves nothing: on some nested hosts it opens, and guests hang. So a
probe guest is booted under kvm, with a short limit. It is a boot sector (``probe.S``) that enters
long mode, takes a page fault and twenty timer interrupts, and ends qemu with a status of its own.
When the host's own Linux kernel can be read, it is booted too, without a root disk: it must get as
far as to panic, which ends qemu.
"""

import os
import platform
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from orchestrator.driver.ports import Refused

_EMULATOR = "qemu-system-x86_64"
_BARE = (_EMULATOR, "-nodefaults", "-display", "none", "-no-reboot")
_SECONDS = 4.0
_KERNEL_SECONDS = 20.0
# What probe.S writes to the exit device, as qemu's status.
_ALIVE = 33

# probe.S, assembled; zeroes up to the boot signature are left out.
_CODE = bytes.fromhex(
    "fa31c08ed88ec08ed0bc007cfc66bf001000000f22df6631c0b9000c66f3ab66c70600100320000066c70600"
    "200330000066c7060030830000000f20e06683c8200f22e066b9800000c00f32660d000100000f300f011628"
    "7d0f20c0660d010000800f22c0ea6a7c0800b8100000008ed88ec08ed0bf0050000031c0b900040000f3abbf"
    "e0500000b8ea7c0000e869000000bf00520000b8e27c0000e85a0000000f011c252e7d0000bb000040008803"
    "b011e620b020e621b004e621b001e621b0fee621b034e643b0a9e640b004e640bd14000000fbf485ed75fbb0"
    "10e6f4f4ebfdffcdb020e62048cfc7042510300000830040004883c40848cf66890766c747020800c647058e"
    "c1e81066894706c3000000000000000000000000009a200000000000009200001700107d0000ff0f0050"
)


def boot_sector() -> bytes:
    """The probe guest, 512 bytes."""
    return _CODE.ljust(510, b"\0") + b"\x55\xaa"


class Accelerator:
    """The choice, made once per process and only when somebody asks.

    Args:
        machine_type: ``kvm`` or ``qemu`` to have it so without a probe, or ``auto``.
    """

    def __init__(self, machine_type: str) -> None:
        if machine_type not in ("auto", "kvm", "qemu"):
            raise ValueError(f"{machine_type!r} is no machine type")
        self._chosen = None if machine_type == "auto" else machine_type
        self._lock = threading.Lock()

    def choose(self) -> str:
        """``kvm`` or ``qemu``. The first call may take some seconds."""
        with self._lock:
            if self._chosen is None:
                self._chosen = "kvm" if works("kvm") else "qemu"
            return self._chosen


def works(accelerator: str) -> bool:
    """Whether guests run under ``kvm`` or ``tcg`` here. Refused when qemu is not installed."""
    if accelerator == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    if not _boots_sector(accelerator):
        return False
    kernel = Path(f"/boot/vmlinuz-{platform.release()}")
    return not os.access(kernel, os.R_OK) or _boots_kernel(accelerator, kernel)


def _boots_sector(accelerator: str) -> bool:
    with tempfile.NamedTemporaryFile(suffix=".img") as disk:
        disk.write(boot_sector())
        disk.flush()
        drive = f"file={disk.name},format=raw,if=ide,readonly=off"
        exit_device = "isa-debug-exit,iobase=0xf4,iosize=4"
        arguments = ["-m", "32", "-drive", drive, "-device", exit_device]
        return _status(accelerator, arguments, _SECONDS) == _ALIVE


def _boots_kernel(accelerator: str, kernel: Path) -> bool:
    arguments = ["-m", "256", "-kernel", str(kernel), "-append", "quiet panic=-1"]
    return _status(accelerator, arguments, _KERNEL_SECONDS) == 0


def _status(accelerator: str, arguments: Sequence[str], seconds: float) -> int | None:
    """How qemu ended; None when it was killed for taking too long."""
    try:
        done = subprocess.run(
            [*_BARE, "-accel", accelerator, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    except FileNotFoundError as error:
        raise Refused(f"{_EMULATOR} is not installed") from error
    return done.returncode
