"""What the metadata service of a router tells its guests: one file per guest, named by address.

One file each, so that a new guest does not rewrite all; a file that says the same is left alone.
"""

import base64
import json
import re
from pathlib import Path

from orchestrator import ids
from orchestrator.driver.files import write_whole
from orchestrator.driver.ports import Guest, RouterNetwork

_OURS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{2}0-70696c657573")
_ZONE_LETTER = re.compile(r"(?<=\d)[a-z]$")


def ensure(folder: Path, told: RouterNetwork, owner: int) -> None:
    """Have exactly one document per guest in the folder, readable by ``owner`` alone."""
    wanted = {f"{guest.ip}.json": document(guest, told) for guest in told.guests}
    for name, text in wanted.items():
        write_whole(folder / name, text, mode=0o400, owner=owner)
    for left in folder.glob("*.json"):
        if left.name not in wanted:
            left.unlink(missing_ok=True)


def document(guest: Guest, told: RouterNetwork) -> bytes:
    """One guest's document, as :mod:`orchestrator.agent.metadata` reads it."""
    full_name = f"{guest.hostname}.{told.domain}" if told.domain else guest.hostname
    data = {
        "id": guest.instance,
        "instance_id": _spelled("i", guest.instance),
        "image_id": _spelled("ami", guest.image),
        "type": guest.type,
        "hostname": full_name,
        "domain": told.domain,
        "mac": guest.mac.lower(),
        "ip": str(guest.ip),
        "cidr": str(told.cidr),
        "zone": guest.zone,
        "region": _ZONE_LETTER.sub("", guest.zone),
        "reservation": guest.reservation,
        "groups": list(guest.groups),
        "keys": dict(guest.keys),
        "user_data": None
        if guest.user_data is None
        else base64.b64encode(guest.user_data).decode(),
    }
    return json.dumps(data, sort_keys=True).encode()


def _spelled(prefix: str, ident: str) -> str:
    """The EC2 spelling of one of our ids; another cloud's id is passed on as it is."""
    return ids.ec2_id(prefix, ident) if _OURS.fullmatch(ident) else ident
