"""What all listings share: how keys are spelled, how long a page may be, whose things they are."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault

Spell = Callable[[str], str]

MOST = 1000
"""Items of a page; who asks for more gets so many."""

NO_RESTORES = "nothing is archived, so nothing is being restored"


def speller(encoding_type: str | None) -> Spell:
    """How keys are written: as they are, or percent-encoded for those no XML can hold.

    Raises:
        S3Fault: InvalidArgument.
    """
    if encoding_type not in (None, "url"):
        raise S3Fault(
            "InvalidArgument",
            "Invalid Encoding Method specified in Request",
            {"ArgumentName": "encoding-type", "ArgumentValue": str(encoding_type)},
        )
    return quote if encoding_type else str


def limit(name: str, asked: int) -> int:
    """How many items a page has when so many are asked for.

    Raises:
        S3Fault: InvalidArgument.
    """
    if asked < 0:
        extras = {"ArgumentName": name, "ArgumentValue": str(asked)}
        raise S3Fault("InvalidArgument", f"{name} must not be negative", extras)
    return min(asked, MOST)


def echo(
    spell: Spell, prefix: str, delimiter: str, encoding_type: str | None, prefixes: Iterable[bytes]
) -> dict[str, Any]:
    """What every listing repeats of its request, and the common prefixes it found."""
    members: dict[str, Any] = {
        "Prefix": spell(prefix),
        "CommonPrefixes": [{"Prefix": spell(each.decode())} for each in prefixes],
    }
    if delimiter:
        members["Delimiter"] = spell(delimiter)
    if encoding_type:
        members["EncodingType"] = encoding_type
    return members


def owner(ask: Ask, account: str) -> dict[str, str]:
    """An account as S3 names an owner; only of the caller's own we know more than its id."""
    return ask.owner if account == ask.owner["ID"] else {"ID": account}
