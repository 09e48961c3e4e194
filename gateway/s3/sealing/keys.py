"""The keys that objects at rest are encrypted under, in one folder that only its owner may read.

``master`` holds the 32 bytes of the key of SSE-S3. ``named.json`` holds the keys of SSE-KMS::

    {"keys": {"5d0c…": {"key": "<base64 of 32 bytes>", "aliases": ["alias/payroll"]}}}

A named key may have an ``account``, the only one that may then encrypt under it, and may be
switched off with ``"enabled": false``. Both files are made when they are first needed, and so is
every account's own key ``alias/aws/s3``; an operator may put a file there first, or add keys to it
at any time. Nothing is ever taken out here: an object whose key is gone is gone.

Several processes may use one folder at once. A key is safe on the disk before anything is encrypted
under it.
"""

import base64
import fcntl
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from gateway import ids
from gateway.s3.faults import S3Fault
from s3store.sealing import KEY

DEFAULT = "alias/aws/s3"
"""The alias of the key of an account that named none."""

_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]*:[^:/]*:(key/|(?=alias/))(.+)", re.DOTALL)


@dataclass(frozen=True)
class NamedKey:
    """A key of SSE-KMS.

    Args:
        id: its permanent name, whatever aliases it has.
        account: the one account that may encrypt under it; any may when empty.
    """

    id: str
    secret: bytes = field(repr=False)
    aliases: tuple[str, ...] = ()
    account: str = ""
    enabled: bool = True

    def arn(self, region: str) -> str:
        """Its name in the style of AWS."""
        return f"arn:aws:kms:{region}:{ids.owner(self.account)}:key/{self.id}"

    def serves(self, account: str) -> bool:
        """Whether an account may use it."""
        return self.account in ("", account)


class Keys:
    """The keys of one folder. Nothing is read or made before it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()
        self._master = b""
        self._named: Mapping[str, NamedKey] = {}
        self._seen: object = None

    def master(self) -> bytes:
        """The 32 bytes that SSE-S3 rests on."""
        with self._turn:
            if not self._master:
                file = self._folder / "master"
                if not file.exists():
                    with self._alone():
                        if not file.exists():
                            _write(file, os.urandom(KEY))
                self._master = _whole(file.read_bytes())
            return self._master

    def find(self, name: str, account: str) -> NamedKey:
        """A key that an account may use, by its id, by an alias, or by the ARN of either.

        Raises:
            S3Fault: KMS.NotFoundException, KMS.DisabledException.
        """
        arn = _ARN.fullmatch(name)
        plain = arn[2] if arn else name
        own_first = sorted(self._current().values(), key=lambda key: key.account != account)
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
        key = self._current().get(key_id)
        if key is None:
            raise S3Fault("KMS.NotFoundException", f"The key {key_id} does not exist.")
        return _usable(key)

    def create(self, account: str, alias: str) -> NamedKey:
        """Make a key of an account, or find the one it has under that alias.

        Args:
            account: empty for a key of all accounts.
        """
        with self._turn, self._alone():
            known = self._read()
            for key in known.values():
                if key.account == account and alias in key.aliases:
                    return _usable(key)
            made = NamedKey(str(uuid4()), os.urandom(KEY), (alias,), account)
            document = {key.id: _document(key) for key in (*known.values(), made)}
            _write(self._folder / "named.json", json.dumps({"keys": document}, indent=1).encode())
            return made

    def _current(self) -> Mapping[str, NamedKey]:
        """All named keys, read anew when the file is another one."""
        with self._turn:
            try:
                found = (self._folder / "named.json").stat()
            except FileNotFoundError:
                return {}
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if seen != self._seen:
                self._named, self._seen = self._read(), seen
            return self._named

    def _read(self) -> dict[str, NamedKey]:
        file = self._folder / "named.json"
        entries = json.loads(file.read_bytes())["keys"] if file.exists() else {}
        return {key_id: _named(key_id, entry) for key_id, entry in entries.items()}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from making keys at the same time."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _usable(key: NamedKey) -> NamedKey:
    if not key.enabled:
        raise S3Fault("KMS.DisabledException", f"The key {key.id} is disabled.")
    return key


def _named(key_id: str, entry: Mapping[str, Any]) -> NamedKey:
    return NamedKey(
        key_id,
        _whole(base64.b64decode(entry["key"], validate=True)),
        tuple(entry.get("aliases", ())),
        entry.get("account", ""),
        entry.get("enabled", True),
    )


def _document(key: NamedKey) -> dict[str, Any]:
    return {
        "key": base64.b64encode(key.secret).decode(),
        "aliases": list(key.aliases),
        "account": key.account,
        "enabled": key.enabled,
    }


def _whole(key: bytes) -> bytes:
    if len(key) != KEY:
        raise ValueError(f"a key must have {KEY} bytes")
    return key


def _write(file: Path, data: bytes) -> None:
    """Put a file in place whole, and on the disk before anybody relies on it."""
    fresh = file.with_name(f".{file.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
