"""SSH key pairs on the wire."""

from collections.abc import Sequence
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import View
from orchestrator.schema.keypairs import KeyPair


class KeyPairView(View, noun="sshkeypair"):
    """A key pair."""

    name: Annotated[str, "the key pair's name"]
    fingerprint: Annotated[str, "MD5 of the public key, in hexadecimal with colons"]
    privatekey: Annotated[str | None, "the private half (PEM), only when it is made"] = None


def key_pair_views(_call: Call, rows: Sequence[KeyPair]) -> list[KeyPairView]:
    """Key pairs, without private halves."""
    return [key_pair_view(row) for row in rows]


def key_pair_view(row: KeyPair, private: str | None = None) -> KeyPairView:
    """A key pair, with its private half when there is one to hand out."""
    return KeyPairView(name=row.name, fingerprint=row.fingerprint, privatekey=private)
