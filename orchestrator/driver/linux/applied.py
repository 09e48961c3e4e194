"""What was told last, on disk: the guard against an older document arriving late.

One file per document under the cloud's ``network`` folder, each with a generation number. Every
change happens under a lock file beside it, which also keeps two processes from applying at once.
A document is written after it was applied: after a crash it is simply applied again.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from orchestrator.driver.files import locked, write_whole


@dataclass(frozen=True)
class HostRecord:
    """Of the host's document: what later documents and ``observe`` need.

    ``bridges`` maps networks to devices, ``ports`` NICs to their numbers in the rules.
    """

    generation: int = 0
    bridges: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RouterRecord:
    """Of a router's document."""

    generation: int
    network: str
    bridge: str
    gateway: str


class Applied:
    """The records in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def host(self) -> Iterator[HostRecord]:
        """Hold the host's document and see it."""
        with locked(self._folder / "host.lock"):
            yield self.host_record()

    @contextmanager
    def router(self, network_id: str) -> Iterator[RouterRecord | None]:
        """Hold a router's document and see it."""
        with locked(self._folder / f"router-{network_id}.lock"):
            path = self._router_path(network_id)
            yield RouterRecord(**json.loads(path.read_bytes())) if path.exists() else None

    def host_record(self) -> HostRecord:
        """The host's document as last applied."""
        path = self._folder / "host.json"
        return HostRecord(**json.loads(path.read_bytes())) if path.exists() else HostRecord()

    def routers(self) -> list[RouterRecord]:
        """All routers' documents as last applied."""
        paths = sorted(self._folder.glob("router-*.json"))
        return [RouterRecord(**json.loads(path.read_bytes())) for path in paths]

    def keep_host(self, record: HostRecord) -> None:
        """Note what was applied; the caller holds the document."""
        write_whole(self._folder / "host.json", json.dumps(asdict(record)).encode())

    def keep_router(self, record: RouterRecord) -> None:
        """Note what was applied; the caller holds the document."""
        write_whole(self._router_path(record.network), json.dumps(asdict(record)).encode())

    def drop_router(self, network_id: str) -> None:
        """Forget a router, with its lock; the caller holds the document."""
        self._router_path(network_id).unlink(missing_ok=True)
        (self._folder / f"router-{network_id}.lock").unlink(missing_ok=True)

    def _router_path(self, network_id: str) -> Path:
        return self._folder / f"router-{network_id}.json"
