"""Default encryption of a bucket: what becomes of objects whose writers ask for none.

Protocol source: "PutBucketEncryption" of S3.
"""

from gateway.s3.documents import Document
from gateway.s3.faults import S3Fault

SERVICE, NAMED = "AES256", "aws:kms"


def check(document: Document) -> Document:
    """A ``ServerSideEncryptionConfiguration`` as it is.

    Raises:
        S3Fault: MalformedXML, InvalidArgument, NotImplemented.
    """
    if len(document["Rules"]) != 1 or not document["Rules"][0]:
        raise S3Fault("MalformedXML")
    default = document["Rules"][0].get("ApplyServerSideEncryptionByDefault")
    if default is None:
        return document
    if default["SSEAlgorithm"] not in (SERVICE, NAMED):
        raise S3Fault(
            "NotImplemented",
            f"Server-side encryption {default['SSEAlgorithm'][:64]} is not implemented.",
        )
    if "KMSMasterKeyID" in default and default["SSEAlgorithm"] != NAMED:
        raise S3Fault(
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms",
        )
    return document


def named_key(document: Document) -> str | None:
    """The named key under which a checked document wants objects encrypted."""
    default = document["Rules"][0].get("ApplyServerSideEncryptionByDefault", {})
    name: str | None = default.get("KMSMasterKeyID")
    return name
