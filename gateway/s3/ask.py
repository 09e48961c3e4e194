"""What an operation has at hand besides its own parameters."""

from dataclasses import dataclass

from gateway.credentials import Caller
from gateway.s3.content import Content
from gateway.s3.faults import S3Fault
from gateway.s3.options import Options
from s3store import faults as store_faults
from s3store.records import Bucket
from s3store.store import Store


@dataclass(frozen=True)
class Ask:
    """One authenticated call.

    Args:
        content: the body, not read yet; its signatures and digests are checked as it is.
        expected_owner: the account the caller believes to own the bucket, if they said so.
    """

    store: Store
    caller: Caller
    options: Options
    content: Content
    expected_owner: str | None

    def bucket(self, name: str, expected_owner: str | None = None) -> Bucket:
        """A bucket of the caller's account: nobody else has any access to it.

        Raises:
            S3Fault: NoSuchBucket, AccessDenied.
        """
        try:
            bucket = self.store.bucket(name)
        except store_faults.NoSuchBucket:
            raise S3Fault("NoSuchBucket", extras={"BucketName": name}) from None
        expected = expected_owner or self.expected_owner or bucket.owner
        if bucket.owner != self.caller.account_id or bucket.owner != expected:
            raise S3Fault("AccessDenied")
        return bucket

    @property
    def owner(self) -> dict[str, str]:
        """The caller's account as S3 names an owner."""
        return {"ID": self.caller.account_id, "DisplayName": self.caller.account}
