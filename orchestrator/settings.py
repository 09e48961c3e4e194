"""Every setting of the orchestrator and the native API, declared once.

Values come from the environment (``PILEUS_HOME`` …) or from the TOML file that ``PILEUS_CONFIG``
names; the environment wins. Global configuration parameters that an administrator changes at run
time are not here but in :mod:`orchestrator.resources.configuration`.
"""

import hashlib
import os
import socket
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class Settings(BaseSettings):
    """Settings of one cloud's orchestrator and native API."""

    model_config = SettingsConfigDict(env_prefix="PILEUS_", extra="forbid")

    home: Path = Field(
        default_factory=lambda: Path.home() / ".pileus",
        description="Folder that holds all state of this cloud: database, disks, keys, logs.",
    )
    database_url: str = Field(
        default="",
        description="SQLAlchemy URL of the database; empty: an SQLite file under the home.",
    )
    hypervisor: Literal["libvirt", "memory"] = Field(
        default="libvirt",
        description="libvirt runs real guests on this machine; memory simulates them.",
    )
    machine_type: Literal["auto", "kvm", "qemu"] = Field(
        default="auto",
        description="How libvirt runs guests; auto takes kvm only after a probe guest has booted.",
    )
    workers: int = Field(default=4, ge=1, le=64, description="Jobs that run at the same time.")
    lease_seconds: float = Field(
        default=180.0,
        gt=0,
        description="How long a job stays with a runner that shows no life. "
        "Must exceed the longest driver call.",
    )
    poll_seconds: float = Field(
        default=0.1, gt=0, description="Pause between two looks for new jobs."
    )
    reconcile_seconds: float = Field(
        default=10.0, gt=0, description="Pause between two comparisons of the hosts with the rows."
    )
    node: str = Field(
        default_factory=socket.gethostname,
        description="Name of this orchestrator among those that share the database.",
    )

    @property
    def url(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.home / 'cloud.sqlite'}"

    @property
    def tag(self) -> str:
        """Six hexadecimal digits that name this cloud among those on the same machine."""
        path = str(self.home.absolute()).encode()
        return hashlib.sha1(path, usedforsecurity=False).hexdigest()[:6]

    @property
    def secrets_file(self) -> Path:
        """The key under which secrets lie encrypted in the database."""
        return self.home / "keys" / "secrets.key"

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
        file = os.environ.get("PILEUS_CONFIG")
        toml = (TomlConfigSettingsSource(settings_cls, Path(file)),) if file else ()
        return (init_settings, env_settings, *toml)
