"""The secrets of a key that is renewed now and then: pure.

A key keeps its name when it is renewed. The newest of its secrets wraps, all of them unwrap; which
of them a data key was wrapped under is said by a label, which is derived from the secret, so that
secrets need no names of their own that could be mixed up.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from s3store.sealing import KEY

_LABEL = b"label of a secret of a key 1"
_SHOWN = 16  # hex digits


@dataclass(frozen=True)
class Ring:
    """The secrets of one key, the oldest first; there is at least one."""

    secrets: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, secrets: Iterable[bytes]) -> "Ring":
        """From secrets of which nothing is known yet.

        Raises:
            ValueError: there is none, or one has another length than 32 bytes.
        """
        found = tuple(secrets)
        if not found or any(len(secret) != KEY for secret in found):
            raise ValueError(f"a key must have {KEY} bytes")
        return cls(found)

    @property
    def secret(self) -> bytes:
        """The newest, which wraps."""
        return self.secrets[-1]

    @property
    def label(self) -> str:
        """That of the newest."""
        return _label(self.secret)

    def labelled(self, label: str) -> bytes | None:
        """The secret of a label, if it is one of these.

        Args:
            label: the oldest is meant when empty: what it wrapped first has no label.
        """
        if not label:
            return self.secrets[0]
        return next((each for each in self.secrets if _label(each) == label), None)

    def renewed(self, secret: bytes) -> "Ring":
        """With one more secret, which is the newest."""
        return Ring.of((*self.secrets, secret))


def _label(secret: bytes) -> str:
    return hmac.digest(secret, _LABEL, "sha256").hex()[:_SHOWN]
