"""From HTTP to parameters: what a client sent, merged, bounded and decoded; nothing of Flask.

Query string and form body are one set of parameters. The first value of a name wins, and the query
string wins over the body. Names keep the case they were sent in, because the signature covers it;
everything that looks one up does so in lower case.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl

from orchestrator.faults import Fault, invalid

MAX_BODY = 1 << 20
MAX_PARAMETERS = 2000
FORM = "application/x-www-form-urlencoded"

# Line feed and carriage return are let through: keys and certificates are sent with them.
_CONTROL = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Request:
    """The parameters of one call, names as sent. ``json`` says which form of answer is wanted."""

    parameters: dict[str, str]

    @cached_property
    def folded(self) -> dict[str, str]:
        """The parameters by lower-case name."""
        found: dict[str, str] = {}
        for name, value in self.parameters.items():
            found.setdefault(name.lower(), value)
        return found

    @property
    def json(self) -> bool:
        """XML unless JSON is asked for."""
        return self.folded.get("response", "").lower() == "json"

    @property
    def command(self) -> str:
        """The command's name, or nothing."""
        return self.folded.get("command", "")


def read(query: bytes, body: bytes, content_type: str) -> Request:
    """Read a call.

    Raises:
        Fault: (invalid) the body is too large or no form, there are too many parameters, the text
            is not UTF-8, or a value has control characters.
    """
    if len(body) > MAX_BODY:
        raise invalid("command", f"The body has more than {MAX_BODY} bytes.")
    if body.strip() and content_type not in ("", FORM):
        raise invalid("command", f"The body is {content_type!r}; send a form ({FORM}).")
    merged: dict[str, str] = {}
    for name, value in (*_pairs(query), *_pairs(body)):
        if _CONTROL.search(name) or _CONTROL.search(value):
            raise invalid("command", "A parameter has control characters.", field=_shown(name))
        merged.setdefault(name, value)
    return Request(merged)


def wants_json(query: bytes) -> bool:
    """Whether JSON is asked for in a query string that may be too broken to read otherwise."""
    return re.search(rb"(?:^|&)response=json(?:&|$)", query, re.IGNORECASE) is not None


def _pairs(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            text.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except UnicodeDecodeError as error:
        raise _undecodable() from error
    except ValueError as error:
        raise invalid("command", f"More than {MAX_PARAMETERS} parameters.") from error


def _undecodable() -> Fault:
    return invalid("command", "The parameters are not UTF-8.")


def _shown(name: str) -> str:
    return _CONTROL.sub("?", name)[:100]
