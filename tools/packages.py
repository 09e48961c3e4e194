"""Which Debian packages are needed, read from ``debian-packages.txt``, and which are missing."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("debian-packages.txt")
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Package:
    """A Debian package; ``proof`` is a program it brings, or "-" when it brings none."""

    group: str
    name: str
    proof: str
    purpose: str

    @property
    def present(self) -> bool:
        """Whether its program is there, wherever it came from."""
        return self.proof == "-" or program(self.proof) is not None


def program(name: str) -> str | None:
    """Where a program is, looking into the system's folders too."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}")


def packages(*groups: str) -> list[Package]:
    """The packages of some groups."""
    lines = (line.split(maxsplit=3) for line in LIST.read_text().splitlines())
    known = [Package(*words) for words in lines if words and not words[0].startswith("#")]
    return [package for package in known if package.group in groups]


def missing(*groups: str) -> list[Package]:
    """The packages of some groups whose programs are not there."""
    return [package for package in packages(*groups) if not package.present]
