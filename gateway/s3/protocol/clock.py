"""Times as HTTP and S3 spell them."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from gateway.sign import stamps


def parse(text: str) -> datetime | None:
    """RFC 1123, RFC 850, asctime or ISO 8601 basic; None when it is none of them."""
    if (usual := stamps.parse(text)) is not None:
        return usual
    try:
        time = parsedate_to_datetime(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, IndexError, OverflowError):
        return None


def iso(text: str) -> datetime | None:
    """ISO 8601 as XML documents and lock headers have it, UTC unless it says otherwise."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
