"""EC2 ids ⇄ native ids, by pure functions: no table, no look-up.

A native id is a UUID. The cloud's own have 68 random bits and are otherwise constant::

    hhhhhhhh-hhhh-8hhh-8hh0-70696c657573      (17 h; the last group spells "pileus")

so those 17 digits are the EC2 id: ``i-0123456789abcdef0``. A UUID of another make (a foreign
CloudStack's) becomes the prefix and all 32 digits, told apart by length. A bare UUID is accepted
wherever an id is.
"""

import hashlib
import re
from dataclasses import dataclass

_TAIL = "0" + "70696c657573"
_OURS = re.compile(r"[0-9a-f]{12}8[0-9a-f]{3}8[0-9a-f]{2}" + _TAIL + r"\Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_DIGITS = re.compile(r"(?:[0-9a-f]{17}|[0-9a-f]{32})\Z")


@dataclass(frozen=True)
class Kind:
    """What EC2 calls an id of this prefix, and its codes for a bad and for an unknown one."""

    noun: str
    malformed: str
    not_found: str


KINDS = {
    "i": Kind("instance", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound"),
    "r": Kind("reservation", "InvalidReservationID.Malformed", "InvalidReservationID.NotFound"),
    "ami": Kind("image", "InvalidAMIID.Malformed", "InvalidAMIID.NotFound"),
    "vol": Kind("volume", "InvalidVolumeID.Malformed", "InvalidVolume.NotFound"),
    "snap": Kind("snapshot", "InvalidSnapshotID.Malformed", "InvalidSnapshot.NotFound"),
    "sg": Kind("security group", "InvalidGroupId.Malformed", "InvalidGroup.NotFound"),
    "sgr": Kind(
        "security group rule",
        "InvalidSecurityGroupRuleId.Malformed",
        "InvalidSecurityGroupRuleId.NotFound",
    ),
    "key": Kind("key pair", "InvalidKeyPairID.Malformed", "InvalidKeyPair.NotFound"),
    "eni": Kind(
        "network interface",
        "InvalidNetworkInterfaceID.Malformed",
        "InvalidNetworkInterfaceID.NotFound",
    ),
}


class MalformedId(Exception):
    """An id that has not the shape of its kind."""

    def __init__(self, prefix: str, given: str) -> None:
        super().__init__(f'Invalid id: "{given}" (expecting "{prefix}-...")')
        self.prefix = prefix


def ec2(prefix: str, native: str) -> str:
    """The EC2 spelling of a native id."""
    digits = native.replace("-", "")
    if _OURS.match(digits):
        return f"{prefix}-{digits[:12]}{digits[13:16]}{digits[17:19]}"
    return f"{prefix}-{digits}"


def native(prefix: str, given: str) -> str:
    """The native id that an EC2 id or a bare UUID stands for.

    Raises:
        MalformedId: the prefix is another kind's, or the rest is not an id.
    """
    text = given.lower()
    if _UUID.match(text):
        return text
    start, _, digits = text.partition("-")
    if start != prefix or not _DIGITS.match(digits):
        raise MalformedId(prefix, given)
    if len(digits) == 17:
        digits = f"{digits[:12]}8{digits[12:15]}8{digits[15:]}{_TAIL}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def derived(prefix: str, *parts: str) -> str:
    """An EC2 id for something that has no native id, from what identifies it."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{prefix}-{digest[:17]}"


def owner(account: str) -> str:
    """The 12-digit number that stands for an account's native id."""
    digest = hashlib.sha256(account.encode()).digest()
    return f"{int.from_bytes(digest[:8]) % 10**12:012d}"
