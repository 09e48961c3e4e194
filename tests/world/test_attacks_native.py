"""Attacks with what is legal on the wire and absurd in meaning, on the native API."""

import time
from typing import Any

import pytest
from cs import CloudStackApiException

from orchestrator.resources.securitygroups import MOST_RULES
from tests.world.world import World


def _kind(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(CloudStackApiException) as caught:
        call(**params)
    error: Any = caught.value
    return error.error["kind"], error.error["subject"]


@pytest.mark.parametrize("url", ["http://[", "http://[::1", "https://[x]/a.qcow2"])
def test_a_broken_url_is_refused(native: Any, url: str) -> None:
    zone = native.listZones()["zone"][0]["id"]
    template = {
        "name": "t",
        "displaytext": "t",
        "format": "QCOW2",
        "hypervisor": "KVM",
        "ostypeid": native.listOsTypes()["ostype"][0]["id"],
        "zoneid": zone,
        "url": url,
    }
    assert _kind(native.registerTemplate, **template) == ("invalid", "template")
    pod, cluster = native.listPods()["pod"][0]["id"], native.listClusters()["cluster"][0]["id"]
    place = {"zoneid": zone, "podid": pod, "clusterid": cluster, "url": url}
    host = {"hypervisor": "KVM", "username": "root", "password": "x"}
    assert _kind(native.addHost, **place, **host) == ("invalid", "host")
    assert _kind(native.createStoragePool, **place, name="p") == ("invalid", "storagepool")


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00"])
def test_a_time_beyond_the_calendar_is_refused(native: Any, time: str) -> None:
    assert _kind(native.listAsyncJobs, startdate=time) == ("invalid", "command")


def test_a_group_takes_only_so_many_rules(world: World, native: Any) -> None:
    native.createSecurityGroup(name="wide")
    ranges = [f"10.{n // 250}.{n % 250}.0/24" for n in range(2 * MOST_RULES)]
    rule = {"securitygroupname": "wide", "protocol": "tcp", "startport": 1, "endport": 1}
    refused = _kind(native.authorizeSecurityGroupIngress, **rule, cidrlist=ranges)
    assert refused == ("limit", "securitygrouprule")
    (group,) = native.listSecurityGroups(securitygroupname="wide")["securitygroup"]
    assert not group.get("ingressrule")


def test_a_long_list_of_jobs_is_told_quickly(world: World) -> None:
    native = world.native(world.account("busy"))
    native.createSecurityGroup(name="mine")
    for port in range(100):
        native.authorizeSecurityGroupIngress(
            securitygroupname="mine",
            protocol="tcp",
            startport=port,
            endport=port,
            cidrlist="10.0.0.0/8",
            fetch_result=False,
        )
    world.settle()
    start = time.monotonic()
    found = native.listAsyncJobs(pagesize=-1)["asyncjobs"]
    assert len(found) == 100
    assert all(len(job["jobresult"]["securitygroup"]["ingressrule"]) == 100 for job in found)
    assert time.monotonic() - start < 30
