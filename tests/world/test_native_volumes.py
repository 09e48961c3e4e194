"""Volumes through the ``cs`` client."""

from typing import Any

import pytest
from cs import CloudStack, CloudStackApiException


@pytest.fixture
def made(native: CloudStack) -> dict[str, Any]:
    """A running instance to attach to."""
    zone = native.listZones()["zone"][0]["id"]
    template = native.listTemplates(templatefilter="featured")["template"][0]["id"]
    [size] = native.listServiceOfferings(name="m1.small")["serviceoffering"]
    result = native.deployVirtualMachine(
        zoneid=zone, templateid=template, serviceofferingid=size["id"], fetch_result=True
    )
    instance: dict[str, Any] = result["virtualmachine"]
    return instance


def test_a_volume_is_made_attached_detached_and_deleted(
    native: CloudStack, made: dict[str, Any]
) -> None:
    offering = native.listDiskOfferings(name="gp2")["diskoffering"][0]["id"]
    volume = native.createVolume(
        name="data", zoneid=made["zoneid"], diskofferingid=offering, size=2, fetch_result=True
    )["volume"]
    assert (volume["size"], volume["type"]) == (2 * 1024**3, "DATADISK")

    attached = native.attachVolume(id=volume["id"], virtualmachineid=made["id"])
    assert set(attached) == {"jobid"}
    [listed] = native.listVolumes(id=volume["id"])["volume"]
    assert (listed["virtualmachineid"], listed["deviceid"]) == (made["id"], 1)
    result = native._jobresult(attached["jobid"])["volume"]
    assert (result["state"], result["vmname"]) == ("Ready", made["name"])
    rows = native.listVolumes(virtualmachineid=made["id"])["volume"]
    assert {row["type"] for row in rows} == {"ROOT", "DATADISK"}

    with pytest.raises(CloudStackApiException) as error:
        native.deleteVolume(id=volume["id"])
    refused = error.value.error
    assert (refused["errorcode"], refused["kind"]) == (536, "in_use")
    detached = native.detachVolume(virtualmachineid=made["id"], deviceid=1, fetch_result=True)
    assert "virtualmachineid" not in detached["volume"]
    assert native.deleteVolume(id=volume["id"]) == {"success": "true"}
    assert native.listVolumes(keyword="data") == {}
    native.destroyVirtualMachine(id=made["id"], expunge=True, fetch_result=True)
