"""What the service writes into its callers' buckets by itself, as their owners would."""

from collections.abc import Sequence
from io import BytesIO
from urllib.parse import quote

from gateway.credentials import Caller
from gateway.s3 import registry
from gateway.s3.access import acl
from gateway.s3.access.conditionkeys import Facts
from gateway.s3.access.decisions import Access
from gateway.s3.access.gate import Admission
from gateway.s3.ask import Ask
from gateway.s3.background.events import SERVICE, Cause
from gateway.s3.options import Options
from gateway.s3.protocol.content import Content, Payload
from gateway.s3.protocol.target import Target
from gateway.s3.protocol.wire import Wire
from gateway.sign.request import Request
from s3store.records import Bucket
from s3store.store import Store
from s3store.witness import witnessed

_OPERATION = "PutObject"


def put(
    store: Store,
    options: Options,
    bucket: Bucket,
    key: str,
    body: bytes,
    grants: Sequence[acl.Grant] = (),
) -> None:
    """Store a text as an object: encrypted, locked and told of as the bucket has it.

    Args:
        grants: who gets what besides the owner, where the bucket has lists at all.

    Raises:
        S3Fault, StoreFault: as PutObject of the owner would be refused.
    """
    operation, region = registry.find(_OPERATION), options.region
    caller = Caller(SERVICE, "", SERVICE, SERVICE, bucket.owner, bucket.owner, "", True)
    path = f"/{bucket.name}/{quote(key)}"
    about = Target(path, bucket.name, key, {})
    written = {"ContentType": "text/plain", **_list(bucket, grants)}
    admission = Admission(caller, Payload(), {})
    facts = Facts.of(Request("PUT", path, "", {}), about, admission, written, region)
    wire = Wire({"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    content = Content(wire, admission.payload, {})
    access = Access(facts, store.head)
    ask = Ask(store, caller, options, content, None, access, operation.action, key)
    with witnessed(Cause(_OPERATION, region, SERVICE)):
        operation.run(ask, bucket=bucket.name, key=key, written=written, wanted={})


def _list(bucket: Bucket, grants: Sequence[acl.Grant]) -> acl.Grants:
    """What the owner says of an object's access control list."""
    if not grants or acl.ownership(bucket) == acl.ENFORCED:
        return {}
    return acl.as_headers([*acl.grants_of(None, bucket.owner), *grants])
