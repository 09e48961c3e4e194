"""Policies that tests write, and who they are about."""

import json
from typing import Any
from uuid import uuid4

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from gateway import ids
from gateway.credentials import Caller
from tests.gateway.s3.servers import ALICE, Server

Grants = list[tuple[str, str]]

EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"
SIGNED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
OWN = (ALICE.account_id, "FULL_CONTROL")
"""What the list of a thing of Alice's says by itself."""


def number(who: Caller) -> str:
    """The account number."""
    return ids.owner(who.account_id)


def user(who: Caller) -> str:
    """The user's name for policies."""
    return f"arn:aws:iam::{number(who)}:user/{who.username}"


def nobody(server: Server) -> Any:
    """A boto3 client that signs nothing."""
    config = Config(
        signature_version=UNSIGNED, s3={"addressing_style": "path"}, retries={"max_attempts": 1}
    )
    return boto3.client("s3", endpoint_url=server.url, region_name="us-east-1", config=config)


def rule(
    bucket: str,
    action: str | list[str],
    *,
    on: str = "/*",
    who: Any = "*",
    effect: str = "Allow",
    **more: Any,
) -> dict[str, Any]:
    """A statement; ``on`` is what follows the bucket's ARN."""
    names = [action] if isinstance(action, str) else action
    return {
        "Effect": effect,
        "Principal": who if isinstance(who, dict | str) else {"AWS": number(who)},
        "Action": [f"s3:{name}" for name in names],
        "Resource": f"arn:aws:s3:::{bucket}{on}",
        **more,
    }


def policy(*rules: dict[str, Any]) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(rules)})


def allow(server: Server, bucket: str, *rules: dict[str, Any]) -> None:
    """Make these statements the policy of Alice's bucket."""
    server.client().put_bucket_policy(Bucket=bucket, Policy=policy(*rules))


def owned(server: Server, bucket: str, setting: str) -> None:
    """Change whose the objects in Alice's bucket are."""
    server.client().put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": setting}]}
    )


def block(server: Server, bucket: str, *flags: str) -> None:
    """Set these flags of the public access block of Alice's bucket, and no others."""
    server.client().put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(flags, True)
    )


def grants(answer: Any) -> Grants:
    """What an answer says of a list: grantee and right."""
    return [
        (each["Grantee"].get("ID") or each["Grantee"]["URI"], each["Permission"])
        for each in answer["Grants"]
    ]


def made(server: Server, ownership: str | None = None) -> str:
    """A bucket of Alice's that CreateBucket made."""
    name = f"bucket-{uuid4().hex[:12]}"
    more = {} if ownership is None else {"ObjectOwnership": ownership}
    server.client().create_bucket(Bucket=name, **more)
    return name
