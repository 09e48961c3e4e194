"""Settings: declared once, documented, and no secret shows itself."""

from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from gateway import settings
from gateway.settings import Settings
from gateway.stores import store
from s3store.engines.rados import RadosEngine
from s3store.engines.s3 import S3Engine

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
    assert made.storage_root == Path.home() / ".pileus" / "objects"
    assert made.ec2_skew.total_seconds() == 300


def test_the_file_may_name_the_folder_of_the_objects_as_the_guide_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('storage.root = "/srv/objects"\n')
    monkeypatch.setenv("PILEUS_GATEWAY_CONFIG", str(file))
    assert Settings().storage_root == Path("/srv/objects")


@pytest.mark.parametrize("line", ['colour = "blue"', 'storage.colour = "blue"'])
def test_an_unknown_setting_in_the_file_is_refused(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(line + "\n")
    monkeypatch.setenv("PILEUS_GATEWAY_CONFIG", str(file))
    with pytest.raises(ValidationError, match="colour"):
        Settings()


def test_the_service_secret_does_not_show_itself() -> None:
    assert "hidden" not in repr(Settings(service_secret=SecretStr("hidden")))


def test_the_keys_of_objects_lie_with_them_unless_said_otherwise() -> None:
    assert Settings(storage_root=Path("/srv/s3")).keys == Path("/srv/s3/keys")
    assert Settings(s3_keys=Path("~/keys")).keys == Path.home() / "keys"


def test_the_place_of_the_content_is_a_url_of_an_s3_endpoint_or_of_a_pool(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="must look like"):
        Settings(s3_blobs_url="https://host/bucket")
    told = Settings(
        storage_root=tmp_path,
        s3_blobs_url="s3+https://host:9000/bucket/prefix",
        s3_blobs_key=SecretStr("key"),
        s3_blobs_secret=SecretStr("hidden"),
    )
    assert "hidden" not in repr(told)
    with closing(store(told)) as made:
        assert isinstance(made.blobs, S3Engine)
    with closing(store(Settings(storage_root=tmp_path, s3_blobs_url="rados://client.a@p"))) as made:
        assert isinstance(made.blobs, RadosEngine)
    assert not (tmp_path / "blobs").exists()
