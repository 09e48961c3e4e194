"""Accounts, keys, configuration and the physical tree through the ``cs`` client."""

import pytest
from cs import CloudStack, CloudStackApiException

from tests.world.world import World


def test_a_user_of_another_account_has_keys_that_work(world: World, native: CloudStack) -> None:
    account = native.createAccount(
        accounttype=0,
        username="first",
        account="firm",
        password="secret",
        firstname="F",
        lastname="L",
        email="f@example.com",
    )["account"]
    assert (account["name"], account["user"][0]["username"]) == ("firm", "first")
    native.createUser(
        account="firm",
        username="second",
        password="secret",
        firstname="S",
        lastname="L",
        email="s@example.com",
    )
    [second] = native.listUsers(username="second", listall=True)["user"]
    keys = native.registerUserKeys(id=second["id"])["userkeys"]
    user = CloudStack(world.native_url, keys["apikey"], keys["secretkey"])

    assert [row["name"] for row in user.listAccounts()["account"]] == ["firm"]
    assert native.getUser(userapikey=keys["apikey"])["user"]["secretkey"] == keys["secretkey"]
    with pytest.raises(CloudStackApiException, match="432"):
        user.listUsers()


def test_a_domain_administrator_does_not_get_at_the_root_administrator(world: World) -> None:
    keeper = world.native(world.account("keeper", type=2))
    users = {user["username"]: user for user in keeper.listUsers(listall=True)["user"]}

    assert "secretkey" in users["keeper"]
    assert "secretkey" not in users["admin"]
    with pytest.raises(CloudStackApiException, match="There is no user"):
        keeper.registerUserKeys(id=users["admin"]["id"])


def test_names_are_taken_once(native: CloudStack) -> None:
    told = {"password": "x", "firstname": "x", "lastname": "x", "email": "x@example.com"}
    native.createAccount(accounttype=0, username="twin", **told)
    with pytest.raises(CloudStackApiException) as error:
        native.createAccount(accounttype=0, username="twin", **told)
    assert error.value.error["kind"] == "exists"


def test_configuration_is_changed_and_bad_values_are_refused(native: CloudStack) -> None:
    changed = native.updateConfiguration(name="stop.patience", value="5")["configuration"]
    assert (changed["value"], changed["category"]) == ("5", "Advanced")
    [row] = native.listConfigurations(name="stop.patience")["configuration"]
    assert row["value"] == "5"
    for name, value in (
        ("stop.patience", "soon"),
        ("no.such.parameter", "1"),
        ("default.page.size", "-5"),
        ("cpu.overprovisioning.factor", "nan"),
        ("expunge.delay", "99999999999"),
    ):
        with pytest.raises(CloudStackApiException):
            native.updateConfiguration(name=name, value=value)


def test_the_physical_tree_is_listed_with_its_names(native: CloudStack) -> None:
    [zone] = native.listZones()["zone"]
    [pod] = native.listPods(zoneid=zone["id"])["pod"]
    [cluster] = native.listClusters(podid=pod["id"])["cluster"]
    hosts = native.listHosts(clusterid=cluster["id"], type="Routing")["host"]
    [pool] = native.listStoragePools(zoneid=zone["id"])["storagepool"]
    [store] = native.listImageStores()["imagestore"]
    [network] = native.listNetworks()["network"]
    [span] = native.listVlanIpRanges(networkid=network["id"])["vlaniprange"]

    assert (pod["zonename"], cluster["podname"]) == (zone["name"], pod["name"])
    assert {host["state"] for host in hosts} == {"Up"}
    assert {host["clustername"] for host in hosts} == {cluster["name"]}
    assert (pool["state"], store["state"]) == ("Up", "Up")
    assert (span["startip"], network["cidr"]) == ("10.46.0.10", "10.46.0.0/16")
    assert native.listRegions()["region"][0]["id"] == 1
    assert native.listHypervisors()["hypervisor"] == [{"name": "KVM"}]
    assert native.listCapabilities()["capability"]["securitygroupsenabled"] is True


def test_a_zone_is_closed_and_opened(native: CloudStack) -> None:
    [zone] = native.listZones()["zone"]
    closed = native.updateZone(id=zone["id"], allocationstate="disabled")["zone"]
    assert closed["allocationstate"] == "Disabled"
    assert native.listZones(available=True) == {}
    opened = native.updateZone(id=zone["id"], allocationstate="Enabled")["zone"]
    assert opened["allocationstate"] == "Enabled"


def test_offerings_come_and_go(native: CloudStack) -> None:
    told = {"name": "c9.odd", "displaytext": "odd", "cpunumber": 3, "cpuspeed": 700, "memory": 300}
    made = native.createServiceOffering(**told)["serviceoffering"]
    assert {name: made[name] for name in told} == told
    with pytest.raises(CloudStackApiException, match="already"):
        native.createServiceOffering(**told)
    assert native.deleteServiceOffering(id=made["id"]) == {"success": "true"}
    assert native.listServiceOfferings(name="c9.odd") == {}

    disk = native.createDiskOffering(name="five", displaytext="5 GB", disksize=5)["diskoffering"]
    assert (disk["disksize"], disk["iscustomized"]) == (5, False)
    assert native.deleteDiskOffering(id=disk["id"]) == {"success": "true"}


def test_fetching_a_list_page_by_page_gives_every_row_once(native: CloudStack) -> None:
    rows = native.listConfigurations(fetch_list=True, pagesize=3)

    assert len({row["name"] for row in rows}) == len(rows) > 3
