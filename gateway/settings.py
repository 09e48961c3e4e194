"""Every setting of the gateway, declared once.

Values come from the environment (``PILEUS_GATEWAY_NATIVE_URL`` …) or from the TOML file that
``PILEUS_GATEWAY_CONFIG`` names; the environment wins. In the file ``storage.root`` is
``storage_root``, and so for all others: the dotted names are those of CloudStack's own gateway.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from gateway.credentials import UNKNOWN_PER_SECOND
from gateway.s3.background.receivers import Guard
from gateway.s3.web.handover import METADATA, Handover
from s3store.engines.places import place_of
from s3store.records import Quota

_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z")


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
    unknown_keys_per_second: float = Field(
        default=UNKNOWN_PER_SECOND,
        gt=0,
        description="How many access keys that nobody owns each process asks the native API for; "
        "beyond, callers whose keys it does not remember get 503.",
    )
    catalog_cache_seconds: float = Field(
        default=10.0, ge=0, description="How long a caller's zones and offerings are remembered."
    )
    switch_cache_seconds: float = Field(
        default=2.0,
        ge=0,
        description="How long it is remembered whether EC2 and S3 are switched on.",
    )
    ec2_skew_seconds: float = Field(
        default=300.0, gt=0, description="How far an EC2 request's time may be from ours."
    )
    s3_skew_seconds: float = Field(
        default=900.0, gt=0, description="How far an S3 request's time may be from ours."
    )
    quota_buckets: int | None = Field(
        default=None, ge=0, description="Buckets an account may have that has no quota of its own."
    )
    quota_objects: int | None = Field(
        default=None, ge=0, description="Versions of objects such an account may have."
    )
    quota_bytes: int | None = Field(
        default=None,
        ge=0,
        description="Bytes such an account may have, parts of unfinished uploads among them.",
    )
    s3_index_url: SecretStr = Field(
        default=SecretStr(""),
        description="SQLAlchemy URL of the index of the objects, as `mysql+pymysql://…`, for "
        "gateways on several machines; an SQLite file in the folder of the objects when absent.",
    )
    s3_blobs_url: str = Field(
        default="",
        description="Where the content of objects lies, as "
        "`s3+https://host:port/bucket/prefix` at any S3-compatible endpoint (`s3+http` without "
        "TLS), or as `rados://client.name@pool?conf=/etc/ceph/ceph.conf&namespace=…` in a pool of "
        "a Ceph cluster (both parameters may be left out). Bucket or pool has to be there, and "
        "belong to this store alone. In files in the folder of the objects when absent.",
    )
    s3_blobs_key: SecretStr = Field(
        default=SecretStr(""), description="Access key at that endpoint."
    )
    s3_blobs_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret key at that endpoint; of a Ceph user, unless a keyring has it.",
    )
    s3_blobs_region: str = Field(
        default="us-east-1", description="Region that requests to that endpoint are signed for."
    )
    s3_durable: bool = Field(
        default=True,
        description="Whether an object is safe on the disk before its upload is answered. Without, "
        "uploads are faster, and a power failure may lose or damage the latest of them.",
    )
    s3_url: str = Field(
        default="http://127.0.0.1:7080",
        description="Where the cloud reaches S3 of this gateway: RegisterImage has images fetched "
        "there, so `secstorage.allowed.internal.sites` has to allow it.",
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
    storage_root: Path = Field(
        default=Path("~/.pileus/objects"),
        description="Folder in which S3 keeps buckets and objects (`storage.root` in the file).",
    )

    s3_keys: Path | None = Field(
        default=None,
        description="Folder of the keys that objects at rest are encrypted under; `keys` in the "
        "storage root when not set. Keep it on another disk, and keep a copy.",
    )
    s3_customer_keys_over_http: bool = Field(
        default=False,
        description="Whether SSE-C is taken without TLS, which shows the key to everyone on the "
        "way. For laboratories.",
    )
    s3_lifecycle_day_seconds: float = Field(
        default=86400.0,
        gt=0,
        description="How long a day of lifecycle rules lasts. For tests and laboratories.",
    )
    s3_event_targets: str = Field(
        default="",
        description="Where notifications may be sent: hosts, addresses and networks, with commas "
        "between; `public` stands for the internet, `*` for everything. When not set, anywhere but "
        "to this machine and to loopback and link-local addresses.",
    )
    s3_log_seconds: float = Field(
        default=300.0, gt=0, description="How often access logs are delivered to their buckets."
    )
    s3_accel_secret: SecretStr = Field(
        default=SecretStr(""),
        description="What an nginx in front shows to have objects left to it to send: the same as "
        "in its configuration, `nginx.conf` beside this page. Without, objects are sent from here.",
    )
    s3_accel_metadata: str = Field(
        default=METADATA,
        description="Names of metadata, with commas between, that this nginx passes on. Objects "
        "with others are sent from here.",
    )
    s3_domain: str = Field(
        default="",
        description="Domain whose names are buckets: `<bucket>.<domain>` (virtual-host style).",
    )
    s3_website_domain: str = Field(
        default="",
        description="Domain whose names are the websites of buckets: `<bucket>.<domain>`.",
    )

    @field_validator("s3_domain", "s3_website_domain")
    @classmethod
    def _domain(cls, name: str) -> str:
        plain = name.strip(".").lower()
        if plain and not _DOMAIN.match(plain):
            raise ValueError("must be a domain name without a port")
        return plain

    @field_validator("s3_event_targets")
    @classmethod
    def _targets(cls, text: str) -> str:
        Guard.of(text)
        return text

    @field_validator("s3_blobs_url")
    @classmethod
    def _place(cls, url: str) -> str:
        if url:
            place_of(url)
        return url

    @field_validator("storage_root")
    @classmethod
    def _at_home(cls, path: Path) -> Path:
        return path.expanduser()

    @property
    def keys(self) -> Path:
        """The folder of the keys that objects are encrypted under."""
        return (self.s3_keys or self.storage_root / "keys").expanduser()

    @property
    def handover(self) -> Handover | None:
        """The agreement with an nginx in front that sends objects, if there is one."""
        secret = self.s3_accel_secret.get_secret_value()
        return Handover.of(self.storage_root, secret, self.s3_accel_metadata) if secret else None

    @property
    def quota(self) -> Quota:
        """What an account may have in S3 that has no quota of its own."""
        return Quota(self.quota_buckets, self.quota_objects, self.quota_bytes)

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
        told = dict(_flat(tomllib.loads(Path(file).read_text()))) if file else {}
        return (init_settings, env_settings, InitSettingsSource(settings_cls, told))


def _flat(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The settings of a file, in which a dot in a name is as good as an underscore."""
    for name, value in tables.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}_")
        else:
            yield f"{prefix}{name}", value


def table() -> str:
    """The settings as a table in Markdown, for the README."""
    rows = (
        f"| `PILEUS_GATEWAY_{name.upper()}` | `{field.default}` | {field.description} |"
        for name, field in Settings.model_fields.items()
    )
    return "\n".join(("| setting | default | what it is |", "| --- | --- | --- |", *rows))
