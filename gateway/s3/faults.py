"""Every way S3 says no: one table of codes, the document they travel in, and who else's faults
they stand for.

Protocol source: "Error responses" of the S3 API reference.
"""

from collections.abc import Mapping
from http import HTTPStatus

from s3store import faults as store

CODES: Mapping[str, tuple[int, str]] = {
    "AccessDenied": (403, "Access Denied"),
    "AuthorizationHeaderMalformed": (400, "The authorization header is malformed."),
    "AuthorizationQueryParametersError": (400, "The authorization parameters are malformed."),
    "BadDigest": (400, "The digest you specified did not match what we received."),
    "BucketAlreadyExists": (
        409,
        "The requested bucket name is not available. The bucket namespace is shared by all users "
        "of the system. Please select a different name and try again.",
    ),
    "BucketAlreadyOwnedByYou": (
        409,
        "Your previous request to create the named bucket succeeded and you already own it.",
    ),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty."),
    "ConditionalRequestConflict": (409, "A conflicting operation occurred during this request."),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed size."),
    "IncompleteBody": (
        400,
        "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    ),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": (
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidDigest": (400, "The Content-MD5 you specified is not valid."),
    "InvalidLocationConstraint": (400, "The specified location constraint is not valid."),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "InvalidRequest": (400, "Invalid Request"),
    "InvalidStorageClass": (400, "The storage class you specified is not valid."),
    "InvalidToken": (400, "The provided token is malformed or otherwise invalid."),
    "InvalidURI": (400, "Couldn't parse the specified URI."),
    "KeyTooLongError": (400, "Your key is too long."),
    "MalformedTrailerError": (
        400,
        "The request contained trailing data that was not well-formed or did not conform to our "
        "published schema.",
    ),
    "MalformedXML": (
        400,
        "The XML you provided was not well-formed or did not validate against our published "
        "schema.",
    ),
    "MaxMessageLengthExceeded": (400, "Your request was too big."),
    "MetadataTooLarge": (400, "Your metadata headers exceed the maximum allowed metadata size."),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "MissingSecurityHeader": (400, "Your request was missing a required header."),
    "NoSuchBucket": (404, "The specified bucket does not exist."),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchVersion": (404, "The specified version does not exist."),
    "NotImplemented": (501, "A feature you asked for is not implemented."),
    "NotModified": (304, "Not Modified"),
    "PreconditionFailed": (
        412,
        "At least one of the pre-conditions you specified did not hold.",
    ),
    "RequestTimeTooSkewed": (
        403,
        "The difference between the request time and the current time is too large.",
    ),
    "RequestTimeout": (
        400,
        "Your socket connection to the server was not read from or written to within the timeout "
        "period.",
    ),
    "ServiceUnavailable": (503, "Service is unable to handle the request now."),
    "SignatureDoesNotMatch": (
        403,
        "The request signature we calculated does not match the signature you provided. Check "
        "your key and signing method.",
    ),
    "SlowDown": (503, "Please reduce your request rate."),
    "XAmzContentSHA256Mismatch": (
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
}

_OF_STORE: Mapping[type[store.StoreFault], str] = {
    store.NoSuchBucket: "NoSuchBucket",
    store.BucketNotEmpty: "BucketNotEmpty",
    store.BucketExists: "BucketAlreadyExists",
    store.NoSuchKey: "NoSuchKey",
    store.ConditionFailed: "PreconditionFailed",
    store.UploadAborted: "RequestTimeout",
    store.StoreFull: "ServiceUnavailable",
    store.StoreBusy: "SlowDown",
    store.Damaged: "InternalError",
}


class S3Fault(Exception):
    """A refusal, on its way to the caller.

    Args:
        code: a key of :data:`CODES`.
        message: what it says there when None.
        extras: further elements of the error document, such as ``Key``.
        headers: headers of the reply beyond those every reply has.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        extras: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.status, default = CODES[code]
        self.message = message or default
        self.extras = dict(extras or {})
        self.headers = dict(headers or {})
        super().__init__(f"{code}: {self.message}")

    @property
    def status_line(self) -> str:
        """Number and phrase."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def of_store(fault: store.StoreFault) -> S3Fault:
    """What S3 calls a refusal of the store."""
    if isinstance(fault, store.StoreFull):
        return S3Fault("ServiceUnavailable", "There is no room for the data.")
    return S3Fault(_OF_STORE.get(type(fault), "InternalError"))
