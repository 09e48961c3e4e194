"""What old API versions saw differently."""

from typing import Any

import pytest

from gateway.ec2 import codec, versions

GROUPS = [{"GroupId": "sg-1", "GroupName": "web"}]
RESERVATION = {
    "ReservationId": "r-1",
    "Groups": GROUPS,
    "Instances": [{"InstanceId": "i-1", "SecurityGroups": GROUPS}],
}


@pytest.mark.parametrize(
    ("operation", "reply"),
    [("RunInstances", RESERVATION), ("DescribeInstances", {"Reservations": [RESERVATION]})],
)
def test_groups_were_names_at_the_reservation(operation: str, reply: dict[str, Any]) -> None:
    old = versions.shape(operation, "2010-11-15", reply)
    reservation = old["Reservations"][0] if "Reservations" in old else old
    assert reservation["Groups"] == [{"GroupId": "web"}]
    assert reservation["Instances"] == [{"InstanceId": "i-1"}]
    assert versions.shape(operation, "2011-01-01", reply) is reply


def test_security_groups_had_no_ids_and_no_egress() -> None:
    pair = {"UserId": "1", "GroupName": "db", "GroupId": "sg-2"}
    group = {
        "GroupId": "sg-1",
        "GroupName": "web",
        "IpPermissions": [{"IpProtocol": "tcp", "UserIdGroupPairs": [pair]}],
        "IpPermissionsEgress": [],
    }
    old = versions.shape("DescribeSecurityGroups", "2010-08-31", {"SecurityGroups": [group]})
    assert old["SecurityGroups"] == [
        {
            "GroupName": "web",
            "IpPermissions": [
                {
                    "IpProtocol": "tcp",
                    "UserIdGroupPairs": [{"UserId": "1", "GroupName": "db"}],
                }
            ],
        }
    ]


def test_every_change_is_to_an_operation_that_exists() -> None:
    assert all(codec.operation(name) for name in versions._UNTIL_2010)
