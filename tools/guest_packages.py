"""Debian packages for guests, from the mirrors this machine's own apt is set up with.

apt is asked rather than its files read, so both spellings of its sources work, and so do pinning,
proxies and signatures.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.guest_build import BuildError, run

KERNEL = "linux-image-cloud-amd64"

_FOLLOWED = ("lib", "zlib", "linux-image-")

_DEPENDS = re.compile(r"^[ |]{2}(Pre)?Depends: (?P<name>[a-z0-9][a-z0-9+.-]*)$")
_OFFER = re.compile(r"^'[^']+' (?P<file>\S+) \d+ SHA256:(?P<sha256>[0-9a-f]{64})$", re.MULTILINE)


def closure(packages: Iterable[str]) -> list[str]:
    """The packages, the libraries they need in turn, and the kernel behind its metapackage.

    Libraries are told by their names, of which zlib1g alone does not begin with "lib".
    Other dependencies (what maintainer scripts call, say) are left out on purpose: the packages
    are unpacked, never configured.
    """
    wanted = list(packages)
    needs = _dependencies(wanted)
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += [need for need in needs.get(name, ()) if need.startswith(_FOLLOWED)]
    return sorted(found - {KERNEL})


def _dependencies(packages: Sequence[str]) -> dict[str, list[str]]:
    """Who depends on whom, among everything the packages reach."""
    needs: dict[str, list[str]] = {}
    here: list[str] = []
    for line in _apt("apt-cache", "depends", "--recurse", "--important", *packages).splitlines():
        if not line.startswith((" ", "|")):
            here = needs.setdefault(line, [])
        elif match := _DEPENDS.match(line):
            here.append(match["name"])
    return needs


def fetch(packages: Sequence[str], folder: Path) -> list[Path]:
    """Download packages into a folder that is kept as a cache; what is outdated there goes away.

    Raises:
        BuildError: apt does not know a package or cannot fetch it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Left alone, apt downloads as a user of its own, who may not write to this folder.
    download = ("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download")
    offers = _OFFER.finditer(_apt(*download, "--print-uris", *packages))
    files = {folder / offer["file"]: offer["sha256"] for offer in offers}
    for path in folder.iterdir():
        if path not in files:
            path.unlink()
    if any(not path.exists() or _sha256(path) != sha256 for path, sha256 in files.items()):
        run([*download, *packages], cwd=folder)
    return sorted(files)


# ``dpkg-deb --extract`` would put folders in the place of the links /bin, /lib and so on.
_UNPACK = """
dpkg-deb --fsys-tarfile "$1" >"$2/.package" &&
tar --extract --keep-directory-symlink --file "$2/.package" --directory "$2" &&
rm "$2/.package"
"""


def unpack(package: Path, root: Path) -> None:
    """Unpack a package's files over a root whose /bin and /lib are links into /usr."""
    run(["sh", "-c", _UNPACK, "sh", package, root])


@dataclass(frozen=True)
class Sources:
    """A Debian release and the one-line apt sources that provide it, newest fixes included."""

    codename: str
    lines: tuple[str, ...]


def debian_sources() -> Sources:
    """Where this machine gets Debian from; other repositories it uses are passed over.

    Raises:
        BuildError: it gets no Debian release from anywhere.
    """
    fields = "$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    listing = _apt("apt-get", "indextargets", "--format", fields, "Created-By: Packages")
    rows = [line.split("|") for line in listing.splitlines()]
    debian = [row[1:] for row in rows if row[0] == "Debian"]
    # bookworm-updates and bookworm-security follow the release they are named after.
    codenames = sorted({codename.partition("-")[0] for codename, *_ in debian})
    if len(codenames) != 1:
        raise BuildError(
            "apt must offer one Debian release (found: "
            f"{', '.join(codenames) or 'none'}); see /etc/apt, then run: apt-get update"
        )
    lines = dict.fromkeys(f"deb {uri} {suite} {component}" for _, uri, suite, component in debian)
    return Sources(codenames[0], tuple(lines))


def _apt(*command: str) -> str:
    try:
        return run(command)
    except BuildError as error:
        raise BuildError(f"{error}\nIf package lists are missing, run: apt-get update") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
