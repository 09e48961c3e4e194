"""One emulated guest on a wire: qemu by itself, without libvirt, spoken to over QMP and SSH."""

import json
import re
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.live.wire import Wire, address, mac

# Guests run under emulation, on machines that may be busy with other things.
PATIENCE = 600


class Silent(Exception):
    """The guest did not say or do what was waited for."""


@dataclass
class Key:
    """A fresh SSH key pair; the private half is a file."""

    file: Path

    @classmethod
    def make(cls, folder: Path) -> "Key":
        """Make one in a folder."""
        file = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
        return cls(file)

    @property
    def public(self) -> str:
        """The line for authorized_keys."""
        return self.file.with_suffix(".pub").read_text()


@dataclass
class Emulated:
    """A guest with its own copy-on-write disk over an image.

    Args:
        seat: its place on the wire, which gives it its MAC and address.
        memory: MiB.
        size: GiB; how large the root disk is, however small the image.
        firmware: UUID of the machine as its firmware shows it.
    """

    wire: Wire
    key: Key
    image: Path
    seat: int
    memory: int
    size: int
    firmware: str
    _qemu: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Make the disk, unless it is there from an earlier start, and switch the machine on."""
        disk = self._file("qcow2")
        if not disk.exists():
            self.wire.tap(self.seat)
            backing = ["-b", str(self.image), "-F", "qcow2", str(disk), f"{self.size}G"]
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing], check=True)
        self._file("serial").write_text("")
        self._qemu = subprocess.Popen(self.wire.inside(*self._command()))

    def cut_power(self) -> None:
        """Switch the machine off without a word to the guest."""
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()

    def press_power_button(self) -> None:
        """Ask the guest to shut down by ACPI, and wait until it has."""
        assert self._qemu is not None
        self.qmp("system_powerdown")
        self._qemu.wait(PATIENCE)

    def wait_for(self, pattern: str, times: int = 1) -> list[str]:
        """Wait until the console has shown so many lines that begin so; what matched."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = re.findall(f"^{pattern}", self.console(), re.MULTILINE)
            if len(found) >= times:
                return found
            time.sleep(0.2)
        raise Silent(f"no {pattern!r} from the guest, but:\n{self.console()[-2000:]}")

    def console(self) -> str:
        """What the serial console has shown since the machine was switched on."""
        return self._file("serial").read_bytes().decode(errors="replace").replace("\r", "")

    def ssh(self, command: str) -> str:
        """Run a command in the guest as root, once its SSH server answers; what it printed."""
        deadline = time.monotonic() + PATIENCE
        line = self.wire.inside("ssh", *self._login(), f"root@{address(self.seat)}", command)
        while True:
            done = subprocess.run(line, capture_output=True, text=True)
            if done.returncode == 0:
                return done.stdout
            # 255 is ssh's own failure: the guest is not up yet, or has not got its key yet.
            if done.returncode != 255 or time.monotonic() > deadline:
                raise Silent(f"{command!r}: status {done.returncode}\n{done.stdout}{done.stderr}")
            time.sleep(0.3)

    def copy(self, source: Path | str, target: Path | str) -> None:
        """Copy a file by scp; a string such as ``:/root/file`` is a place in the guest."""
        host = f"root@{address(self.seat)}"
        ends = [host + end if isinstance(end, str) else str(end) for end in (source, target)]
        subprocess.run(self.wire.inside("scp", *self._login(), *ends), check=True)

    def host_fingerprint(self) -> str:
        """The fingerprint of the host key that the guest's SSH server shows the network."""
        scan = self.wire.inside("ssh-keyscan", "-t", "ed25519", str(address(self.seat)))
        key = subprocess.run(scan, capture_output=True, check=True).stdout
        digest = ["ssh-keygen", "-l", "-f", "-"]
        shown = subprocess.run(digest, input=key, capture_output=True, check=True)
        return shown.stdout.decode().split()[1]

    def plug_in_disk(self, file: Path) -> None:
        """Hot-plug a raw file as one more virtio disk."""
        storage = {"driver": "file", "filename": str(file)}
        self.qmp("blockdev-add", **{"node-name": "plugged", "driver": "raw", "file": storage})
        self.qmp("device_add", driver="virtio-blk-pci", drive="plugged", id="plugged")

    def qmp(self, command: str, **arguments: Any) -> None:
        """Run one command of the QEMU machine protocol."""
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(PATIENCE)
            channel.connect(str(self._file("qmp")))
            with channel.makefile("rw") as stream:
                stream.readline()  # the greeting
                _ask(stream, "qmp_capabilities", {})
                _ask(stream, command, arguments)

    def _file(self, kind: str) -> Path:
        return self.wire.folder / f"{self.seat}.{kind}"

    def _login(self) -> list[str]:
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "5",
            "IdentitiesOnly": "yes",
            "LogLevel": "ERROR",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["-i", str(self.key.file), *words]

    def _command(self) -> list[str]:
        options = {
            "machine": "pc",
            # The more programs a guest runs, the more translated code is worth keeping.
            "accel": f"tcg,tb-size={self.memory // 4}",
            # Not one with the Meltdown flaw: guarding against it is dear under emulation.
            "cpu": "Opteron_G3",
            "m": str(self.memory),
            "display": "none",
            "serial": f"file:{self._file('serial')}",
            "qmp": f"unix:{self._file('qmp')},server=on,wait=off",
            "smbios": f"type=1,uuid={self.firmware},serial={self.firmware}",
            "drive": f"if=virtio,format=qcow2,file={self._file('qcow2')}",
            "netdev": f"tap,id=card,ifname=tap{self.seat},script=no,downscript=no",
        }
        words = [word for name, value in options.items() for word in (f"-{name}", value)]
        # Without its boot ROM the card does not hold the firmware up.
        card = f"virtio-net-pci,netdev=card,mac={mac(self.seat)},romfile="
        return ["qemu-system-x86_64", *words, "-device", card, "-device", "virtio-rng-pci"]


def _ask(stream: IO[str], command: str, arguments: dict[str, Any]) -> None:
    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    stream.flush()
    while True:
        message = json.loads(stream.readline())
        if "error" in message:
            raise Silent(message["error"]["desc"])
        # Events may come in between.
        if "return" in message:
            return
