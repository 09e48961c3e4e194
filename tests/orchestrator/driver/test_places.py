"""Names and paths of one cloud."""

from pathlib import Path

from orchestrator.driver.linux import names
from orchestrator.driver.places import Places, tag_of
from orchestrator.ids import new_id


def test_clouds_with_different_homes_share_no_name() -> None:
    one, other = (Places(home, tag_of(home)) for home in (Path("/a"), Path("/b")))
    network = new_id()
    assert one.tag == tag_of(Path("/a"))
    for name in ("run", "host_namespace", "router_prefix", "daemon"):
        assert getattr(one, name) != getattr(other, name)
    assert one.router_namespace(network) != other.router_namespace(network)


def test_sockets_fit_however_deep_the_home_is() -> None:
    places = Places(Path("/" + "deep/" * 100), "abcdef")
    assert len(str(places.displays / f"{new_id()}.sock")) < 108


def test_device_names_fit_and_addresses_are_local_and_fixed() -> None:
    network = new_id()
    assert len(names.uplink(network)) <= 15
    for mac in (names.router_mac(network), names.bridge_mac(network)):
        assert names.mac(mac) == mac
        assert int(mac[:2], 16) & 0b11 == 0b10
    assert names.router_mac(network) == names.router_mac(network) != names.bridge_mac(network)
