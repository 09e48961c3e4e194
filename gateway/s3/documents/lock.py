"""Object lock of a bucket: whether its versions can be locked, and how long they are by default.

Protocol source: "PutObjectLockConfiguration" of S3.
"""

from gateway.s3.documents import Document
from gateway.s3.faults import S3Fault

_LONGEST = {"Days": 36500, "Years": 100}


def check(document: Document) -> Document:
    """An ``ObjectLockConfiguration`` as it is.

    Raises:
        S3Fault: MalformedXML, InvalidRetentionPeriod, NotImplemented.
    """
    if "ObjectLockEnabled" not in document:
        raise S3Fault("MalformedXML")
    if "Rule" not in document:
        return document
    retention = document["Rule"].get("DefaultRetention", {})
    if "DefaultEventHold" in retention:
        raise S3Fault("NotImplemented", "DefaultEventHold of a bucket is not implemented.")
    units = _LONGEST.keys() & retention.keys()
    if "Mode" not in retention or len(units) != 1:
        raise S3Fault("MalformedXML")
    for unit in units:
        if not 1 <= retention[unit] <= _LONGEST[unit]:
            raise S3Fault(
                "InvalidRetentionPeriod",
                "Default retention period must be a positive integer value, and at most "
                f"{_LONGEST['Days']} days or {_LONGEST['Years']} years.",
            )
    return document
