"""The public access block of a bucket: four flags against letting everyone in by mistake."""

from collections.abc import Mapping
from typing import Any

from gateway.s3.access.acl import FLAGS
from gateway.s3.ask import Ask
from gateway.s3.operations.settings import Setting
from s3store.records import Bucket


def _check(ask: Ask, bucket: Bucket, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """All four are kept; one that is not mentioned is off."""
    return {name: document.get(name, False) for name in FLAGS}


Setting(
    name="publicaccess",
    get="GetPublicAccessBlock",
    put="PutPublicAccessBlock",
    delete="DeletePublicAccessBlock",
    reads="s3:GetBucketPublicAccessBlock",
    writes="s3:PutBucketPublicAccessBlock",
    missing="NoSuchPublicAccessBlockConfiguration",
    root="PublicAccessBlockConfiguration",
    check=_check,
).declare()
