"""Security groups and key pairs through the ``cs`` client."""

import pytest
from cs import CloudStack, CloudStackApiException

from tests.world.world import World


def test_rules_are_listed_at_once_and_gone_when_revoked(native: CloudStack) -> None:
    group = native.createSecurityGroup(name="web", description="web servers")["securitygroup"]
    result = native.authorizeSecurityGroupIngress(
        securitygroupid=group["id"],
        protocol="TCP",
        startport=80,
        endport=81,
        cidrlist="10.0.0.0/8,192.168.1.7",
        fetch_result=True,
    )["securitygroup"]
    rules = {rule["cidr"]: rule for rule in result["ingressrule"]}
    assert set(rules) == {"10.0.0.0/8", "192.168.1.7/32"}
    rule = rules["10.0.0.0/8"]
    assert (rule["protocol"], rule["startport"], rule["endport"]) == ("tcp", 80, 81)
    assert "icmptype" not in rule

    for rule in rules.values():
        done = native.revokeSecurityGroupIngress(id=rule["ruleid"], fetch_result=True)
        assert done == {"success": True}
    [shown] = native.listSecurityGroups(id=group["id"])["securitygroup"]
    assert (shown["ingressrule"], shown["egressrule"]) == ([], [])
    assert native.deleteSecurityGroup(name="web") == {"success": "true"}


def test_a_rule_may_name_a_group(native: CloudStack) -> None:
    native.createSecurityGroup(name="front")
    native.createSecurityGroup(name="back")
    result = native.authorizeSecurityGroupIngress(
        securitygroupname="back",
        protocol="icmp",
        icmptype=8,
        icmpcode=0,
        usersecuritygrouplist=[{"account": "admin", "group": "front"}],
        fetch_result=True,
    )["securitygroup"]
    [rule] = result["ingressrule"]
    assert (rule["securitygroupname"], rule["account"]) == ("front", "admin")
    assert (rule["icmptype"], rule["icmpcode"]) == (8, 0)

    with pytest.raises(CloudStackApiException) as error:
        native.deleteSecurityGroup(name="front")
    assert error.value.error["errorcode"] == 536
    native.deleteSecurityGroup(name="back")
    native.deleteSecurityGroup(name="front")


def test_egress_rules_have_a_list_of_their_own(native: CloudStack) -> None:
    group = native.createSecurityGroup(name="closed")["securitygroup"]
    result = native.authorizeSecurityGroupEgress(
        securitygroupid=group["id"], protocol="all", cidrlist="0.0.0.0/0", fetch_result=True
    )["securitygroup"]
    [rule] = result["egressrule"]
    assert result["ingressrule"] == []
    with pytest.raises(CloudStackApiException, match="egress"):
        native.revokeSecurityGroupIngress(id=rule["ruleid"])
    native.revokeSecurityGroupEgress(id=rule["ruleid"], fetch_result=True)
    native.deleteSecurityGroup(id=group["id"])


@pytest.mark.parametrize(
    ("params", "kind", "field"),
    [
        ({"protocol": "tcp", "cidrlist": "10.0.0.0/8"}, "missing", "startport"),
        ({"protocol": "tcp", "startport": 1, "endport": 70000}, "invalid", "endport"),
        ({"protocol": "tcp", "startport": 1, "cidrlist": "10/99"}, "invalid", "cidrlist"),
        ({"protocol": "tcp", "startport": 1}, "missing", "cidrlist"),
        ({"protocol": "nonsense", "cidrlist": "10.0.0.0/8"}, "invalid", "protocol"),
        ({"usersecuritygrouplist[0].group": "absent"}, "not_found", "securitygroupname"),
        ({"usersecuritygrouplist[x].group": "a"}, "invalid", "usersecuritygrouplist[x].group"),
    ],
)
def test_bad_rules_are_refused_and_leave_none(
    native: CloudStack, params: dict[str, object], kind: str, field: str
) -> None:
    with pytest.raises(CloudStackApiException) as error:
        native.authorizeSecurityGroupIngress(securitygroupname="default", **params)
    assert (error.value.error["kind"], error.value.error["field"]) == (kind, field)
    groups = native.listSecurityGroups(securitygroupname="default").get("securitygroup", [])
    assert not [rule for group in groups for rule in group["ingressrule"]]


def test_a_malformed_map_has_a_code_of_its_own(native: CloudStack) -> None:
    with pytest.raises(CloudStackApiException) as error:
        native.listZones(**{"tags[0": "x"})
    assert error.value.error["errorcode"] == 430


def test_the_private_half_of_a_key_is_shown_once(world: World) -> None:
    user = world.native(world.account("user-of-keys"))
    made = user.createSSHKeyPair(name="mine")["keypair"]
    assert made["privatekey"].startswith("-----BEGIN RSA PRIVATE KEY-----")

    [listed] = user.listSSHKeyPairs(name="mine")["sshkeypair"]
    assert listed == {"name": "mine", "fingerprint": made["fingerprint"]}
    with pytest.raises(CloudStackApiException, match="already"):
        user.createSSHKeyPair(name="mine")
    with pytest.raises(CloudStackApiException, match="no SSH public key"):
        user.registerSSHKeyPair(name="other", publickey="ssh-rsa AAAA")
    assert user.deleteSSHKeyPair(name="mine") == {"success": "true"}
    assert user.listSSHKeyPairs() == {}
