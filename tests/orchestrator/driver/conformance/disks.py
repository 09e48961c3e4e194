"""Disks and images in pools and stores."""

from dataclasses import replace

import pytest

from orchestrator.driver.ports import NoSpace, Refused, Transient
from orchestrator.ids import new_id
from tests.orchestrator.driver.conformance.ground import MIB, Ground, at_once


class Disks:
    """Disks and images in pools."""

    def test_a_pool_says_how_large_it_is(self, ground: Ground) -> None:
        facts = ground.drivers.storage.ensure_pool(ground.pool)
        assert ground.drivers.storage.ensure_pool(ground.pool).capacity == facts.capacity
        assert 0 <= facts.used <= facts.capacity

    def test_a_disk_is_made_once_and_removed_once(self, ground: Ground) -> None:
        storage = ground.drivers.storage
        before = storage.observe(ground.pool)
        volume = new_id()
        for _ in range(2):
            storage.ensure_disk(ground.pool, volume, ground.disk_size, None)
            assert storage.observe(ground.pool).disks == before.disks | {volume}
        for _ in range(2):
            storage.ensure_disk_absent(ground.pool, volume)
            assert storage.observe(ground.pool) == before

    def test_two_callers_at_once_make_and_remove_one_disk(self, ground: Ground) -> None:
        one, other = ground.both
        before = one.storage.observe(ground.pool)
        volume = new_id()
        at_once(
            lambda: one.storage.ensure_disk(ground.pool, volume, ground.disk_size, None),
            lambda: other.storage.ensure_disk(ground.pool, volume, ground.disk_size, None),
        )
        after = one.storage.observe(ground.pool)
        assert after == replace(before, disks=before.disks | {volume})
        at_once(
            lambda: one.storage.ensure_disk_absent(ground.pool, volume),
            lambda: other.storage.ensure_disk_absent(ground.pool, volume),
        )
        assert one.storage.observe(ground.pool) == before

    def test_a_disk_stands_on_an_image(self, ground: Ground) -> None:
        disk = ground.root_disk()
        inventory = ground.drivers.storage.observe(ground.pool)
        assert disk.volume in inventory.disks
        assert ground.image.id in inventory.images
        ground.drivers.storage.ensure_disk_absent(ground.pool, disk.volume)

    def test_a_disk_on_a_missing_image_is_refused_and_leaves_nothing(self, ground: Ground) -> None:
        storage = ground.drivers.storage
        before = storage.observe(ground.pool)
        with pytest.raises(Refused):
            storage.ensure_disk(ground.pool, new_id(), ground.root_size, new_id())
        assert storage.observe(ground.pool) == before

    def test_a_disk_smaller_than_its_image_is_refused(self, ground: Ground) -> None:
        storage = ground.drivers.storage
        ground.fetch_image()
        before = storage.observe(ground.pool)
        with pytest.raises(Refused):
            storage.ensure_disk(ground.pool, new_id(), MIB, ground.image.id)
        assert storage.observe(ground.pool) == before

    def test_removing_what_is_not_there_does_nothing(self, ground: Ground) -> None:
        storage = ground.drivers.storage
        before = storage.observe(ground.pool)
        storage.ensure_disk_absent(ground.pool, new_id())
        storage.ensure_image_absent(ground.pool, new_id())
        storage.ensure_image_absent(ground.store, new_id())
        assert storage.observe(ground.pool) == before


