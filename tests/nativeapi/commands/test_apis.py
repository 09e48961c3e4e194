"""Discovery."""

from nativeapi.registry import load
from tests.nativeapi.site import Site


def test_the_administrator_is_shown_every_command_with_help_on_everything(shared: Site) -> None:
    answer = shared.call("admin", "listApis")

    assert [entry["name"] for entry in answer["api"]] == sorted(load())
    assert answer["count"] == len(load())
    for entry in answer["api"]:
        assert entry["description"]
        assert all(x["description"] and x["type"] and x["length"] for x in entry["params"])
        assert all(x["description"] and x["type"] for x in entry["response"])


def test_a_user_is_not_shown_what_only_administrators_may_call(shared: Site) -> None:
    names = {entry["name"] for entry in shared.call("alice", "listApis")["api"]}

    assert "deployVirtualMachine" in names
    assert not names & {"createZone", "addHost", "updateConfiguration", "getUser", "listUsers"}


def test_one_command_is_described_as_it_is_declared(shared: Site) -> None:
    [entry] = shared.call("alice", "listApis", name="attachVolume")["api"]
    params = {param["name"]: param for param in entry["params"]}

    assert entry["isasync"] is True
    assert set(params) == {"id", "virtualmachineid", "deviceid"}
    assert params["id"] == {
        "name": "id",
        "description": "the volume to attach",
        "type": "uuid",
        "length": 255,
        "required": True,
    }
    assert params["deviceid"]["required"] is False
    assert "listVolumes" in entry["related"].split(",")
    assert {"name": "size", "description": "size, in bytes", "type": "integer"} in entry["response"]


def test_lists_and_maps_say_so(shared: Site) -> None:
    [entry] = shared.call("alice", "listApis", name="authorizeSecurityGroupIngress")["api"]
    types = {param["name"]: param["type"] for param in entry["params"]}

    assert types["cidrlist"] == "list"
    assert types["usersecuritygrouplist"] == "map"
    nested = {field["name"]: field for field in entry["response"]}["ingressrule"]
    assert nested["type"] == "list"
    assert "ruleid" in {field["name"] for field in nested["response"]}


def test_a_command_nobody_offers_is_not_found(shared: Site) -> None:
    assert shared.refused("alice", "listApis", name="makeCoffee") == (
        431,
        "not_found",
        "command",
        "name",
    )


def test_the_answer_is_one_line(shared: Site) -> None:
    answer = shared.send(shared.signed("alice", "listApis"))

    assert b"\n" not in answer.data
