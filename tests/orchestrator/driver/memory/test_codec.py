from ipaddress import IPv4Address, IPv4Network
from types import MappingProxyType

import pytest

from orchestrator.driver.memory.codec import decode, encode
from orchestrator.driver.ports import (
    Disk,
    Group,
    Guest,
    HostNetwork,
    Inventory,
    Machine,
    Nic,
    Pool,
    Power,
    RouterNetwork,
    Rule,
)

GUEST = Guest(
    mac="02:00:00:00:00:01",
    ip=IPv4Address("10.0.0.2"),
    hostname="grüße",
    instance="i-1",
    image="ami-1",
    type="m1.small",
    zone="zone",
    reservation="r-1",
    groups=("a", "b"),
    keys={"key": "ssh"},
    user_data=bytes(range(256)),
)
RULE = Rule("icmp", -1, -1, group="a")


@pytest.mark.parametrize(
    "value",
    [
        Power.RUNNING,
        Machine(
            "m", "name", 2, 2**40, (Disk("v", Pool("p", "/p"), 0),), (Nic("n", "d", "b", "m"),)
        ),
        Group("g", (IPv4Address("10.0.0.2"),), (RULE,), ()),
        HostNetwork(2**40, (), (), ()),
        RouterNetwork(
            generation=1,
            network="n",
            bridge="b",
            gateway=IPv4Address("10.0.0.1"),
            cidr=IPv4Network("10.0.0.0/24"),
            domain="d",
            dns=(),
            guests=(GUEST,),
        ),
        Inventory(frozenset({"b", "a"}), frozenset()),
        "text",
    ],
)
def test_a_value_comes_back_as_it_went(value: object) -> None:
    assert decode(type(value), encode(value)) == value


def test_equal_values_give_equal_text() -> None:
    one = Inventory(frozenset(str(n) for n in range(100)), frozenset())
    other = Inventory(frozenset(str(n) for n in reversed(range(100))), frozenset())
    assert encode(one) == encode(other)
    assert encode(MappingProxyType({"b": 1, "a": 2})) == encode({"a": 2, "b": 1})


def test_a_type_no_world_keeps_is_refused() -> None:
    with pytest.raises(TypeError, match="a world keeps no"):
        decode(list[str], "[]")
