"""Why a signature is refused, in words no protocol owns: each face has its own code for them."""

from enum import StrEnum


class Reason(StrEnum):
    """The closed list of reasons."""

    MALFORMED = "malformed"
    """The credentials cannot be read: a missing part, a bad date, a wrong algorithm."""
    UNSIGNED = "unsigned"
    """A header that decides something is present but not covered by the signature."""
    SKEWED = "skewed"
    """The request's own time is too far from ours."""
    EXPIRED = "expired"
    """A request or URL with an end date came after it."""
    MISMATCH = "mismatch"
    """The signature is not the one this secret makes, or the content is not what was signed."""


class Refusal(Exception):
    """A signature that does not hold. ``public`` never holds a secret or an expected signature."""

    def __init__(self, reason: Reason, public: str) -> None:
        super().__init__(public)
        self.reason = reason
        self.public = public
