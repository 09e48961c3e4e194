"""The actions of S3, and that every operation has one of them."""

import pytest

from gateway.policy.patterns import pattern
from gateway.s3 import operations
from gateway.s3.access import actions
from gateway.s3.access.actions import ACTIONS, BUCKET, OBJECT, SERVICE, of_version
from gateway.s3.registry import OPERATIONS

operations.load()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_asks_for_leave_that_a_policy_can_give(name: str) -> None:
    """On an object where its path has one, else on the bucket."""
    operation = OPERATIONS[name]
    kind = OBJECT if "{Key" in operation.model.http["requestUri"] else BUCKET
    expected = {"ListBuckets": SERVICE, "DeleteObjects": OBJECT}.get(name, kind)
    assert ACTIONS[operation.action.lower()] == expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("s3:GetObject", "s3:GetObjectVersion"),
        ("s3:DeleteObject", "s3:DeleteObjectVersion"),
        ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"),
        ("s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
        ("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"),
        ("s3:PutObject", "s3:PutObject"),
        ("s3:PutObjectRetention", "s3:PutObjectRetention"),
        ("s3:GetObjectLegalHold", "s3:GetObjectLegalHold"),
        ("s3:ListBucket", "s3:ListBucket"),
    ],
)
def test_what_is_done_to_a_version_is_an_action_of_its_own(action: str, expected: str) -> None:
    assert of_version(action) == expected
    assert expected.lower() in ACTIONS


def test_resources_are_names_of_buckets_and_of_objects() -> None:
    assert actions.arn("b") == "arn:aws:s3:::b"
    assert actions.arn("b", "k/*") == "arn:aws:s3:::b/k/*"
    assert pattern("arn:aws:s3:::b/*").matches(actions.arn("b", "k"), lambda key: None)
