"""A shell in a guest, for looking: commands over SSH with the tour's own key."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tools.home import Config, Home
from tools.native import as_admin
from tools.ssh import command, find_guest

LOGIN_SECONDS = 180.0
SETTLE_SECONDS = 60.0
_METADATA = "http://169.254.169.254/latest/"
_SECTOR = 512
# BusyBox's wget crashes with its own timeout option, so the time limit comes from outside.
_FETCH = "timeout 10 wget -q -O - "


class Unseen(Exception):
    """A step claimed to work, but its effect was not seen."""


def see(true: bool, what: str) -> None:
    """Insist that something is so.

    Raises:
        Unseen: it is not.
    """
    if not true:
        raise Unseen(f"not seen: {what}")


class GuestShell:
    """Runs commands in one instance as root."""

    def __init__(self, home: Home, config: Config, instance: str, key: Path) -> None:
        self._home, self._key = home, key
        self._guest = find_guest(home, config, as_admin(home, config), instance)

    def run(self, line: str) -> str:
        """What a command line wrote, without white space around it.

        Raises:
            Unseen: it failed.
        """
        done = self._attempt(line)
        see(done.returncode == 0, f"{line!r} works in the guest ({done.stderr.strip()})")
        return done.stdout.strip()

    def await_login(self) -> str:
        """Wait until the guest lets us in; what ``uname`` says there."""
        return self.until("uname -nrm", bool, "the guest lets us in", LOGIN_SECONDS)

    def until(
        self,
        line: str,
        good: Callable[[str], bool],
        what: str,
        patience: float = SETTLE_SECONDS,
    ) -> str:
        """Run a command line again and again until its output is good; that output.

        Raises:
            Unseen: it was not, within ``patience`` seconds.
        """
        deadline = time.monotonic() + patience
        while True:
            done = self._attempt(line)
            text = done.stdout.strip()
            if done.returncode == 0 and good(text):
                return text
            see(time.monotonic() < deadline, f"{what} ({text or done.stderr.strip()})")
            time.sleep(0.5)

    def metadata(self, path: str) -> str:
        """What the metadata service tells this guest."""
        return self.run(f"{_FETCH}{_METADATA}{path}")

    def disk(self, name: str) -> int:
        """Bytes of a block device."""
        return int(self.run(f"cat /sys/block/{name}/size")) * _SECTOR

    def until_disk(self, name: str, size: int) -> None:
        """Wait until a block device of exactly that many bytes is there."""
        wanted = str(size // _SECTOR)
        line = f"cat /sys/block/{name}/size"
        self.until(line, lambda text: text == wanted, f"/dev/{name} of {size} bytes")

    def root_filesystem(self) -> int:
        """Bytes of the root file system."""
        return int(self.run("df -P -k / | tail -n 1").split()[1]) * 1024

    def _attempt(self, line: str) -> subprocess.CompletedProcess[str]:
        # A guest that is still booting drops what it gets: ask anew soon, not with TCP's pauses.
        argv = command(
            *(self._home, self._guest), key=self._key, user="root", words=(line,), connect_seconds=3
        )
        try:
            return subprocess.run(
                argv,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(argv, 255, "", "no answer within 60 s")
