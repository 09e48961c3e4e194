"""Disks and images in folders, and image stores that may be buckets: the Storage port.

Images are fetched, checked and converted in a folder of this host, the staging area, and go to the
bucket from there; a pool gets its copy straight from the bucket. What comes from there is checked
like any stranger's image: others may be able to write to the bucket.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

from orchestrator.driver.files import locked
from orchestrator.driver.libvirt import imagefiles, layout
from orchestrator.driver.libvirt.bucket import Bucket
from orchestrator.driver.libvirt.disks import FileStorage, put
from orchestrator.driver.libvirt.fetch import Limits
from orchestrator.driver.linux import names
from orchestrator.driver.ports import (
    BucketPool,
    Image,
    ImageFacts,
    Inventory,
    Pool,
    PoolFacts,
)


class BucketStorage(FileStorage):
    """Keeps disks and images in folders of this host, and images in buckets."""

    def __init__(self, staging: Path, limits: Limits | None = None) -> None:
        """Take the folder in which images are made that go to a bucket."""
        super().__init__(limits)
        self._staging = staging

    def ensure_pool(self, pool: Pool) -> PoolFacts:
        """Make the folders, or try the bucket; a bucket has no capacity that anybody could tell."""
        if not isinstance(pool, BucketPool):
            return super().ensure_pool(pool)
        super().ensure_pool(self._staged(pool))
        return PoolFacts(0, Bucket(pool).check())

    def observe(self, pool: Pool) -> Inventory:
        """What lies in the folders or in the bucket."""
        if not isinstance(pool, BucketPool):
            return super().observe(pool)
        ours, strays = Bucket(pool).ids()
        return Inventory(frozenset(), ours, strays | super().observe(self._staged(pool)).strays)

    def ensure_image(
        self, store: Pool, image: Image, allowed_sites: tuple[IPv4Network, ...]
    ) -> ImageFacts:
        """Make the image here; when the store is a bucket, take it there."""
        if not isinstance(store, BucketPool):
            return super().ensure_image(store, image, allowed_sites)
        bucket, staged = Bucket(store), self._staged(store)
        super().ensure_pool(staged)
        with self._storing(staged, image.id):
            known = bucket.facts(image.id)
            if known is None:
                known = super().ensure_image(staged, image, allowed_sites)
                bucket.put(image.id, layout.image_path(staged, image.id), known)
            super().ensure_image_absent(staged, image.id)
            return known

    def ensure_image_absent(self, store: Pool, image_id: str) -> None:
        """Remove the image from where it is, and from the staging area."""
        if not isinstance(store, BucketPool):
            super().ensure_image_absent(store, image_id)
            return
        staged = self._staged(store)
        super().ensure_pool(staged)
        with self._storing(staged, image_id):
            super().ensure_image_absent(staged, image_id)
            Bucket(store).remove(image_id)

    def ensure_backing(self, pool: Pool, store: Pool, image_id: str) -> None:
        """Have the image in the pool, out of a folder or a bucket."""
        if not isinstance(store, BucketPool):
            super().ensure_backing(pool, store, image_id)
            return
        target = layout.image_path(pool, image_id)
        with self.making(pool, image_id):
            if target.exists():
                return
            part = layout.scratch_path(pool, image_id, "part")
            try:
                Bucket(store).fetch(image_id, part)
                imagefiles.check(part, "qcow2")
                put(part, target, mode=0o400)
            finally:
                part.unlink(missing_ok=True)

    @contextmanager
    def _storing(self, staged: Pool, image_id: str) -> Iterator[None]:
        """Keep twins apart; making the file in the staging area has a lock of its own."""
        lock = layout.scratch_path(staged, image_id, "store.lock")
        with locked(lock):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)

    def _staged(self, store: BucketPool) -> Pool:
        """The folder in which this store's images are made."""
        return Pool(store.id, str(self._staging / names.ident(store.id)))
