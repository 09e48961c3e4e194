"""An S3 endpoint as gunicorn runs it, with callers from a file instead of the native API."""

import json
import os
from datetime import timedelta
from pathlib import Path

from gateway.credentials import Caller
from gateway.s3.background.receivers import Guard
from gateway.s3.endpoint import S3
from gateway.s3.options import Options
from gateway.s3.protocol.hosts import Hosts
from gateway.s3.protocol.wire import PATIENCE
from gateway.s3.sealing.keys import Keys
from gateway.s3.web.handover import Handover
from s3store.engines.places import Place, Pool
from s3store.engines.ports import Engine
from s3store.engines.rados import RadosEngine
from s3store.engines.s3 import S3Engine
from s3store.store import Store
from tests.gateway.s3.servers import ALICE


class FileCredentials:
    """A credential source that reads its file anew for every look past the cache."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = self._read()

    def find(self, access_key: str, *, fresh: bool = False) -> Caller | None:
        """The caller of that key, from memory or from the file."""
        if fresh or access_key not in self._known:
            self._known = self._read()
        return self._known.get(access_key)

    def _read(self) -> dict[str, Caller]:
        rows = json.loads(self._path.read_text())
        return {row["access_key"]: Caller(**row) for row in rows}


def create(
    customer_keys_over_http: bool = False,
    patience: float = PATIENCE,
    day: float = 86400.0,
    blobs: str = "",
    accel: str = "",
) -> S3:
    """What gunicorn calls; the day of lifecycle rules is given in seconds.

    Args:
        blobs: URL of the place of the content, when it is not in files.
        accel: what an nginx in front shows to be left the sending; empty when there is none.
    """
    root = Path(os.environ["TEST_S3_ROOT"])
    return S3(
        Store(root / "objects", engine=_engine(blobs)),
        FileCredentials(root / "callers.json"),
        Options(
            region=os.environ["TEST_S3_REGION"],
            skew=timedelta(minutes=15),
            hosts=Hosts("s3.test", "web.test"),
            keys=Keys(root / "keys"),
            day=timedelta(seconds=day),
            guard=Guard(("127.0.0.0/8",)),
            spool=root / "spool",
            log_every=timedelta(seconds=1),
            customer_keys_over_http=customer_keys_over_http,
            patience=patience,
            handover=Handover.of(root / "objects", accel) if accel else None,
        ),
    )


def _engine(blobs: str) -> Engine | None:
    if blobs.startswith("rados:"):
        return RadosEngine(Pool.of(blobs))
    return S3Engine(Place.of(blobs, ALICE.access_key, ALICE.secret)) if blobs else None
