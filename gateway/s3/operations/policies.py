"""The policy of a bucket: a text that is kept and handed back as it was sent."""

from gateway.policy.language import LARGEST, MalformedPolicy
from gateway.policy.publicity import is_public
from gateway.s3.access import acl, actions
from gateway.s3.access.conditionkeys import TELLING
from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from s3store.records import Bucket

NAME = "policy"

_NO_LOCK_OUT = {
    "ConfirmRemoveSelfBucketAccess": "the bucket's account can change its policy, whatever it says"
}


@s3_operation("GetBucketPolicy", root="Policy")
def get_bucket_policy(ask: Ask, bucket: str) -> Reply:
    """The policy."""
    return Reply({"Policy": _policy(_owned(ask, bucket))})


@s3_operation("GetBucketPolicyStatus", root="PolicyStatus")
def get_bucket_policy_status(ask: Ask, bucket: str) -> Reply:
    """Whether it lets everyone in."""
    policy = actions.bucket_policy(_policy(ask.bucket(bucket)), bucket)
    return Reply({"PolicyStatus": {"IsPublic": is_public(policy, TELLING)}})


@s3_operation("PutBucketPolicy", ignores=_NO_LOCK_OUT, undigested=True, longest=2 * LARGEST)
def put_bucket_policy(ask: Ask, bucket: str, policy: str) -> Reply:
    """Set the policy, once it is one and may be one here."""
    found = _owned(ask, bucket)
    try:
        parsed = actions.bucket_policy(policy, bucket)
    except MalformedPolicy as error:
        raise S3Fault("MalformedPolicy", str(error)) from None
    if acl.blocks(found, "BlockPublicPolicy") and is_public(parsed, TELLING):
        raise S3Fault("AccessDenied", "Public policies are blocked for this bucket.")
    ask.store.set_setting(found, NAME, policy)
    return Reply(status=204)


@s3_operation("DeleteBucketPolicy")
def delete_bucket_policy(ask: Ask, bucket: str) -> Reply:
    """Remove the policy; there need not be one."""
    ask.store.set_setting(_owned(ask, bucket), NAME, None)
    return Reply()


def _owned(ask: Ask, bucket: str) -> Bucket:
    """The bucket, whose policy is its own account's affair even where it says otherwise.

    Raises:
        S3Fault: MethodNotAllowed, and as :meth:`Ask.bucket`.
    """
    found = ask.bucket(bucket)
    if ask.caller.account_id != found.owner:
        raise S3Fault("MethodNotAllowed")
    return found


def _policy(bucket: Bucket) -> str:
    text = bucket.settings.get(NAME)
    if not text:
        raise S3Fault("NoSuchBucketPolicy", extras={"BucketName": bucket.name})
    return str(text)
