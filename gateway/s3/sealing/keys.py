"""The keys that objects at rest are encrypted under, in one folder that only its owner may read.

``master`` is the key of SSE-S3: 32 bytes, and 32 more behind them for each time it was renewed.
``named.json`` holds the keys of SSE-KMS::

    {"keys": {"5d0c…": {"key": "<base64 of 32 bytes>", "aliases": ["alias/payroll"]}}}

A named key may have an ``account``, the only one that may then encrypt under it, and may be
switched off with ``"enabled": false``. One that was renewed has its older secrets, the oldest
first, in ``former``. With a ``policy``, a document of KMS's own language, that alone says who may
use the key, for reading too. Both files are made when they are first needed, and so is every
account's own key ``alias/aws/s3``; an operator may put a file there first, or add keys to it at any
time. Nothing is ever taken out here: an object whose key is gone is gone. A file that cannot be
read as this is left as it is, and makes all that rests on it unavailable until it is mended.

Several processes may use one folder at once. A key is safe on the disk before anything is encrypted
under it, and a change is seen by the next request of every process.
"""

import base64
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from gateway import ids
from gateway.s3.faults import S3Fault
from gateway.s3.sealing.keyfiles import KeyFile, alone, write
from gateway.s3.sealing.rings import Ring
from s3store.sealing import KEY

DEFAULT = "alias/aws/s3"
"""The alias of the key of an account that named none."""

# Taken literally: a key with "enabled": "false" must not stay on because any text counts as true.
_ENTRY: Mapping[str, type] = {
    "key": str,
    "former": list,
    "aliases": list,
    "account": str,
    "enabled": bool,
}
_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]*:[^:/]*:(key/|(?=alias/))(.+)", re.DOTALL)


@dataclass(frozen=True)
class NamedKey:
    """A key of SSE-KMS.

    Args:
        id: its permanent name, whatever aliases it has.
        account: the one account that may encrypt under it; any may when empty.
        policy: who may use it instead, a JSON document; see :mod:`gateway.s3.sealing.keypolicy`.
    """

    id: str
    ring: Ring = field(repr=False)
    aliases: tuple[str, ...] = ()
    account: str = ""
    enabled: bool = True
    policy: str = ""

    def arn(self, region: str) -> str:
        """Its name in the style of AWS."""
        return f"arn:aws:kms:{region}:{ids.owner(self.account)}:key/{self.id}"

    def serves(self, account: str) -> bool:
        """Whether an account may use it, as far as its policy does not decide that."""
        return bool(self.policy) or self.account in ("", account)


