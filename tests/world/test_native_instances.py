"""Instances through the ``cs`` client."""

import base64
from typing import Any

import pytest
from cs import CloudStack, CloudStackApiException

from tests.world.world import World


@pytest.fixture
def parts(native: CloudStack) -> dict[str, str]:
    """What an instance is made of."""
    return {
        "zoneid": native.listZones()["zone"][0]["id"],
        "templateid": native.listTemplates(templatefilter="featured")["template"][0]["id"],
        "serviceofferingid": native.listServiceOfferings(name="m1.small")["serviceoffering"][0][
            "id"
        ],
    }


def _deploy(native: CloudStack, parts: dict[str, str], **params: Any) -> dict[str, Any]:
    result = native.deployVirtualMachine(fetch_result=True, **parts, **params)
    made: dict[str, Any] = result["virtualmachine"]
    return made


def _end(native: CloudStack, *instances: dict[str, Any]) -> None:
    for instance in instances:
        native.destroyVirtualMachine(id=instance["id"], expunge=True, fetch_result=True)


def _refused(error: pytest.ExceptionInfo[CloudStackApiException]) -> tuple[int, str, str, Any]:
    content = error.value.error
    return content["errorcode"], content["kind"], content["subject"], content.get("field")


def test_an_instance_is_listed_at_once_and_told_about_by_its_job(
    native: CloudStack, parts: dict[str, str]
) -> None:
    native.createSSHKeyPair(name="login")
    answer = native.deployVirtualMachine(
        name="web-1",
        displayname="Web server",
        group="r-1",
        keypair="login",
        userdata=base64.b64encode(b"#!/bin/sh\n").decode(),
        **parts,
    )
    assert set(answer) == {"id", "jobid"}
    [listed] = native.listVirtualMachines(ids=answer["id"])["virtualmachine"]
    assert listed["state"] in {"Starting", "Running"}

    result = native._jobresult(answer["jobid"])["virtualmachine"]
    assert result["state"] == "Running"
    assert (result["name"], result["displayname"]) == ("web-1", "Web server")
    assert (result["group"], result["keypair"]) == ("r-1", "login")
    assert (result["memory"], result["cpunumber"], result["rootdeviceid"]) == (512, 1, 0)
    assert result["serviceofferingname"] == "m1.small"
    assert [group["name"] for group in result["securitygroup"]] == ["default"]
    [nic] = result["nic"]
    assert nic["ipaddress"].startswith("10.46.")
    assert nic["isdefault"] is True
    assert result["hostid"]
    assert "jobid" not in result
    _end(native, result)


def test_the_life_of_an_instance_is_seen_in_its_state(
    native: CloudStack, parts: dict[str, str]
) -> None:
    made = _deploy(native, parts)
    for verb, state in (
        (native.stopVirtualMachine, "Stopped"),
        (native.startVirtualMachine, "Running"),
        (native.rebootVirtualMachine, "Running"),
    ):
        assert verb(id=made["id"], fetch_result=True)["virtualmachine"]["state"] == state
    _end(native, made)

    assert "virtualmachine" not in native.listVirtualMachines()
    [gone] = native.listVirtualMachines(id=made["id"])["virtualmachine"]
    assert gone["state"] == "Destroyed"
    assert made["id"] in {
        row["id"] for row in native.listVirtualMachines(state="Destroyed")["virtualmachine"]
    }


def test_a_wrong_state_is_refused_before_any_job(native: CloudStack, parts: dict[str, str]) -> None:
    made = _deploy(native, parts)
    with pytest.raises(CloudStackApiException) as error:
        native.startVirtualMachine(id=made["id"])
    assert _refused(error)[:3] == (431, "wrong_state", "virtualmachine")
    _end(native, made)


@pytest.mark.parametrize(
    ("params", "refused"),
    [
        ({"templateid": "x"}, (431, "not_found", "template", "templateid")),
        ({"keypair": "none"}, (431, "not_found", "keypair", "keypair")),
        ({"securitygroupids": "x"}, (431, "not_found", "securitygroup", "securitygroupids")),
        ({"userdata": "ä"}, (431, "invalid", "virtualmachine", "userdata")),
        ({"name": "-web-"}, (431, "invalid", "virtualmachine", "name")),
        ({"rootdisksize": 0}, (431, "invalid", "command", "rootdisksize")),
        ({"startvm": "false"}, (431, "invalid", "virtualmachine", "startvm")),
        ({"networkids": "x"}, (431, "invalid", "command", "networkids")),
    ],
)
def test_what_cannot_be_deployed_is_refused_by_parameter(
    native: CloudStack, parts: dict[str, str], params: dict[str, Any], refused: Any
) -> None:
    with pytest.raises(CloudStackApiException) as error:
        native.deployVirtualMachine(**{**parts, **params})
    assert _refused(error) == refused
    assert "virtualmachine" not in native.listVirtualMachines()


def test_the_same_token_is_the_same_instance(native: CloudStack, parts: dict[str, str]) -> None:
    first = native.deployVirtualMachine(clienttoken="once", **parts)
    assert native.deployVirtualMachine(clienttoken="once", **parts) == first
    with pytest.raises(CloudStackApiException) as error:
        native.deployVirtualMachine(clienttoken="once", displayname="other", **parts)
    assert _refused(error) == (431, "mismatch", "clienttoken", "clienttoken")
    native._jobresult(first["jobid"])
    _end(native, first)


def test_a_user_is_not_shown_where_the_instance_runs(world: World, parts: dict[str, str]) -> None:
    user = world.native(world.account("user-of-instances"))
    made = _deploy(user, parts)

    assert not {"hostid", "hostname", "instancename"} & set(made)
    with pytest.raises(CloudStackApiException) as error:
        user.deployVirtualMachine(hostid=world.native().listHosts()["host"][0]["id"], **parts)
    assert _refused(error) == (531, "forbidden", "host", "hostid")
    [seen] = world.native().listVirtualMachines(id=made["id"])["virtualmachine"]
    assert seen["account"] == "user-of-instances"
    _end(user, made)


def test_a_failed_job_says_why(world: World, native: CloudStack, parts: dict[str, str]) -> None:
    answer = native.registerTemplate(
        name="absent",
        displaytext="absent",
        format="QCOW2",
        hypervisor="KVM",
        ostypeid=native.listOsTypes()["ostype"][0]["id"],
        url="http://images.example/absent.qcow2",
        zoneid=parts["zoneid"],
    )
    assert answer["count"] == 1
    [template] = answer["template"]
    world.settle()
    jobs = native.listAsyncJobs()["asyncjobs"]
    [job] = [job for job in jobs if job.get("jobinstanceid") == template["id"]]
    assert (job["cmd"], job["jobstatus"]) == ("registerTemplate", 1)
    assert job["jobresult"]["template"]["isready"] is True
    assert native.deleteTemplate(id=template["id"], fetch_result=True) == {"success": True}
