"""What stands in the way is told in a sentence, with its remedy and exit code 2."""

import json
import socket
from pathlib import Path

import pytest

from tests.tools.commands import free_ports, pileus
from tools.home import Config, Home

# Root's files, but nobody's rights: the effective user of a namespace without a mapping.
NOT_ROOT = ("unshare", "--user")


def refused(*words: object, before: tuple[str, ...] = ()) -> str:
    """What a command said when it refused."""
    done = pileus(*words, before=before)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr


def up(home: Path, *words: object) -> tuple[object, ...]:
    return ("up", "--home", home, "--hypervisor", "memory", "--detach", *words)


@pytest.mark.parametrize("command", ["down", "status", "env"])
def test_a_home_without_a_cloud_is_told_how_to_make_one(tmp_path: Path, command: str) -> None:
    said = refused(command, "--home", tmp_path / "none")
    assert "There is no cloud" in said
    assert "pileus up" in said


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(*up(tmp_path / "home", "--aws-port", port))
    assert f"port {port}" in said
    assert "--aws-port" in said


def test_a_refused_start_leaves_no_cloud_behind(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    refused(*up(tmp_path / "home", "--aws-port", port, "--native-port", port))
    assert Home(tmp_path / "home").config() is None


def test_two_services_cannot_share_a_port(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    said = refused(*up(tmp_path / "home", "--aws-port", port, "--native-port", port))
    assert "cannot share" in said


def test_a_folder_of_something_else_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    assert "thesis.tex" in refused(*up(tmp_path))


def test_a_home_of_another_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cloud.json").write_text(json.dumps({"format": 99}))
    assert "format 99" in refused(*up(tmp_path))


def test_the_hypervisor_of_a_home_stays_what_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.save(Config("libvirt"))
    assert "--hypervisor libvirt" in refused(*up(tmp_path))


def test_real_guests_without_root_are_refused_with_both_remedies(tmp_path: Path) -> None:
    native, aws = free_ports(2)
    ports = ("--native-port", native, "--aws-port", aws)
    said = refused("up", "--home", tmp_path / "home", *ports, before=NOT_ROOT)
    assert "as root" in said
    assert "--hypervisor memory" in said


def test_a_port_that_is_no_number_is_refused(tmp_path: Path) -> None:
    assert "--aws-port" in refused(*up(tmp_path / "home", "--aws-port", "seventy"))


def test_another_command_on_the_same_home_is_waited_for(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    with home.exclusively():
        assert "Another pileus command" in refused(*up(tmp_path))


@pytest.mark.parametrize(
    "command", ["up", "down", "status", "env", "doctor", "ssh", "jobs", "image"]
)
def test_every_command_explains_itself(command: str) -> None:
    done = pileus(command, "--help")
    assert done.returncode == 0
    assert done.stdout.count("\n") >= 5
