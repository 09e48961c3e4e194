"""The parameters of a Query request: from exactly one place, each at most once."""

from collections import Counter
from urllib.parse import parse_qsl

from gateway.ec2.faults import Ec2Fault, bad_value, combination, missing
from gateway.sign.encoding import Pairs

MOST = 10_000
OLDEST, NEWEST = "2006-06-26", "2016-11-15"

_COMMON = frozenset(
    (
        "Action",
        "Version",
        "AWSAccessKeyId",
        "Signature",
        "SignatureMethod",
        "SignatureVersion",
        "SecurityToken",
        "Timestamp",
        "Expires",
    )
)


def pairs(query: str, body: bytes) -> Pairs:
    """The parameters as sent, decoded, from the query string or from a form body.

    Only one of the two is covered by a version 2 signature, so a request that has both is refused.

    Raises:
        Ec2Fault: both have parameters, or they cannot be decoded.
    """
    if query and body:
        raise combination("Send the parameters in the query string or in the body, not in both.")
    try:
        return parse_qsl(
            body.decode("ascii") if body else query,
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST,
        )
    except UnicodeDecodeError:
        raise Ec2Fault(
            "MalformedQueryString", "The parameters are not URL-encoded UTF-8."
        ) from None
    except ValueError:
        raise Ec2Fault("MalformedQueryString", f"There are more than {MOST} parameters.") from None


def once(params: Pairs) -> dict[str, str]:
    """The parameters by name.

    Raises:
        Ec2Fault: one is given twice.
    """
    found = dict(params)
    if len(found) < len(params):
        times = Counter(name for name, _ in params)
        twice = next(name for name, count in times.items() if count > 1)
        raise combination(f"The parameter {twice} is given more than once.")
    return found


def own(params: dict[str, str]) -> dict[str, str]:
    """The operation's own parameters, without those that every request has."""
    return {
        name: value
        for name, value in params.items()
        if name not in _COMMON and not name.startswith("X-Amz-")
    }


def version(params: dict[str, str]) -> str:
    """The API version asked for, which the answer echoes.

    Raises:
        Ec2Fault: there is none, or it is no version of EC2's Query API.
    """
    asked = params.get("Version")
    if not asked:
        raise missing("Version")
    shape = "".join("d" if c in "0123456789" else c for c in asked)
    if shape != "dddd-dd-dd":
        raise bad_value("Version", asked, "It must be a date like 2016-11-15.")
    if not OLDEST <= asked <= NEWEST:
        raise Ec2Fault("NoSuchVersion", f"There is no API version {asked}.")
    return asked
