"""Devices, and names that are remembered for a while."""

import pytest

from gateway.ec2 import names
from gateway.ec2.faults import Ec2Fault


@pytest.mark.parametrize("number", range(26))
def test_a_slot_has_a_device_and_back(number: int) -> None:
    assert names.slot(names.device(number)) == number


@pytest.mark.parametrize("device", ["/dev/sdf", "/dev/xvdf", "/dev/vdf", "sdf", "xvdf", "vdf"])
def test_the_letter_is_what_counts(device: str) -> None:
    assert names.slot(device) == 5
    assert names.same_device(device) == "/dev/sdf"


@pytest.mark.parametrize("device", ["/dev/sda", "/dev/sda1", "/dev/xvda", "vda"])
def test_the_root_has_many_names(device: str) -> None:
    assert names.slot(device) == 0


@pytest.mark.parametrize(
    "device", ["", "c:", "/dev/sd", "/dev/sdaa", "/dev/sdb1", "/dev/hdb", "sdB"]
)
def test_other_devices_are_refused(device: str) -> None:
    with pytest.raises(Ec2Fault):
        names.slot(device)
    assert names.same_device(device) == device


def test_a_shelf_keeps_things_for_a_while() -> None:
    now, fetched = [0.0], list[int]()

    def fetch() -> int:
        fetched.append(len(fetched))
        return fetched[-1]

    shelf = names.Shelf(10, lambda: now[0])
    key = ("caller", "zone")
    assert [shelf.get(key, fetch), shelf.get(key, fetch)] == [0, 0]
    assert shelf.get(("other", "zone"), fetch) == 1
    assert shelf.get(key, fetch, fresh=True) == 2
    assert shelf.get(key, fetch) == 2
    now[0] = 11
    assert shelf.get(key, fetch) == 3
