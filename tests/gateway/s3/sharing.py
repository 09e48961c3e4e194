"""An S3 endpoint as one of several machines runs it: index, content and keys are not its own.

What is shared comes from the gateway's own settings, as an operator writes them into the
environment of each machine; callers come from a file of the machine.
"""

import os
from datetime import timedelta
from pathlib import Path

from gateway.s3.background.receivers import Guard
from gateway.s3.endpoint import S3
from gateway.s3.options import Options
from gateway.s3.sealing.keys import Keys
from gateway.settings import Settings
from gateway.stores import store
from tests.gateway.s3.serving import FileCredentials


def create() -> S3:
    """What gunicorn calls."""
    settings = Settings()
    return S3(
        store(settings),
        FileCredentials(Path(os.environ["TEST_S3_ROOT"]) / "callers.json"),
        Options(
            keys=Keys(settings.keys),
            day=timedelta(seconds=settings.s3_lifecycle_day_seconds),
            guard=Guard.of(settings.s3_event_targets),
            spool=settings.storage_root / "spool",
            log_every=timedelta(seconds=settings.s3_log_seconds),
        ),
    )
