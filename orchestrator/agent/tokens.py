"""Session tokens of IMDSv2, without a table of sessions.

A token is its own proof: the moment it expires, and an HMAC over that moment and the guest it was
given to. It is worthless to any other guest and survives restarts of the service.
"""

import base64
import hashlib
import hmac
import struct

LONGEST_SECONDS = 21600
_MOMENT = struct.Struct(">Q")


class Tokens:
    """Gives and checks tokens under one secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def give(self, guest: str, seconds: int, now: float) -> str:
        """A token for this guest. ValueError unless it may live 1 to 21600 seconds."""
        if not 1 <= seconds <= LONGEST_SECONDS:
            raise ValueError("a token lives 1 to 21600 seconds")
        moment = _MOMENT.pack(int(now) + seconds)
        return base64.urlsafe_b64encode(moment + self._proof(guest, moment)).decode()

    def remaining(self, token: str, guest: str, now: float) -> int:
        """Seconds that this guest's token still lives; 0 for a wrong or expired one."""
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except ValueError:
            return 0
        moment, proof = raw[: _MOMENT.size], raw[_MOMENT.size :]
        if len(moment) != _MOMENT.size:
            return 0
        if not hmac.compare_digest(proof, self._proof(guest, moment)):
            return 0
        return max(0, int(_MOMENT.unpack(moment)[0]) - int(now))

    def _proof(self, guest: str, moment: bytes) -> bytes:
        return hmac.new(self._key, moment + guest.encode(), hashlib.sha256).digest()
