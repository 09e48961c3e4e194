"""Times as HTTP and S3 spell them."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse(text: str) -> datetime | None:
    """RFC 1123, RFC 850, asctime or ISO 8601 basic; None when it is none of them."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        time = parsedate_to_datetime(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, IndexError, OverflowError):
        return None
