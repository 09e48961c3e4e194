"""What dnsmasq is told, and that it takes it."""

import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from orchestrator.driver.linux import dhcp
from orchestrator.driver.ports import Guest, RouterNetwork
from orchestrator.ids import new_id

GUEST = Guest(
    mac="52:54:00:AA:00:01",
    ip=IPv4Address("10.1.0.10"),
    hostname="web-1",
    instance=new_id(),
    image=new_id(),
    type="m1.small",
    zone="zone-1",
    reservation="r-1",
    groups=(),
)
ROUTER = RouterNetwork(
    generation=1,
    network=new_id(),
    bridge="br-1",
    gateway=IPv4Address("10.1.0.1"),
    cidr=IPv4Network("10.1.0.0/24"),
    domain="cloud.internal",
    dns=(IPv4Address("10.9.9.9"),),
    guests=(GUEST,),
)
LEASE = "0 52:54:00:aa:00:01 10.1.0.10 web-1 01:52:54:00:aa:00:01\n"
FOREIGN = "0 52:54:00:bb:00:09 10.1.0.10 old *\n"


def test_dnsmasq_takes_its_configuration(tmp_path: Path) -> None:
    config = tmp_path / dhcp.CONFIG
    config.write_text(dhcp.configuration(ROUTER, tmp_path, "nobody"))
    (tmp_path / dhcp.HOSTS).write_text(dhcp.hosts(ROUTER.guests))
    subprocess.run(["dnsmasq", "--test", f"--conf-file={config}"], check=True, capture_output=True)


def test_a_lease_is_fixed_and_for_ever() -> None:
    assert dhcp.hosts([GUEST]) == "52:54:00:aa:00:01,10.1.0.10,web-1,infinite\n"


@pytest.mark.parametrize("name", ["", "a b", "x,ignore", "new\nline", "-a", "a" * 64])
def test_a_hostname_that_dns_would_not_take_is_left_out(name: str) -> None:
    odd = replace(GUEST, hostname=name)
    assert dhcp.hosts([odd]) == "52:54:00:aa:00:01,10.1.0.10,infinite\n"
    assert dhcp.addresses([odd]) == ""


def test_an_odd_domain_is_left_out(tmp_path: Path) -> None:
    odd = replace(ROUTER, domain="x\ndhcp-script=/bin/sh")
    assert "dhcp-script" not in dhcp.configuration(odd, tmp_path, "nobody")


def test_a_lease_of_a_guest_that_is_gone_is_in_the_way() -> None:
    assert not dhcp.stale("", [GUEST])
    assert not dhcp.stale(LEASE, [GUEST])
    assert dhcp.stale(LEASE + FOREIGN, [GUEST])
    assert dhcp.pruned(LEASE + FOREIGN, [GUEST]) == LEASE
