"""The native API through libcloud's CloudStack driver."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from libcloud.common.types import InvalidCredsError, ProviderError
from libcloud.compute.drivers.cloudstack import CloudStackNodeDriver

from tests.world.world import Keys, World


def _driver(world: World, keys: Keys) -> Any:
    parts = urlsplit(world.native_url)
    return CloudStackNodeDriver(
        keys.access,
        keys.secret,
        secure=False,
        host=parts.hostname,
        port=parts.port,
        path=parts.path,
    )


@pytest.fixture
def driver(world: World) -> Any:
    """The administrator's driver."""
    return _driver(world, world.admin)


def test_places_sizes_and_images_are_listed(driver: Any) -> None:
    assert [place.name for place in driver.list_locations()] == ["us-east-1a"]
    assert {size.name for size in driver.list_sizes()} == {"m1.tiny", "m1.small", "m1.huge"}
    assert [image.name for image in driver.list_images()] == ["tiny"]


def test_an_instance_is_made_and_destroyed(driver: Any) -> None:
    [small] = [size for size in driver.list_sizes() if size.name == "m1.small"]
    node = driver.create_node(
        name="from-libcloud", size=small, image=driver.list_images()[0], ex_start_vm=True
    )

    assert node.private_ips[0].startswith("10.46.")
    assert driver.reboot_node(node)
    assert driver.ex_stop(node) == "Stopped"
    assert driver.destroy_node(node, ex_expunge=True)


def test_a_volume_is_made_and_deleted(driver: Any) -> None:
    [disk] = [x for x in driver.ex_list_disk_offerings() if x.name == "gp2"]
    volume = driver.create_volume(size=1, name="vol~[1]*", location=None)

    assert disk.customizable
    assert [found.name for found in driver.list_volumes()] == ["vol~[1]*"]
    assert driver.destroy_volume(volume)


def test_a_key_pair_is_made_listed_and_deleted(driver: Any) -> None:
    pair = driver.create_key_pair(name="from-libcloud")

    assert "PRIVATE KEY" in pair.private_key
    assert driver.get_key_pair(name="from-libcloud").fingerprint == pair.fingerprint
    assert driver.delete_key_pair(pair)


def test_a_security_group_gets_a_rule_and_loses_it(driver: Any) -> None:
    driver.ex_create_security_group("lib~[1]*")
    driver.ex_authorize_security_group_ingress("lib~[1]*", "TCP", "10.0.0.0/8", 22, 22)
    [group] = [x for x in driver.ex_list_security_groups() if x["name"] == "lib~[1]*"]

    assert group["ingressrule"][0]["startport"] == 22
    assert driver.ex_delete_security_group("lib~[1]*")


def test_wrong_credentials_and_refusals_are_told_apart(world: World) -> None:
    with pytest.raises(InvalidCredsError):
        _driver(world, Keys(world.admin.access, "wrong")).list_locations()
    with pytest.raises(ProviderError, match="There is no"):
        _driver(world, world.admin).ex_stop(type("Node", (), {"id": "nowhere"}))
