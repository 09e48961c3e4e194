"""URLs as callers send them."""

from urllib.parse import SplitResult, urlsplit

from orchestrator.faults import invalid


def shown(url: str) -> str:
    """A URL as anybody may see it: without user name, password, query and fragment."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def split(url: str, subject: str) -> SplitResult:
    """The parts of a URL.

    Raises:
        Fault: invalid, when it is so broken that it has none, as ``http://[``.
    """
    try:
        return urlsplit(url)
    except ValueError:
        raise invalid(subject, f"{url!r} is no URL.", field="url") from None