class Keys:
    """The keys of one folder. Nothing is read or made before it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._master = KeyFile(folder / "master", _master)
        self._named = KeyFile(folder / "named.json", _all_named)

    def master(self) -> Ring:
        """The key that SSE-S3 rests on."""
        ring = self._master.content()
        if ring is None:
            with alone(self._folder):
                ring = self._master.content() or self._add_master(())
        return ring

    def find(self, name: str, account: str) -> NamedKey:
        """A key that an account may use, by its id, by an alias, or by the ARN of either.

        Raises:
            S3Fault: KMS.NotFoundException, KMS.DisabledException.
        """
        plain = _plain(name)
        own_first = sorted(self._all().values(), key=lambda key: key.account != account)
        for key in own_first:
            if key.serves(account) and (key.id == plain or plain in key.aliases):
                return _usable(key)
        if plain == DEFAULT:
            return self.create(account, DEFAULT)
        raise S3Fault("KMS.NotFoundException", f"The key {name} does not exist.")

    def known(self, key_id: str) -> NamedKey:
        """A key by its id alone, whoever may use it.

        Raises:
            S3Fault: KMS.NotFoundException, KMS.DisabledException.
        """
        return _usable(self._any(key_id))

    def ring(self, key_id: str) -> Ring:
        """The secrets of a key that something rests on, be it switched on or off.

        Args:
            key_id: of a named key; the master key when empty.

        Raises:
            S3Fault: KMS.NotFoundException.
        """
        if key_id:
            return self._any(key_id).ring
        ring = self._master.content()
        if ring is None:
            raise S3Fault("KMS.NotFoundException", "The master key is not there.")
        return ring

    def secret(self, key_id: str, label: str) -> bytes:
        """What a data key was wrapped under, new or old, whether its key is on or off.

        Args:
            key_id: as :meth:`ring`.
            label: that of the secret, see :class:`Ring`.

        Raises:
            S3Fault: KMS.NotFoundException.
        """
        found = self.ring(key_id).labelled(label)
        if found is None:  # on a network file system news of a file may take seconds
            self._master.content(anew=True)
            self._named.content(anew=True)
            found = self.ring(key_id).labelled(label)
        if found is None:
            raise S3Fault("KMS.NotFoundException", "A former secret of the key is not there.")
        return found

    def create(self, account: str, alias: str) -> NamedKey:
        """Make a key of an account, or find the one it has under that alias.

        Args:
            account: empty for a key of all accounts.
        """
        with alone(self._folder):
            known = self._all(anew=True)
            for key in known.values():
                if key.account == account and alias in key.aliases:
                    return _usable(key)
            made = NamedKey(str(uuid4()), Ring.of([os.urandom(KEY)]), (alias,), account)
            self._keep({**known, made.id: made})
            return made

    def renew(self, name: str) -> None:
        """Give a key a new secret, under which all is wrapped from now on; the old ones stay.

        Args:
            name: id, alias or ARN of a named key; the master key when empty.

        Raises:
            S3Fault: KMS.NotFoundException; InvalidRequest, when several keys have that alias.
        """
        with alone(self._folder):
            if not name:
                former = self._master.content(anew=True)
                self._add_master(() if former is None else former.secrets)
                return
            known = self._all(anew=True)
            key = _only(known, name)
            renewed = replace(key, ring=key.ring.renewed(os.urandom(KEY)))
            self._keep({**known, key.id: renewed})

    def _add_master(self, former: tuple[bytes, ...]) -> Ring:
        ring = Ring.of((*former, os.urandom(KEY)))
        write(self._folder / "master", b"".join(ring.secrets))
        return ring

    def _any(self, key_id: str) -> NamedKey:
        key = self._all().get(key_id) or self._all(anew=True).get(key_id)
        if key is None:
            raise S3Fault("KMS.NotFoundException", f"The key {key_id} does not exist.")
        return key

    def _all(self, *, anew: bool = False) -> Mapping[str, NamedKey]:
        return self._named.content(anew=anew) or {}

    def _keep(self, keys: Mapping[str, NamedKey]) -> None:
        document = {key.id: _document(key) for key in keys.values()}
        write(self._folder / "named.json", json.dumps({"keys": document}, indent=1).encode())


def _plain(name: str) -> str:
    arn = _ARN.fullmatch(name)
    return arn[2] if arn else name


def _only(keys: Mapping[str, NamedKey], name: str) -> NamedKey:
    plain = _plain(name)
    found = [key for key in keys.values() if key.id == plain or plain in key.aliases]
    if not found:
        raise S3Fault("KMS.NotFoundException", f"The key {name} does not exist.")
    if len(found) > 1:
        raise S3Fault("InvalidRequest", f"Several keys are called {name}.")
    return found[0]


def _usable(key: NamedKey) -> NamedKey:
    if not key.enabled:
        raise S3Fault("KMS.DisabledException", f"The key {key.id} is disabled.")
    return key


def _master(data: bytes) -> Ring:
    return Ring.of(data[at : at + KEY] for at in range(0, len(data), KEY))


def _all_named(data: bytes) -> Mapping[str, NamedKey]:
    document = json.loads(data)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, dict):
        raise ValueError('there is no object "keys" in it')
    return {key_id: _named(key_id, entry) for key_id, entry in keys.items()}


def _named(key_id: str, entry: Any) -> NamedKey:
    if not isinstance(entry, dict):
        raise ValueError(f"the key {key_id} is no object")
    for name, kind in _ENTRY.items():
        if not isinstance(entry.get(name, kind()), kind):
            raise ValueError(f"{name} of the key {key_id} is of another kind than {kind.__name__}")
    secrets = (*entry.get("former", ()), entry.get("key", ""))
    if not all(isinstance(text, str) for text in (*secrets, *entry.get("aliases", ()))):
        raise ValueError(f"the secrets and aliases of the key {key_id} are not all strings")
    return NamedKey(
        key_id,
        Ring.of(base64.b64decode(secret, validate=True) for secret in secrets),
        tuple(entry.get("aliases", ())),
        entry.get("account", ""),
        entry.get("enabled", True),
        json.dumps(entry["policy"]) if "policy" in entry else "",
    )


def _document(key: NamedKey) -> dict[str, Any]:
    *former, current = (base64.b64encode(secret).decode() for secret in key.ring.secrets)
    return {
        "key": current,
        "former": former,
        "aliases": list(key.aliases),
        "account": key.account,
        "enabled": key.enabled,
        **({"policy": json.loads(key.policy)} if key.policy else {}),
    }
