"""Every way S3 says no: one table of codes, the document they travel in, and who else's faults
they stand for.

Protocol source: "Error responses" of the S3 API reference.
"""

from collections.abc import Mapping
from http import HTTPStatus

from s3store import faults as store

CODES: Mapping[str, tuple[int, str]] = {
    "AccessControlListNotSupported": (400, "The bucket does not allow ACLs"),
    "AccessDenied": (403, "Access Denied"),
    "AccessForbidden": (403, "Access Forbidden"),
    "AllAccessDisabled": (403, "The S3 API of this cloud is switched off (enable.s3.api)."),
    "AuthorizationHeaderMalformed": (400, "The authorization header is malformed."),
    "AuthorizationQueryParametersError": (400, "The authorization parameters are malformed."),
    "BadDigest": (400, "The digest you specified did not match what we received."),
    "BadRequest": (400, "Bad Request"),
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
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed size."),
    "IllegalVersioningConfigurationException": (
        400,
        "The versioning configuration specified in the request is invalid.",
    ),
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
    "InvalidBucketAclWithObjectOwnership": (
        400,
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    ),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidBucketState": (409, "The request is not valid with the current state of the bucket."),
    "InvalidDigest": (400, "The Content-MD5 you specified is not valid."),
    "InvalidEncryptionAlgorithmError": (
        400,
        "The encryption request you specified is not valid. The valid value is AES256.",
    ),
    "InvalidLocationConstraint": (400, "The specified location constraint is not valid."),
    "InvalidPart": (
        400,
        "One or more of the specified parts could not be found. The part may not have been "
        "uploaded, or the specified entity tag may not match the part's entity tag.",
    ),
    "InvalidPartNumber": (416, "The requested partnumber is not satisfiable"),
    "InvalidPartOrder": (
        400,
        "The list of parts was not in ascending order. The parts list must be specified in order "
        "by part number.",
    ),
    "InvalidPolicyDocument": (400, "The content of the form does not meet its policy's form."),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "InvalidRedirectLocation": (
        400,
        "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    ),
    "InvalidRequest": (400, "Invalid Request"),
    "InvalidRetentionPeriod": (400, "The retention period is not valid."),
    "InvalidStorageClass": (400, "The storage class you specified is not valid."),
    "InvalidTag": (400, "The tag provided was not a valid tag."),
    "InvalidTargetBucketForLogging": (400, "The target bucket for logging is not valid."),
    "InvalidToken": (400, "The provided token is malformed or otherwise invalid."),
    "InvalidURI": (400, "Couldn't parse the specified URI."),
    "KMS.DisabledException": (400, "The key you specified is disabled."),
    "KMS.NotFoundException": (400, "The key you specified does not exist."),
    "KeyTooLongError": (400, "Your key is too long."),
    "MalformedACLError": (
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    "MalformedPOSTRequest": (
        400,
        "The body of your POST request is not well-formed multipart/form-data.",
    ),
    "MalformedPolicy": (400, "The policy is not valid."),
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
    "MaxPostPreDataLengthExceeded": (
        400,
        "Your POST request fields preceding the upload file were too large.",
    ),
    "MetadataTooLarge": (400, "Your metadata headers exceed the maximum allowed metadata size."),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "MissingSecurityHeader": (400, "Your request was missing a required header."),
    "NoSuchBucket": (404, "The specified bucket does not exist."),
    "NoSuchBucketPolicy": (404, "The bucket policy does not exist"),
    "NoSuchCORSConfiguration": (404, "The CORS configuration does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchLifecycleConfiguration": (404, "The lifecycle configuration does not exist"),
    "NoSuchObjectLockConfiguration": (
        404,
        "The specified object does not have a ObjectLock configuration",
    ),
    "NoSuchPublicAccessBlockConfiguration": (
        404,
        "The public access block configuration was not found",
    ),
    "NoSuchTagSet": (404, "The TagSet does not exist"),
    "NoSuchUpload": (
        404,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have "
        "been aborted or completed.",
    ),
    "NoSuchVersion": (404, "The specified version does not exist."),
    "NoSuchWebsiteConfiguration": (
        404,
        "The specified bucket does not have a website configuration",
    ),
    "NotImplemented": (501, "A feature you asked for is not implemented."),
    "NotModified": (304, "Not Modified"),
    "ObjectLockConfigurationNotFoundError": (
        404,
        "Object Lock configuration does not exist for this bucket",
    ),
    "OwnershipControlsNotFoundError": (
        404,
        "The bucket ownership controls were not found",
    ),
    "PreconditionFailed": (
        412,
        "At least one of the pre-conditions you specified did not hold.",
    ),
    "QuotaExceeded": (403, "Your account has all the objects or bytes that it may have."),
    "ReplicationConfigurationNotFoundError": (
        404,
        "The replication configuration was not found",
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
    "ServerSideEncryptionConfigurationNotFoundError": (
        404,
        "The server side encryption configuration was not found",
    ),
    "ServiceUnavailable": (503, "Service is unable to handle the request now."),
    "SignatureDoesNotMatch": (
        403,
        "The request signature we calculated does not match the signature you provided. Check "
        "your key and signing method.",
    ),
    "SlowDown": (503, "Please reduce your request rate."),
    "TooManyBuckets": (
        400,
        "You have attempted to create more buckets than allowed.",
    ),
    "UnexpectedContent": (400, "This request does not support content"),
    "UnresolvableGrantByEmailAddress": (
        400,
        "The email address you provided does not match any account on record.",
    ),
    "XAmzContentSHA256Mismatch": (
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
}

_OF_STORE: Mapping[type[store.StoreFault], str] = {
    store.NoSuchBucket: "NoSuchBucket",
    store.BucketNotEmpty: "BucketNotEmpty",
    store.BucketExists: "BucketAlreadyExists",
    store.WrongBucketState: "InvalidBucketState",
    store.NoSuchKey: "NoSuchKey",
    store.IsDeleteMarker: "NoSuchKey",
    store.NoSuchVersion: "NoSuchVersion",
    store.NoSuchUpload: "NoSuchUpload",
    store.InvalidPart: "InvalidPart",
    store.InvalidPartNumber: "InvalidArgument",
    store.InvalidPartOrder: "InvalidPartOrder",
    store.PartTooSmall: "EntityTooSmall",
    store.WrongSize: "InvalidRequest",
    store.WrongChecksum: "BadDigest",
    store.Locked: "AccessDenied",
    store.ConditionFailed: "PreconditionFailed",
    store.UploadAborted: "RequestTimeout",
    store.QuotaExceeded: "QuotaExceeded",
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


# Their own words say it better.
_SPOKEN = (store.WrongSize, store.WrongChecksum, store.Locked, store.WrongBucketState)


def of_store(fault: store.StoreFault) -> S3Fault:
    """What S3 calls a refusal of the store."""
    if isinstance(fault, store.StoreFull):
        return S3Fault("ServiceUnavailable", "There is no room for the data.")
    if isinstance(fault, store.InvalidPart):
        return S3Fault("InvalidPart", extras={"PartNumber": str(fault.number), "ETag": fault.etag})
    if isinstance(fault, store.PartTooSmall):
        return _too_small(fault)
    if isinstance(fault, _SPOKEN):
        return S3Fault(_OF_STORE[type(fault)], str(fault))
    return S3Fault(_OF_STORE.get(type(fault), "InternalError"))


def _too_small(fault: store.PartTooSmall) -> S3Fault:
    extras = {
        "ProposedSize": str(fault.size),
        "MinSizeAllowed": str(fault.least),
        "PartNumber": str(fault.number),
        "ETag": fault.etag,
    }
    return S3Fault("EntityTooSmall", extras=extras)
