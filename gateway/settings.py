"""Every setting of the gateway, declared once.

Values come from the environment (``PILEUS_GATEWAY_NATIVE_URL`` …) or from the TOML file that
``PILEUS_GATEWAY_CONFIG`` names; the environment wins.
"""

import os
from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class Settings(BaseSettings):
    """Settings of one gateway."""

    model_config = SettingsConfigDict(
        env_prefix="PILEUS_GATEWAY_", extra="forbid", validate_default=True
    )

    native_url: str = Field(
        default="http://127.0.0.1:8080/client/api",
        description="Where the native API answers.",
    )
    native_timeout_seconds: float = Field(
        default=30.0, gt=0, description="How long one native call may take."
    )
    native_connections: int = Field(
        default=32, ge=1, description="Connections to the native API that are kept open."
    )
    service_key: str = Field(
        default="", description="Access key of the service user, which may look up callers' keys."
    )
    service_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret key of the service user."
    )
    credential_cache_seconds: float = Field(
        default=30.0,
        ge=0,
        description="How long a caller's keys are remembered. A disabled user may go on that long.",
    )
    catalog_cache_seconds: float = Field(
        default=10.0, ge=0, description="How long a caller's zones and offerings are remembered."
    )
    ec2_skew_seconds: float = Field(
        default=300.0, gt=0, description="How far an EC2 request's time may be from ours."
    )
    s3_skew_seconds: float = Field(
        default=900.0, gt=0, description="How far an S3 request's time may be from ours."
    )
    region: str = Field(
        default="us-east-1", description="Name of the region that this gateway says it is."
    )
    instance_type: str = Field(
        default="m1.small", description="Instance type when RunInstances names none."
    )
    volume_type: str = Field(
        default="gp2", description="Volume type (disk offering) when CreateVolume names none."
    )
    objects: Path = Field(
        default=Path("~/.pileus/objects"),
        description="Folder in which S3 keeps buckets and objects.",
    )

    @field_validator("objects")
    @classmethod
    def _at_home(cls, path: Path) -> Path:
        return path.expanduser()

    @property
    def ec2_skew(self) -> timedelta:
        """How far an EC2 request's time may be from ours, either way."""
        return timedelta(seconds=self.ec2_skew_seconds)

    @property
    def s3_skew(self) -> timedelta:
        """How far an S3 request's time may be from ours, either way."""
        return timedelta(seconds=self.s3_skew_seconds)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the TOML file if one is named."""
        file = os.environ.get("PILEUS_GATEWAY_CONFIG")
        toml = (TomlConfigSettingsSource(settings_cls, Path(file)),) if file else ()
        return (init_settings, env_settings, *toml)


def table() -> str:
    """The settings as a table in Markdown, for the README."""
    rows = (
        f"| `PILEUS_GATEWAY_{name.upper()}` | `{field.default}` | {field.description} |"
        for name, field in Settings.model_fields.items()
    )
    return "\n".join(("| setting | default | what it is |", "| --- | --- | --- |", *rows))
