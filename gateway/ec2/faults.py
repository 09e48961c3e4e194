"""How EC2 says no: codes, their HTTP status, and the one table from native faults to them.

Nobody reads English to decide: the native API says *why* (kind) and *what* (subject), and the two
choose the code. A pair that is not in the table falls back to what its kind means in general.
"""

import re
from xml.sax.saxutils import escape

from gateway import ids
from gateway.native import NativeFault
from gateway.sign.refusals import Reason, Refusal

_STATUS = {
    "AuthFailure": 401,
    "MissingAuthenticationToken": 403,
    "OptInRequired": 403,
    "UnauthorizedOperation": 403,
    "DryRunOperation": 412,
    "RequestEntityTooLarge": 413,
    "InternalError": 500,
    "InsufficientInstanceCapacity": 500,
    "InsufficientVolumeCapacity": 500,
    "RequestLimitExceeded": 503,
    "Unavailable": 503,
}

_SIGNATURE = {
    Reason.MALFORMED: "IncompleteSignature",
    Reason.UNSIGNED: "AuthFailure",
    Reason.SKEWED: "RequestExpired",
    Reason.EXPIRED: "RequestExpired",
    Reason.MISMATCH: "AuthFailure",
}

_BY_KIND = {
    "not_found": "InvalidParameterValue",
    "exists": "InvalidParameterValue",
    "invalid": "InvalidParameterValue",
    "missing": "MissingParameter",
    "in_use": "DependencyViolation",
    "wrong_state": "IncorrectState",
    "limit": "ResourceLimitExceeded",
    "no_capacity": "InsufficientInstanceCapacity",
    "forbidden": "UnauthorizedOperation",
    "unauthenticated": "AuthFailure",
    "unknown_command": "UnauthorizedOperation",
    "mismatch": "IdempotentParameterMismatch",
    "unavailable": "Unavailable",
}

_BY_SUBJECT = {
    ("not_found", "virtualmachine"): "InvalidInstanceID.NotFound",
    ("not_found", "volume"): "InvalidVolume.NotFound",
    ("not_found", "template"): "InvalidAMIID.NotFound",
    ("not_found", "serviceoffering"): "InvalidInstanceType",
    ("not_found", "zone"): "InvalidZone.NotFound",
    ("not_found", "securitygroup"): "InvalidGroup.NotFound",
    ("not_found", "securitygrouprule"): "InvalidPermission.NotFound",
    ("not_found", "keypair"): "InvalidKeyPair.NotFound",
    ("not_found", "account"): "InvalidGroup.NotFound",
    ("exists", "keypair"): "InvalidKeyPair.Duplicate",
    ("exists", "securitygroup"): "InvalidGroup.Duplicate",
    ("exists", "securitygrouprule"): "InvalidPermission.Duplicate",
    ("invalid", "securitygrouprule"): "InvalidPermission.Malformed",
    ("invalid", "keypair"): "InvalidKey.Format",
    ("mismatch", "volume"): "InvalidVolume.ZoneMismatch",
    ("in_use", "volume"): "VolumeInUse",
    ("in_use", "securitygroup"): "InvalidGroup.InUse",
    ("wrong_state", "virtualmachine"): "IncorrectInstanceState",
    ("wrong_state", "volume"): "IncorrectState",
    ("wrong_state", "template"): "InvalidAMIID.Unavailable",
    ("limit", "virtualmachine"): "InstanceLimitExceeded",
    ("limit", "volume"): "VolumeLimitExceeded",
    ("limit", "securitygrouprule"): "RulesPerSecurityGroupLimitExceeded",
    ("no_capacity", "volume"): "InsufficientVolumeCapacity",
    ("unavailable", "virtualmachine"): "InsufficientInstanceCapacity",
}

# Where the parameter at fault makes the difference.
_BY_FIELD = {
    ("VolumeInUse", "deviceid"): "InvalidDevice.InUse",
    ("InvalidParameterValue", "userdata"): "InvalidUserData.Malformed",
}

_PREFIX = {"virtualmachine": "i", "volume": "vol", "template": "ami", "securitygroup": "sg"}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Ec2Fault(Exception):
    """A refusal in EC2's own words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _STATUS.get(self.code, 400)


def from_native(fault: NativeFault) -> Ec2Fault:
    """Translate a refusal of the native API."""
    code = _BY_SUBJECT.get((fault.kind, fault.subject)) or _BY_KIND.get(fault.kind)
    if code is None:
        return internal()
    if fault.kind == "unauthenticated":
        return Ec2Fault(code, "The cloud was not able to validate the provided access credentials.")
    return Ec2Fault(_BY_FIELD.get((code, fault.field), code), _respell(fault))


def from_signature(refusal: Refusal) -> Ec2Fault:
    """Translate a refused signature."""
    return Ec2Fault(_SIGNATURE[refusal.reason], refusal.public)


def from_id(malformed: ids.MalformedId) -> Ec2Fault:
    """Translate an id of the wrong shape."""
    return Ec2Fault(ids.KINDS[malformed.prefix].malformed, str(malformed))


def not_found(prefix: str, given: str) -> Ec2Fault:
    """An object of this kind of id does not exist, or is somebody else's."""
    kind = ids.KINDS[prefix]
    return Ec2Fault(kind.not_found, f"The {kind.noun} ID '{given}' does not exist.")


def missing(name: str) -> Ec2Fault:
    """A parameter that must be there is not."""
    return Ec2Fault("MissingParameter", f"The request must contain the parameter {name}.")


def bad_value(name: str, value: str, why: str) -> Ec2Fault:
    """A parameter has a value that can never be right."""
    return Ec2Fault(
        "InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid. {why}"
    )


def combination(message: str) -> Ec2Fault:
    """Parameters that do not go together."""
    return Ec2Fault("InvalidParameterCombination", message)


def unsupported(message: str) -> Ec2Fault:
    """Part of EC2, but not of this cloud."""
    return Ec2Fault("UnsupportedOperation", message)


def switched_off() -> Ec2Fault:
    """The operator offers no EC2. The code is one that no client retries."""
    text = "The EC2 API of this cloud is switched off (enable.ec2.api)."
    return Ec2Fault("OptInRequired", text)


def internal() -> Ec2Fault:
    """A bug of ours; what it was stands in the log, under the request id."""
    return Ec2Fault("InternalError", "An internal error has occurred.")


def envelope(fault: Ec2Fault, request_id: str) -> str:
    """The error document: no namespace, and a capital D in RequestID."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{fault.code}</Code>"
        f"<Message>{escape(_printable(fault.message))}</Message></Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    )


def _printable(text: str) -> str:
    """Messages quote what callers send; XML cannot carry every character of that."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def _respell(fault: NativeFault) -> str:
    """The native text with its ids in the spelling that the caller knows."""
    prefix = _PREFIX.get(fault.subject)
    if prefix is None:
        return fault.text
    return _UUID.sub(lambda found: ids.ec2(prefix, found.group()), fault.text)
