"""Native rows as EC2 shows them: dicts in the names of EC2's model."""

from datetime import datetime


def moment(text: str) -> datetime:
    """A native time, such as ``2013-03-20T17:20:17+0000``."""
    return datetime.fromisoformat(text)
