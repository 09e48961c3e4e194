"""Image stores that are buckets, through the native API: what they take, and never show."""

from typing import Any

import pytest
from cs import CloudStackApiException
from sqlalchemy import text

from tests.world.world import World

SECRET = "a-very-secret-key"
ACCESS = {"accesskey": "AKID", "secretkey": SECRET, "bucket": "templates"}


def details(**told: str) -> dict[str, str]:
    """As the wire wants them."""
    found = dict[str, str]()
    for number, (key, value) in enumerate(told.items()):
        found |= {f"details[{number}].key": key, f"details[{number}].value": value}
    return found


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(CloudStackApiException) as caught:
        call(**params)
    return str(caught.value.error["errortext"])


@pytest.fixture
def zone(native: Any) -> str:
    return str(native.listZones()["zone"][0]["id"])


def test_what_is_no_bucket_store_is_refused_by_name(native: Any, zone: str) -> None:
    add = native.addImageStore
    s3 = {"provider": "S3", "zoneid": zone}
    without = {name: value for name, value in ACCESS.items() if name != "bucket"}
    good = ACCESS | {"endpoint": "127.0.0.1:7080"}
    assert "bucket" in refused(add, **s3, **details(**without, endpoint="x"))
    assert "endpoint" in refused(add, **s3, **details(**ACCESS))
    assert "colour" in refused(add, **s3, **details(**good, colour="red"))
    assert "no bucket" in refused(add, **s3, **details(**good | {"bucket": "No/Bucket"}))
    for endpoint in ("http://host/path", "ftp://host", "http://", "http://u:p@host"):
        assert "endpoint" in refused(add, **s3, **details(**ACCESS, endpoint=endpoint))
    assert "details" in refused(add, provider="NFS", zoneid=zone, url="file:///x", **details(a="b"))
    assert "url" in refused(add, provider="NFS", zoneid=zone)
    assert "provider" in refused(add, provider="Swift", zoneid=zone, url="http://x")
    assert len(native.listImageStores()["imagestore"]) == 1


def test_templates_go_to_the_bucket_from_then_on_and_its_keys_stay_secret(
    world: World, native: Any, zone: str
) -> None:
    told = details(**ACCESS, endpoint="127.0.0.1:7080", usehttps="false")
    made = native.addImageStore(provider="S3", name="bucket", zoneid=zone, **told)["imagestore"]
    world.settle()
    [row] = native.listImageStores(name="bucket")["imagestore"]
    assert (row["providername"], row["protocol"], row["state"]) == ("S3", "s3", "Up")
    assert row["url"] == "http://127.0.0.1:7080/templates"
    assert SECRET not in str((made, row))
    with world.sessions.read() as db:
        rows = db.execute(text("SELECT * FROM storage_pool WHERE provider = 'S3'")).mappings().all()
        jobs = db.execute(text("SELECT * FROM job")).mappings().all()
    assert len(rows) == 1
    assert SECRET not in str((rows, jobs))
    template = native.registerTemplate(
        name="kept-in-s3",
        displaytext="kept in S3",
        format="QCOW2",
        hypervisor="KVM",
        ostypeid=native.listOsTypes()["ostype"][0]["id"],
        url="http://images.example/tiny.qcow2",
        zoneid=zone,
    )["template"][0]["id"]
    world.settle()
    snapshot = str(world.hosts.snapshot())
    assert template in snapshot
    offering = native.listServiceOfferings(name="m1.tiny")["serviceoffering"][0]["id"]
    job = native.deployVirtualMachine(
        serviceofferingid=offering, templateid=template, zoneid=zone, fetch_result=True
    )
    assert job["virtualmachine"]["state"] == "Running"
    native.destroyVirtualMachine(id=job["virtualmachine"]["id"], expunge=True, fetch_result=True)
    native.deleteTemplate(id=template, fetch_result=True)
    refusal = refused(native.addImageStore, provider="S3", name="twice", zoneid=zone, **told)
    assert "already" in refusal
