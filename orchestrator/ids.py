"""Ids: UUIDs of version 8 that carry 68 random bits, so that an id has a 17-digit short form.

An EC2 id is a prefix and 17 hexadecimal digits. Instead of a table that maps one to the other, the
68 random bits of our UUIDs *are* those digits; everything else in the UUID is constant::

    hhhhhhhh-hhhh-8hhh-8hh0-70696c657573      (17 h; the last group spells "pileus")

The gateway knows the same format from its own ``ids`` module: the wire is the wall.
"""

import secrets
import uuid

_TAIL = "0" + "70696c657573"


def new_id() -> str:
    """A fresh id, as a lower-case 36-character UUID."""
    return _from_short(secrets.token_hex(9)[:17])


def short(native: str) -> str:
    """The 17 hexadecimal digits of one of our own ids."""
    digits = native.replace("-", "")
    return digits[:12] + digits[13:16] + digits[17:19]


def ec2_id(prefix: str, native: str) -> str:
    """The EC2 spelling of an id, as guests see it in their metadata: ``i-0123456789abcdef0``."""
    return f"{prefix}-{short(native)}"


def _from_short(digits: str) -> str:
    return str(uuid.UUID(f"{digits[:12]}8{digits[12:15]}8{digits[15:]}{_TAIL}"))
