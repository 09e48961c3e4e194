"""The signed client of the native API: one function, ``call(name, **params)``.

A client signs as one user: HMAC-SHA1 over the sorted, lower-cased parameters, signature version 3
with an end date. Requests are POSTs over kept connections, answers are JSON. List commands are
fetched whole, page by page. All clients of a process share one :class:`Wire`, which is safe to use
from many threads and opens no connection before the first call.
"""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import urllib3

PAGE = 500
# In the query string, so that even a body that the server cannot read is refused in this form.
_FORM = {"response": "json"}
_LIFETIME = timedelta(minutes=10)
_KINDS = {
    401: "unauthenticated",
    432: "unknown_command",
    431: "invalid",
    531: "forbidden",
    532: "limit",
    533: "no_capacity",
    534: "unavailable",
    535: "limit",
    536: "in_use",
    537: "in_use",
}


# Threads for answers made of several native calls; none is started before the first is needed.
_CALLS = ThreadPoolExecutor(16, "native-calls")
_PAGES = ThreadPoolExecutor(16, "native-pages")

T = TypeVar("T")


class NativeFault(Exception):
    """The native API said no.

    Args:
        kind: why, one of a closed list of words (``not_found``, ``in_use`` …). When a foreign
            server does not say, it is derived from the error number.
        subject: the noun concerned, or "" when the server does not say.
        field: the native parameter at fault, or "".
        text: what a person may read.
        errorcode: the native error number.
    """

    def __init__(self, kind: str, subject: str, field: str, text: str, errorcode: int) -> None:
        super().__init__(text)
        self.kind = kind
        self.subject = subject
        self.field = field
        self.text = text
        self.errorcode = errorcode


@dataclass(frozen=True)
class Wire:
    """The kept connections to one native API."""

    url: str
    pool: urllib3.PoolManager

    @classmethod
    def to(cls, url: str, timeout: float, connections: int) -> "Wire":
        """Prepare connections; ``timeout`` is in seconds and counts for each wait for bytes."""
        return cls(
            url,
            urllib3.PoolManager(
                maxsize=connections,
                block=False,
                timeout=urllib3.Timeout(connect=min(timeout, 5.0), read=timeout),
            ),
        )

    def post(self, body: str, again: bool) -> tuple[int, bytes]:
        """Send one form; the status and the body of the answer.

        ``again``: whether it may be sent once more when a kept connection breaks under it.

        Raises:
            NativeFault: ``unavailable``, when there is no answer.
        """
        try:
            answer = self.pool.request(
                "POST",
                f"{self.url}?{urlencode(_FORM)}",
                body=body.encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                retries=urllib3.Retry(
                    connect=1, read=int(again), other=0, redirect=0, allowed_methods=None
                ),
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as why:
            raise _unavailable("The native API does not answer.") from why
        return answer.status, answer.data


class Native:
    """The native API as one user sees it."""

    def __init__(self, wire: Wire, key: str, secret: str) -> None:
        self._wire = wire
        self._key = key
        self._secret = secret.encode()

    def call(self, name: str, /, **params: str) -> dict[str, Any]:
        """Call a command; the content of its envelope.

        Parameter names are wire names; values are already spelled as the wire wants them.

        Raises:
            NativeFault: the command was refused, or there was no answer.
        """
        status, body = self._wire.post(self._signed({"command": name, **params}), reads(name))
        return _content(status, body)

    def rows(self, name: str, /, **params: str) -> list[dict[str, Any]]:
        """Call a list command; all of its rows, whatever number of pages they fill."""
        total, found = self._page(1, name, params)
        last = -(-total // PAGE)
        for _, rows in _PAGES.map(lambda page: self._page(page, name, params), range(2, last + 1)):
            found += rows
        return found

    def _page(self, page: int, name: str, params: Mapping[str, str]) -> tuple[int, list[Any]]:
        """How many rows there are in all, and those of one page."""
        reply = self.call(name, **params, page=str(page), pagesize=str(PAGE))
        return reply.pop("count", 0), next(iter(reply.values()), [])

    def rehearsal(self) -> "Native":
        """The same client, but the first command that would change anything ends it."""
        return _Rehearsal(self._wire, self._key, self._secret.decode())

    def _signed(self, params: Mapping[str, str]) -> str:
        full = {
            **params,
            "apikey": self._key,
            "signatureversion": "3",
            "expires": (datetime.now(UTC) + _LIFETIME).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        }
        covered = full | _FORM
        text = "&".join(f"{name}={_encode(covered[name])}" for name in sorted(covered))
        digest = hmac.digest(self._secret, text.lower().encode(), "sha1")
        signature = base64.b64encode(digest).decode()
        pairs = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in full.items())
        return f"{pairs}&signature={_encode(signature)}"


def soon(call: Callable[[], T]) -> "Future[T]":
    """Make a native call on another thread while this one goes on; ``result()`` waits for it.

    What is called must not call this in turn: threads would wait for each other.
    """
    return _CALLS.submit(call)


class WouldChange(Exception):
    """A rehearsal came to its first change."""


class _Rehearsal(Native):
    def call(self, name: str, /, **params: str) -> dict[str, Any]:
        if not reads(name):
            raise WouldChange(name)
        return super().call(name, **params)


def spell(params: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as the wire wants them; None is left out.

    A list of texts becomes one text with commas, a list of mappings ``name[0].key`` and so on.
    """
    spelled = dict[str, str]()
    for name, value in params.items():
        if isinstance(value, str | bool | int):
            spelled[name] = _text(value)
        elif value and isinstance(value[0], Mapping):
            for i, entry in enumerate(value):
                spelled.update((f"{name}[{i}].{key}", text) for key, text in entry.items())
        elif value is not None:
            spelled[name] = ",".join(map(_text, value))
    return spelled


def _text(value: str | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def reads(command: str) -> bool:
    """Whether a command changes nothing, told by its verb."""
    return command.startswith(("list", "get", "query"))


def _encode(value: str) -> str:
    """As Java's encoder does it, which is what the published signature rule means."""
    return quote(value, safe="*-._").replace("~", "%7E")


def _content(status: int, body: bytes) -> dict[str, Any]:
    try:
        ((_, content),) = json.loads(body).items()
    except (ValueError, AttributeError) as why:
        raise _unavailable("The native API gave an answer that is not its own.") from why
    if status != 200 or "errorcode" in content:
        code = int(content.get("errorcode", status))
        raise NativeFault(
            kind=content.get("kind") or _KINDS.get(code, "bug"),
            subject=content.get("subject", ""),
            field=content.get("field", ""),
            text=content.get("errortext", ""),
            errorcode=code,
        )
    return dict(content)


def _unavailable(text: str) -> NativeFault:
    return NativeFault("unavailable", "", "", text, 503)
