"""SSH key pairs."""

import base64
import hashlib
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orchestrator.faults import Fault, Kind, invalid, not_found
from orchestrator.resources.scope import Found, Scope, Window, fetch, like, owned
from orchestrator.schema.keypairs import KeyPair

_BITS = 2048


def page(
    db: Session,
    scope: Scope,
    window: Window,
    *,
    name: str | None = None,
    fingerprint: str | None = None,
    keyword: str | None = None,
) -> Found[KeyPair]:
    """Key pairs, by name."""
    statement = owned(select(KeyPair), KeyPair.account_id, scope)
    if name is not None:
        statement = statement.where(KeyPair.name == name)
    if fingerprint is not None:
        statement = statement.where(KeyPair.fingerprint == fingerprint)
    if keyword:
        statement = statement.where(like(keyword, KeyPair.name))
    return fetch(db, statement.order_by(KeyPair.name, KeyPair.id), window)


def named(db: Session, account_id: str, name: str) -> KeyPair:
    """The account's key pair of this name.

    Raises:
        Fault: not_found.
    """
    pair = db.scalar(select(KeyPair).where(KeyPair.account_id == account_id, KeyPair.name == name))
    if pair is None:
        raise not_found("keypair", name, field="keypair")
    return pair


def create(db: Session, account_id: str, name: str) -> tuple[KeyPair, str]:
    """Make a pair; the private key (PEM, PKCS#1) is returned once and not kept."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return _add(db, account_id, name, f"{public.decode()} {name}"), private.decode()


def register(db: Session, account_id: str, name: str, public_key: str) -> KeyPair:
    """Keep a public key the user made, in OpenSSH or PEM form.

    Raises:
        Fault: invalid, when it is no public key; exists.
    """
    return _add(db, account_id, name, _openssh(public_key))


def delete(db: Session, account_id: str, name: str) -> None:
    """Forget a key pair; instances that have the key keep it."""
    db.delete(named(db, account_id, name))


def _add(db: Session, account_id: str, name: str, line: str) -> KeyPair:
    pair = KeyPair(
        name=name, account_id=account_id, public_key=line, fingerprint=_fingerprint(line)
    )
    twin = select(KeyPair.name).where(
        KeyPair.account_id == account_id,
        or_(KeyPair.name == name, KeyPair.fingerprint == pair.fingerprint),
    )
    text = f"There already is a key pair {name!r}, or one with the same key."
    if db.scalar(twin.limit(1)) is not None:
        raise Fault(Kind.EXISTS, "keypair", text, field="name")
    try:
        with db.begin_nested():
            db.add(pair)
    except IntegrityError:
        raise Fault(Kind.EXISTS, "keypair", text, field="name") from None
    return pair


def _openssh(text: str) -> str:
    """A public key as one OpenSSH line, its comment kept."""
    stripped = text.strip()
    try:
        if stripped.startswith("-----BEGIN"):
            key = serialization.load_pem_public_key(stripped.encode())
            return key.public_bytes(
                serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
            ).decode()
        serialization.load_ssh_public_key(stripped.encode())
    except (ValueError, UnsupportedAlgorithm, TypeError):
        raise invalid(
            "keypair", "This is no SSH public key (OpenSSH or PEM).", field="publickey"
        ) from None
    return re.sub(r"[\x00-\x1f]+", " ", stripped)


def _fingerprint(line: str) -> str:
    digest = hashlib.md5(base64.b64decode(line.split()[1]), usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
