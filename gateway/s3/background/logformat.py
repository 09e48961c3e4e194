"""One request as a line of a server access log. Pure.

Protocol source: "Amazon S3 server access log format".
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, unquote

from gateway.s3.background.trace import Trace
from gateway.s3.protocol.codec import Headers

NOTHING = "-"

# What comes behind the method, where it is not BUCKET or OBJECT.
_RESOURCES: Mapping[str, str] = {
    "GetBucketAcl": "ACL",
    "PutBucketAcl": "ACL",
    "GetObjectAcl": "ACL",
    "PutObjectAcl": "ACL",
    "GetBucketCors": "CORS",
    "PutBucketCors": "CORS",
    "DeleteBucketCors": "CORS",
    "GetBucketEncryption": "ENCRYPTION",
    "PutBucketEncryption": "ENCRYPTION",
    "DeleteBucketEncryption": "ENCRYPTION",
    "GetBucketLifecycleConfiguration": "LIFECYCLE",
    "PutBucketLifecycleConfiguration": "LIFECYCLE",
    "DeleteBucketLifecycle": "LIFECYCLE",
    "GetBucketLocation": "LOCATION",
    "GetBucketLogging": "LOGGING_STATUS",
    "PutBucketLogging": "LOGGING_STATUS",
    "GetBucketNotificationConfiguration": "NOTIFICATION",
    "PutBucketNotificationConfiguration": "NOTIFICATION",
    "GetBucketPolicy": "BUCKETPOLICY",
    "PutBucketPolicy": "BUCKETPOLICY",
    "DeleteBucketPolicy": "BUCKETPOLICY",
    "GetBucketRequestPayment": "REQUEST_PAYMENT",
    "PutBucketRequestPayment": "REQUEST_PAYMENT",
    "GetBucketTagging": "TAGGING",
    "PutBucketTagging": "TAGGING",
    "DeleteBucketTagging": "TAGGING",
    "GetObjectTagging": "OBJECT_TAGGING",
    "PutObjectTagging": "OBJECT_TAGGING",
    "DeleteObjectTagging": "OBJECT_TAGGING",
    "GetBucketVersioning": "VERSIONING",
    "PutBucketVersioning": "VERSIONING",
    "GetBucketWebsite": "WEBSITE",
    "PutBucketWebsite": "WEBSITE",
    "DeleteBucketWebsite": "WEBSITE",
    "ListObjectVersions": "BUCKETVERSIONS",
    "ListMultipartUploads": "UPLOADS",
    "CreateMultipartUpload": "UPLOADS",
    "CompleteMultipartUpload": "UPLOAD",
    "AbortMultipartUpload": "UPLOAD",
    "ListParts": "UPLOAD",
    "UploadPart": "PART",
    "UploadPartCopy": "PART",
    "DeleteObjects": "MULTI_OBJECT_DELETE",
    "PostObject": "OBJECT",
}
_COPIES = ("CopyObject", "UploadPartCopy")
_READS = ("GetObject", "HeadObject")
_VERSIONS = {"AWS4-HMAC-SHA256": "SigV4", "AWS": "SigV2"}
_TYPES = {
    "REST-HEADER": "AuthHeader",
    "REST-QUERY-STRING": "QueryString",
    "POST": "HtmlForm",
}
# As good as a password until they end, and beyond.
_SECRETS = frozenset({"x-amz-signature", "x-amz-security-token", "signature"}) | {
    f"x-amz-{whose}server-side-encryption-customer-key" for whose in ("", "copy-source-")
}


def line(trace: Trace, owner: str, status: int, headers: Headers, now: datetime) -> str:
    """The line of one request, without its end.

    Args:
        owner: of the bucket that the request was about.
        headers: of the answer, which is about to be sent.
    """
    request, about, proof = trace.request, trace.about, trace.proof
    answer = {name.lower(): value for name, value in headers}
    took = str((now - trace.began) // timedelta(milliseconds=1))
    sent = answer.get("content-length", "0") if request.method != "HEAD" else "0"
    key = about.key if about is not None else None
    query = f"?{_shown(request.query)}" if request.query else ""
    fields = (
        owner,
        (about.bucket if about is not None else None) or NOTHING,
        f"[{trace.began:%d/%b/%Y:%H:%M:%S} +0000]",
        request.address or NOTHING,
        NOTHING if trace.caller.anonymous else trace.caller.account_id,
        trace.request_id,
        _operation(trace),
        NOTHING if key is None else quote(key),
        _quoted(f"{request.method} {request.path}{query} HTTP/1.1"),
        str(status),
        trace.code or NOTHING,
        NOTHING if sent == "0" else sent,
        _size(trace, answer, status),
        took,
        took,
        _quoted(request.header("referer") or NOTHING),
        _quoted(request.header("user-agent") or NOTHING),
        answer.get("x-amz-version-id", NOTHING),
        trace.host_id,
        _VERSIONS.get(proof.version, NOTHING),
        NOTHING,  # how TLS is encrypted is known to whoever ends it
        _TYPES.get(proof.type, NOTHING),
        _plain(request.header("host") or NOTHING),
        NOTHING,
        NOTHING,
        NOTHING,
    )
    return " ".join(fields)


def name(moment: datetime, unique: str) -> str:
    """The last part of a log object's key."""
    return f"{moment:%Y-%m-%d-%H-%M-%S}-{unique}"


def _operation(trace: Trace) -> str:
    operation = trace.operation
    method = "COPY" if operation in _COPIES else trace.request.method
    level = "OBJECT" if trace.about is not None and trace.about.key else "BUCKET"
    return f"REST.{_plain(method)}.{_RESOURCES.get(operation, level)}"


def _size(trace: Trace, answer: Mapping[str, str], status: int) -> str:
    """Of the object in bytes, as far as the request and its answer tell."""
    if trace.operation in _READS and status in (200, 206):
        whole = answer.get("content-range", "").rpartition("/")[2]
        return whole or answer.get("content-length", NOTHING)
    if trace.operation == "PutObject" and status == 200:
        headers = trace.request.headers
        return headers.get("x-amz-decoded-content-length") or headers.get("content-length", NOTHING)
    return NOTHING


def _shown(query: str) -> str:
    """A query without the secrets in it, however their names are spelled."""
    tokens = (token.partition("=") for token in query.split("&"))
    return "&".join(
        f"{name}=REDACTED" if unquote(name).lower() in _SECRETS else f"{name}{equals}{value}"
        for name, equals, value in tokens
    )


def _quoted(text: str) -> str:
    return f'"{_plain(text, " ")}"'


def _plain(text: str, more: str = "") -> str:
    """Text as it may stand in a line: what would end a field or the line is percent-encoded."""
    return quote(text.encode("latin-1", "replace"), safe=_PRINTED + more)


_PRINTED = "".join(map(chr, range(0x21, 0x7F))).replace('"', "")
