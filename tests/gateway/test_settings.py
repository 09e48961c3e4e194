"""Settings: declared once, documented, and no secret shows itself."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from gateway import settings
from gateway.settings import Settings

README = Path(__file__).parents[2] / "gateway" / "README.md"


def test_the_readme_has_every_setting() -> None:
    """If this fails, put the text of ``gateway.settings.table()`` there."""
    assert settings.table() in README.read_text()


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('region = "from-file"\ninstance_type = "from-file"\n')
    monkeypatch.setenv("PILEUS_GATEWAY_CONFIG", str(file))
    monkeypatch.setenv("PILEUS_GATEWAY_REGION", "from-environment")
    made = Settings()
    assert (made.region, made.instance_type) == ("from-environment", "from-file")
    assert made.objects == Path.home() / ".pileus" / "objects"
    assert made.ec2_skew.total_seconds() == 300


def test_an_unknown_setting_in_the_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('colour = "blue"\n')
    monkeypatch.setenv("PILEUS_GATEWAY_CONFIG", str(file))
    with pytest.raises(ValidationError, match="colour"):
        Settings()


def test_the_service_secret_does_not_show_itself() -> None:
    assert "hidden" not in repr(Settings(service_secret=SecretStr("hidden")))
