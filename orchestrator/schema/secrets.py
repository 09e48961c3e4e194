"""Columns that lie encrypted in the database.

One key per cloud, in a file that only its owner may read; values are AES-256-GCM sealed with a
fresh nonce each, and bound to nothing else. The key is loaded once a process, at start.
"""

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Dialect, Text, TypeDecorator

_NONCE = 12


class Vault:
    """Holds the key of this process's cloud."""

    def __init__(self) -> None:
        self._cipher: AESGCM | None = None

    def open(self, file: Path) -> None:
        """Read the key from ``file``, making one on the first start."""
        try:
            key = file.read_bytes()
        except FileNotFoundError:
            key = _make_key(file)
        self._cipher = AESGCM(key)

    def seal(self, text: str) -> str:
        """Encrypt; a different result every time."""
        nonce = os.urandom(_NONCE)
        return base64.b64encode(nonce + self._key().encrypt(nonce, text.encode(), None)).decode()

    def unseal(self, sealed: str) -> str:
        """Decrypt what :meth:`seal` made."""
        raw = base64.b64decode(sealed)
        return self._key().decrypt(raw[:_NONCE], raw[_NONCE:], None).decode()

    def _key(self) -> AESGCM:
        if self._cipher is None:
            raise RuntimeError("the vault is closed: open it with the cloud's key file first")
        return self._cipher


def _make_key(file: Path) -> bytes:
    """Write a fresh key so that two processes starting at once end up with the same one."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(AESGCM.generate_key(256))
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(temporary, file)
    except FileExistsError:
        pass  # the other process was first; its key is the one
    finally:
        temporary.unlink()
    return file.read_bytes()


vault = Vault()


class Secret(TypeDecorator[str]):
    """A text that is sealed on its way into the database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal."""
        return None if value is None else vault.seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Unseal."""
        return None if value is None else vault.unseal(value)
