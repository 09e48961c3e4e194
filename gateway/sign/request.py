"""The part of an HTTP request that signatures cover, exactly as it came over the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit


@dataclass(frozen=True)
class Request:
    """A request as received.

    Args:
        method: upper case.
        path: still percent-encoded, without the query; never empty.
        query: still percent-encoded, without the question mark.
        headers: lower-case names with dashes (WSGI does not tell a dash from an underscore).
        scheme: ``http`` or ``https``, as far as the server knows.
        address: the other end of the connection.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    scheme: str = "http"
    address: str = ""

    def header(self, name: str) -> str | None:
        """The value of a header, whatever the case of its name and of dash or underscore."""
        return self.headers.get(name.lower().replace("_", "-"))


def from_environ(environ: Mapping[str, Any]) -> Request:
    """Read a WSGI request, taking path and query from the raw request line where it is known."""
    path, query = target(environ)
    headers = {
        name[5:].lower().replace("_", "-"): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.lower().replace("_", "-")] = str(environ[name])
    scheme = str(environ.get("wsgi.url_scheme", "http"))
    method, address = str(environ["REQUEST_METHOD"]).upper(), str(environ.get("REMOTE_ADDR", ""))
    return Request(method, path, query, headers, scheme, address)


def target(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Path and query as sent, not decoded; PATH_INFO is, so it is only the last resort."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not raw:
        path = quote(str(environ.get("PATH_INFO", "")).encode("latin-1"), safe="/-_.~")
        return path or "/", str(environ.get("QUERY_STRING", ""))
    if not raw.startswith("/"):  # absolute form: a client that talks to a proxy
        parts = urlsplit(raw)
        return parts.path or "/", parts.query
    path, _, query = raw.partition("?")
    return path, query.partition("#")[0]
