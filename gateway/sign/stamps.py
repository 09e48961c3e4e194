"""The one spelling of a time in signatures of version 4: ``20261121T053408Z``."""

import re
from datetime import datetime

_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z\Z")


def parse(text: str) -> datetime | None:
    """The time, UTC; None when it is spelled otherwise. Far quicker than ``strptime``."""
    if not _STAMP.match(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
