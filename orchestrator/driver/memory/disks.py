"""Simulated pools: the Storage port over a world.

A disk counts with its whole size, so a pool fills up when a real one could. Nothing is deleted
from under somebody who uses it: a real host would allow that and break a guest, a simulated one
says so.
"""

import re
from ipaddress import IPv4Network
from urllib.parse import urlsplit

from orchestrator.driver.memory import shelves
from orchestrator.driver.memory.records import Rows
from orchestrator.driver.memory.shelves import DiskFacts
from orchestrator.driver.memory.world import World
from orchestrator.driver.ports import (
    Image,
    ImageFacts,
    Inventory,
    NoSpace,
    Pool,
    PoolFacts,
    Refused,
)

_FORMATS = frozenset({"qcow2", "raw"})
# MD5, SHA-1, SHA-256 or SHA-512.
_CHECKSUM = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}", re.IGNORECASE)


class MemoryStorage:
    """Keeps disks and images that are records."""

    def __init__(self, world: World, host: str) -> None:
        self._world = world
        self._host = host

    def ensure_pool(self, pool: Pool) -> PoolFacts:
        """How large the pool is."""
        with self._world.change(self._host, "storage.ensure_pool") as rows:
            return self._world.pool(rows, pool.id)

    def observe(self, pool: Pool) -> Inventory:
        """What lies in the pool."""
        return self._world.observed(
            self._host,
            "storage.observe",
            lambda rows: Inventory(
                rows.ids(shelves.DISKS, pool.id),
                rows.ids(shelves.IMAGES, pool.id),
                rows.ids(shelves.STRAYS, pool.id),
            ),
        )

    def ensure_image(
        self, store: Pool, image: Image, allowed_sites: tuple[IPv4Network, ...]
    ) -> ImageFacts:
        """Have the image in the store. What it is, the world's ``fetch`` says."""
        with self._world.verb(self._host, "storage.ensure_image"):
            _check(image)
            with self._world.records.look() as rows:
                known = rows.get(shelves.IMAGES, store.id, image.id)
            if known is not None:
                return known
            facts = self._world.fetch(image, allowed_sites)
            with self._world.records.change() as rows:
                self._add_image(rows, store, image.id, facts)
            return facts

    def ensure_image_absent(self, store: Pool, image_id: str) -> None:
        """Remove an image. Refused while disks of the same pool stand on it."""
        with self._world.change(self._host, "storage.ensure_image_absent") as rows:
            facts = rows.get(shelves.IMAGES, store.id, image_id)
            if facts is None:
                return
            disks = rows.at(shelves.DISKS, store.id).values()
            if any(disk.backing == image_id for disk in disks):
                raise Refused(f"disks stand on image {image_id}")
            rows.drop(shelves.IMAGES, store.id, image_id)
            self._occupy(rows, store, -facts.physical_size)

    def ensure_backing(self, pool: Pool, store: Pool, image_id: str) -> None:
        """Copy the image into the pool. Refused when the store does not have it."""
        with self._world.change(self._host, "storage.ensure_backing") as rows:
            if rows.get(shelves.IMAGES, pool.id, image_id) is not None:
                return
            facts = rows.get(shelves.IMAGES, store.id, image_id)
            if facts is None:
                raise Refused(f"store {store.id} has no image {image_id}")
            self._add_image(rows, pool, image_id, facts)

    def ensure_disk(self, pool: Pool, volume_id: str, size: int, backing: str | None) -> None:
        """Have the disk. Refused when its image is not in the pool or larger than the disk."""
        with self._world.change(self._host, "storage.ensure_disk") as rows:
            wanted = DiskFacts(size, backing)
            there = rows.get(shelves.DISKS, pool.id, volume_id)
            if there == wanted:
                return
            if there is not None:
                raise Refused(f"volume {volume_id} is another disk: {there}")
            if backing is not None:
                _check_backing(rows.get(shelves.IMAGES, pool.id, backing), backing, size)
            self._occupy(rows, pool, size)
            rows.put(shelves.DISKS, pool.id, volume_id, wanted)

    def ensure_disk_absent(self, pool: Pool, volume_id: str) -> None:
        """Remove a disk. Refused while a machine runs with it."""
        with self._world.change(self._host, "storage.ensure_disk_absent") as rows:
            there = rows.get(shelves.DISKS, pool.id, volume_id)
            if there is None:
                return
            holder = rows.get(shelves.LOCKS, volume_id, shelves.WHOLE)
            if holder is not None:
                raise Refused(f"volume {volume_id} is open in machine {holder.machine}")
            rows.drop(shelves.DISKS, pool.id, volume_id)
            self._occupy(rows, pool, -there.size)

    def _add_image(self, rows: Rows, pool: Pool, image: str, facts: ImageFacts) -> None:
        if rows.get(shelves.IMAGES, pool.id, image) is None:
            self._occupy(rows, pool, facts.physical_size)
            rows.put(shelves.IMAGES, pool.id, image, facts)

    def _occupy(self, rows: Rows, pool: Pool, size: int) -> None:
        """Count bytes in (or, below zero, out of) a pool. NoSpace when they do not fit."""
        facts = self._world.pool(rows, pool.id)
        used = facts.used + size
        if size > 0 and used > facts.capacity:
            raise NoSpace(f"pool {pool.id} has {facts.capacity - facts.used} bytes left")
        rows.put(shelves.POOLS, pool.id, shelves.WHOLE, PoolFacts(facts.capacity, used))


def _check(image: Image) -> None:
    """Refuse what no driver could fetch."""
    try:
        url = urlsplit(image.url)
        named = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        named = False
    if not named:
        raise Refused(f"no HTTP address: {image.url!r}")
    if image.format.lower() not in _FORMATS:
        raise Refused(f"unknown image format {image.format!r}")
    if image.checksum and not _CHECKSUM.fullmatch(image.checksum):
        raise Refused(f"no checksum: {image.checksum!r}")


def _check_backing(image: ImageFacts | None, backing: str, size: int) -> None:
    if image is None:
        raise Refused(f"the pool has no image {backing}")
    if image.virtual_size > size:
        raise Refused(f"image {backing} needs {image.virtual_size} bytes")
