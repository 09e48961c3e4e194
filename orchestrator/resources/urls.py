"""URLs as callers send them."""

from urllib.parse import SplitResult, urlsplit

from orchestrator.faults import invalid


def split(url: str, subject: str) -> SplitResult:
    """The parts of a URL.

    Raises:
        Fault: invalid, when it is so broken that it has none, as ``http://[``.
    """
    try:
        return urlsplit(url)
    except ValueError:
        raise invalid(subject, f"{url!r} is no URL.", field="url") from None
