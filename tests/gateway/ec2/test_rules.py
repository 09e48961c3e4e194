"""Permissions and rules in one form."""

from typing import Any

import pytest

from gateway.ec2 import rules
from gateway.ec2.faults import Ec2Fault
from gateway.ec2.rules import Permission, Rule
from gateway.ec2.views.securitygroups import Traffic

ANYWHERE: Any = [{"CidrIp": "0.0.0.0/0"}]


def wanted(**members: Any) -> list[Rule]:
    permission: Permission = {"IpRanges": ANYWHERE, **members}  # type: ignore[typeddict-item]
    return rules.wanted([permission], lambda pair: pair.get("GroupName", "?"))


def refused(**members: Any) -> str:
    with pytest.raises(Ec2Fault) as caught:
        wanted(**members)
    return caught.value.code


@pytest.mark.parametrize(
    ("members", "traffic"),
    [
        ({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2}, Traffic("tcp", 1, 2)),
        ({"IpProtocol": "UDP", "FromPort": 0, "ToPort": 65535}, Traffic("udp", 0, 65535)),
        ({"IpProtocol": "6", "FromPort": 1, "ToPort": 1}, Traffic("tcp", 1, 1)),
        ({"IpProtocol": "1"}, Traffic("icmp", -1, -1)),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": 0}, Traffic("icmp", 8, 0)),
        ({"IpProtocol": "-1", "FromPort": 5, "ToPort": 6}, Traffic("-1", None, None)),
        ({"IpProtocol": "all"}, Traffic("-1", None, None)),
        ({"IpProtocol": "50"}, Traffic("50", None, None)),
    ],
)
def test_a_protocol_has_many_spellings(members: dict[str, Any], traffic: Traffic) -> None:
    assert wanted(**members) == [Rule(traffic, "0.0.0.0/0", None)]


def test_native_rules_come_to_the_same_form() -> None:
    rows: Any = [
        {"ruleid": "1", "protocol": "tcp", "startport": 1, "endport": 2, "cidr": "10.0.0.0/8"},
        {"ruleid": "2", "protocol": "icmp", "icmptype": 8, "icmpcode": -1, "cidr": "10.0.0.0/8"},
        {"ruleid": "3", "protocol": "all", "securitygroupname": "web", "account": "a"},
    ]
    assert list(rules.of_native(rows)) == [
        Rule(Traffic("tcp", 1, 2), "10.0.0.0/8", None),
        Rule(Traffic("icmp", 8, -1), "10.0.0.0/8", None),
        Rule(Traffic("-1", None, None), None, "web"),
    ]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({}, "MissingParameter"),
        ({"IpProtocol": "tcp"}, "MissingParameter"),
        ({"IpProtocol": "tcp", "FromPort": 1}, "MissingParameter"),
        ({"IpProtocol": "tcp", "FromPort": -1, "ToPort": -1}, "InvalidParameterValue"),
        ({"IpProtocol": "256"}, "InvalidPermission.Malformed"),
        ({"IpProtocol": "\u0661"}, "InvalidPermission.Malformed"),
        ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "x"}]}, "InvalidParameterValue"),
        ({"IpProtocol": "-1", "IpRanges": [{}]}, "InvalidParameterValue"),
        ({"IpProtocol": "-1", "IpRanges": []}, "MissingParameter"),
    ],
)
def test_an_impossible_permission_is_refused(members: dict[str, Any], code: str) -> None:
    assert refused(**members) == code


def test_the_flat_form_is_one_permission() -> None:
    [permission] = rules.flat("tcp", 1, 2, "10.0.0.0/8", None, None)
    assert permission["IpRanges"] == [{"CidrIp": "10.0.0.0/8"}]
    [permission] = rules.flat("tcp", 1, 2, None, "web", "123")
    assert permission["UserIdGroupPairs"] == [{"GroupName": "web", "UserId": "123"}]
    assert rules.flat(None, None, None, None, None, None) == []
    assert len(rules.flat(None, None, None, None, "web", None)) == 3


@pytest.mark.parametrize(
    "flat",
    [
        ("tcp", 1, 2, None, None, None),
        (None, 1, 2, "10.0.0.0/8", None, None),
        ("tcp", 1, 2, "10.0.0.0/8", "web", None),
    ],
)
def test_half_a_flat_form_is_refused(flat: Any) -> None:
    with pytest.raises(Ec2Fault):
        rules.flat(*flat)
