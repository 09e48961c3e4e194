"""Addresses: given out once, given back, found quickly."""

import pytest
from sqlalchemy import select

from orchestrator.faults import Fault, Kind
from orchestrator.resources import networks
from orchestrator.schema.instances import Instance
from orchestrator.schema.networks import IpRange, Network, Nic
from tests.orchestrator.cloud import Asking, Cloud


def _narrow(cloud: Cloud, size: int) -> None:
    """Leave only so many addresses in the range."""
    with cloud.sessions.write() as db:
        span = db.scalars(select(IpRange)).one()
        span.last = span.first + size - 1


def _plug(cloud: Cloud, instance: str) -> int:
    def act(asking: Asking) -> int:
        network = asking.db.scalars(select(Network)).one()
        return networks.plug(asking.db, network, instance).ip

    address: int = cloud.ask(act)
    return address


def test_every_address_is_given_out_once_and_then_no_more(cloud: Cloud) -> None:
    """A full network says so."""
    _narrow(cloud, 5)
    instance = cloud.running()
    given = {_plug(cloud, instance) for _ in range(4)}
    assert len(given) == 4
    with pytest.raises(Fault) as refused:
        _plug(cloud, instance)
    assert refused.value.kind is Kind.NO_CAPACITY


def test_a_gap_in_the_middle_is_found_again(cloud: Cloud) -> None:
    """Whatever was given back is given out again when the rest is taken."""
    _narrow(cloud, 6)
    instance = cloud.running()
    taken = [_plug(cloud, instance) for _ in range(5)]
    with cloud.sessions.write() as db:
        db.delete(db.scalars(select(Nic).where(Nic.ip == taken[2])).one())
    assert _plug(cloud, instance) == taken[2]


def test_the_mac_is_a_function_of_the_address(cloud: Cloud) -> None:
    """A lease learnt anywhere never contradicts the next guest of the address."""
    cloud.running()
    with cloud.sessions.read() as db:
        nic = db.scalars(select(Nic)).one()
        number = db.scalars(select(Network.number)).one()
    assert nic.mac == f"06:{number:02x}:0a:2e:00:0a"


def test_a_refused_deploy_leaves_no_address_taken(cloud: Cloud) -> None:
    """The reservation is one transaction."""
    _narrow(cloud, 1)
    cloud.running()
    with pytest.raises(Fault):
        cloud.deploy()
    assert len(cloud.all(Instance)) == 1
    assert cloud.audit() == []