class Images:
    """Fetching images and copying them into pools."""

    def test_an_image_is_fetched_once(self, ground: Ground) -> None:
        storage = ground.drivers.storage
        facts = storage.ensure_image(ground.store, ground.image, ground.sites)
        assert facts.virtual_size > 0
        assert facts.physical_size > 0
        assert storage.ensure_image(ground.store, ground.image, ground.sites) == facts
        inventory = storage.observe(ground.store)
        assert ground.image.id in inventory.images
        assert not inventory.strays

    def test_two_callers_at_once_fetch_one_image(self, ground: Ground) -> None:
        one, other = ground.both
        image = replace(ground.image, id=new_id())
        facts = at_once(
            lambda: one.storage.ensure_image(ground.store, image, ground.sites),
            lambda: other.storage.ensure_image(ground.store, image, ground.sites),
        )
        assert facts[0] == facts[1]
        inventory = one.storage.observe(ground.store)
        assert image.id in inventory.images
        assert not inventory.strays
        one.storage.ensure_image_absent(ground.store, image.id)

    def test_an_image_removed_is_gone_and_can_be_fetched_again(self, ground: Ground) -> None:
        storage = ground.drivers.storage
        image = replace(ground.image, id=new_id())
        storage.ensure_image(ground.store, image, ground.sites)
        for _ in range(2):
            storage.ensure_image_absent(ground.store, image.id)
            assert image.id not in storage.observe(ground.store).images
        storage.ensure_image(ground.store, image, ground.sites)
        assert image.id in storage.observe(ground.store).images
        storage.ensure_image_absent(ground.store, image.id)

    def test_an_image_is_copied_into_a_pool_once(self, ground: Ground) -> None:
        storage = ground.drivers.storage
        storage.ensure_image(ground.store, ground.image, ground.sites)
        one, other = ground.both
        at_once(
            lambda: one.storage.ensure_backing(ground.pool, ground.store, ground.image.id),
            lambda: other.storage.ensure_backing(ground.pool, ground.store, ground.image.id),
        )
        storage.ensure_backing(ground.pool, ground.store, ground.image.id)
        inventory = storage.observe(ground.pool)
        assert ground.image.id in inventory.images
        assert not inventory.strays

    def test_an_image_that_was_never_fetched_cannot_be_copied(self, ground: Ground) -> None:
        with pytest.raises((Refused, Transient)):
            ground.drivers.storage.ensure_backing(ground.pool, ground.store, new_id())

    @pytest.mark.parametrize(
        "url", ["", "image.qcow2", "ftp://images.test/a.qcow2", "file:///etc/passwd", "http://"]
    )
    def test_an_image_without_an_http_address_is_refused(self, ground: Ground, url: str) -> None:
        image = replace(ground.image, id=new_id(), url=url)
        with pytest.raises(Refused):
            ground.drivers.storage.ensure_image(ground.store, image, ground.sites)
        assert image.id not in ground.drivers.storage.observe(ground.store).images

    def test_an_image_of_an_unknown_format_is_refused(self, ground: Ground) -> None:
        image = replace(ground.image, id=new_id(), format="floppy")
        with pytest.raises(Refused):
            ground.drivers.storage.ensure_image(ground.store, image, ground.sites)
        assert image.id not in ground.drivers.storage.observe(ground.store).images

    def test_a_checksum_that_is_none_is_refused(self, ground: Ground) -> None:
        image = replace(ground.image, id=new_id(), checksum="xyz")
        with pytest.raises(Refused):
            ground.drivers.storage.ensure_image(ground.store, image, ground.sites)


class Fetching:
    """For drivers that really fetch: what comes is checked."""

    def test_an_image_with_another_checksum_is_refused(self, ground: Ground) -> None:
        image = replace(ground.image, id=new_id(), checksum="0" * 64)
        with pytest.raises(Refused):
            ground.drivers.storage.ensure_image(ground.store, image, ground.sites)
        assert image.id not in ground.drivers.storage.observe(ground.store).images

    def test_an_internal_site_that_is_not_allowed_is_not_asked(self, ground: Ground) -> None:
        image = replace(ground.image, id=new_id())
        with pytest.raises(Refused):
            ground.drivers.storage.ensure_image(ground.store, image, ())
        assert image.id not in ground.drivers.storage.observe(ground.store).images


class Crowding:
    """For pools with an end. A disk of ``oversize`` bytes does not fit."""

    oversize = 1024**6

    def test_a_disk_larger_than_its_pool_is_refused_and_leaves_nothing(
        self, ground: Ground
    ) -> None:
        before = ground.drivers.storage.observe(ground.pool)
        with pytest.raises(NoSpace):
            ground.drivers.storage.ensure_disk(ground.pool, new_id(), self.oversize, None)
        assert ground.drivers.storage.observe(ground.pool) == before
