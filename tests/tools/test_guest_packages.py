from pathlib import Path

import pytest

from tools.guest_build import BuildError
from tools.guest_packages import closure, debian_sources

DEPENDS = """\
tool
  PreDepends: libc
 |Depends: libone
  Depends: libtwo
  Depends: debconf
  Depends: <virtual>
  Depends: libforeign:i386
libc
  Depends: libc
libone
  Depends: zlib1g
linux-image-cloud-amd64
  Depends: linux-image-6.1-cloud-amd64
linux-image-6.1-cloud-amd64
  Depends: kmod
debconf
  Depends: libdebconf
"""


class Apt:
    """Stands in for apt's programs: each prints what it is told to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def says(self, program: str, text: str, status: int = 0) -> None:
        (self._folder / f"{program}.out").write_text(text)
        file = self._folder / program
        file.write_text(f'#!/bin/sh\ncat "$0.out"\nexit {status}\n')
        file.chmod(0o755)


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Apt(tmp_path)


def test_packages_bring_their_libraries_and_the_kernel_but_no_helpers(apt: Apt) -> None:
    apt.says("apt-cache", DEPENDS)
    wanted = closure(["tool", "linux-image-cloud-amd64"])
    assert wanted == ["libc", "libone", "libtwo", "linux-image-6.1-cloud-amd64", "tool", "zlib1g"]


def test_debian_comes_from_all_its_repositories_and_from_no_other(apt: Apt) -> None:
    rows = [
        "Debian|bookworm|http://mirror/debian/|bookworm|main",
        "Debian|bookworm|http://mirror/debian/|bookworm|contrib",
        "Debian|bookworm|http://mirror/debian/|bookworm|main",
        "Debian|bookworm-security|http://mirror/security/|bookworm-security|main",
        "Somebody|stable|http://elsewhere/|stable|main",
    ]
    apt.says("apt-get", "".join(f"{row}\n" for row in rows))
    sources = debian_sources()
    assert sources.codename == "bookworm"
    assert sources.lines == (
        "deb http://mirror/debian/ bookworm main",
        "deb http://mirror/debian/ bookworm contrib",
        "deb http://mirror/security/ bookworm-security main",
    )


@pytest.mark.parametrize(
    ("codenames", "found"), [((), "none"), (("bookworm", "trixie"), "bookworm, trixie")]
)
def test_anything_but_one_debian_release_is_refused(
    apt: Apt, codenames: tuple[str, ...], found: str
) -> None:
    rows = (f"Debian|{name}|http://mirror/debian/|{name}|main\n" for name in codenames)
    apt.says("apt-get", "".join(rows))
    with pytest.raises(BuildError, match=rf"found: {found}\).*apt-get update"):
        debian_sources()


def test_a_package_that_apt_does_not_know_may_mean_missing_lists(apt: Apt) -> None:
    apt.says("apt-cache", "", status=100)
    with pytest.raises(BuildError, match=r"(?s)apt-cache failed with status 100.*apt-get update"):
        closure(["tool"])
