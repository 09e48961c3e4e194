"""The processes of a cloud: how each is started, and with which settings.

Two cores are the yardstick: two web workers each, so that one may compute while the other does, and
threads for the waiting. Native calls are short; S3 transfers are long, so the gateway has more.

gunicorn is told a few things that matter to S3. The request line has no limit, because a 1024-byte
key percent-encoded plus a presigned query exceeds the usual one. Header names with an underscore
are kept (``x-amz-meta-a_b`` is legal, and signed); nothing here trusts a header that a proxy would
have to guard. The application is made before the workers are forked, which halves the start: both
applications open nothing before their first request, so no connection crosses a fork.
"""

import os
import sys
from dataclasses import dataclass, field

from tools.environment import REGION
from tools.home import Config, Home

GUNICORN = (
    "--preload",
    "--worker-class=tools.worker.Worker",
    "--workers=2",
    "--limit-request-line=0",
    "--limit-request-field_size=16380",
    "--header-map=dangerous",
    "--keep-alive=65",
    "--timeout=120",
    "--graceful-timeout=5",
    "--no-control-socket",
    "--log-level=warning",
)

ENVIRONMENT = {"MALLOC_ARENA_MAX": "2"}
"""What web workers are started with: by default every thread would keep free memory of its own."""


@dataclass(frozen=True)
class Part:
    """One process of a cloud, and what it listens on."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    port: int | None = None


def parts(home: Home, config: Config) -> tuple[Part, ...]:
    """The processes that make up a cloud, in the order of starting."""
    return (
        Part("orchestrator", (sys.executable, "-m", "orchestrator"), cloud_settings(home, config)),
        Part(
            "native",
            _gunicorn("nativeapi.app:create()", config.native_port, threads=8),
            ENVIRONMENT | cloud_settings(home, config),
            config.native_port,
        ),
        Part(
            "gateway",
            _gunicorn("gateway.app:create()", config.aws_port, threads=24),
            ENVIRONMENT | gateway_settings(home, config),
            config.aws_port,
        ),
    )


def cloud_settings(home: Home, config: Config) -> dict[str, str]:
    """Settings of the orchestrator and the native API. The environment may add others."""
    return {"PILEUS_HOME": str(home.path), "PILEUS_HYPERVISOR": config.hypervisor}


def gateway_settings(home: Home, config: Config) -> dict[str, str]:
    """Settings of the gateway."""
    service = home.key("service")
    return {
        "PILEUS_GATEWAY_NATIVE_URL": config.native_url,
        "PILEUS_GATEWAY_SERVICE_KEY": service.access,
        "PILEUS_GATEWAY_SERVICE_SECRET": service.secret,
        "PILEUS_GATEWAY_STORAGE_ROOT": str(home / "objects"),
        "PILEUS_GATEWAY_S3_URL": config.aws_url,
        "PILEUS_GATEWAY_REGION": REGION,
    }


def _gunicorn(app: str, port: int, *, threads: int) -> tuple[str, ...]:
    shared = "/dev/shm" if os.path.isdir("/dev/shm") else "/tmp"  # noqa: S108 - heartbeat files
    return (
        *(sys.executable, "-m", "gunicorn", app, f"--bind=127.0.0.1:{port}"),
        *(f"--threads={threads}", f"--worker-tmp-dir={shared}"),
        *GUNICORN,
    )
