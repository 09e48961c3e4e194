"""The home of a cloud: its files, their modes, and its locks."""

import json
from pathlib import Path

import pytest

from tools.home import FORMAT, Config, Home, Key
from tools.refusal import Refusal


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "cloud")
    made.prepare()
    return made


def test_a_folder_that_is_not_there_is_a_home_to_be(tmp_path: Path) -> None:
    assert Home(tmp_path / "none").config() is None


def test_a_home_is_for_its_owner_alone(home: Home) -> None:
    assert home.path.stat().st_mode & 0o777 == 0o700
    assert all(folder.stat().st_mode & 0o777 == 0o700 for folder in home.path.iterdir())


def test_a_saved_config_is_read_back(home: Home) -> None:
    home.save(Config("memory", 1234, 4321))
    assert home.config() == Config("memory", 1234, 4321)


def test_a_key_is_secret_on_disk_and_is_read_back(home: Home) -> None:
    home.save_key("admin", Key("access", "secret"))
    assert home.key("admin") == Key("access", "secret")
    assert (home / "keys/admin.json").stat().st_mode & 0o777 == 0o600


def test_writing_leaves_no_other_file_behind(home: Home) -> None:
    home.write("run/x", "1")
    home.write("run/x", "2")
    assert [file.name for file in (home / "run").iterdir()] == ["x"]


def test_a_home_of_another_format_is_refused(home: Home) -> None:
    (home / "cloud.json").write_text(json.dumps({"format": FORMAT + 1}))
    with pytest.raises(Refusal, match=f"format {FORMAT + 1}"):
        home.config()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"'])
def test_a_home_whose_description_is_broken_is_refused(home: Home, text: str) -> None:
    (home / "cloud.json").write_text(text)
    with pytest.raises(Refusal):
        home.config()


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(Refusal, match=r"holiday\.jpg"):
        Home(tmp_path).config()


def test_a_file_is_no_home(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(Refusal, match="not a folder"):
        Home(file).config()


def test_a_home_under_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match="cannot be made"):
        Home(tmp_path / "file" / "home").prepare()


def test_an_empty_home_is_no_cloud(home: Home) -> None:
    with pytest.raises(Refusal, match="There is no cloud"):
        home.expect()


def test_two_commands_do_not_work_on_one_home(home: Home) -> None:
    with home.exclusively(), pytest.raises(Refusal, match="Another pileus"), home.exclusively():
        pass


def test_a_home_is_free_again_after_a_command(home: Home) -> None:
    with home.exclusively():
        pass
    with home.exclusively():
        pass


def test_homes_have_different_tags(tmp_path: Path) -> None:
    assert Home(tmp_path / "a").tag != Home(tmp_path / "b").tag


def test_without_a_supervisor_nothing_runs(home: Home) -> None:
    assert home.supervisor() is None
