"""What a guest may read about itself: from its document to a tree of paths. Pure.

A tree is nested dictionaries; a leaf is bytes. Directory listings follow EC2: one name a line, a
slash after directories, except below ``public-keys/``, where a line is ``0=name``. Besides EC2's
tree, the short paths of CloudStack's own metadata service stand at the top.
"""

import base64
import json
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

VERSIONS = (
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "2011-01-01",
    "2012-01-12",
    "2014-02-25",
    "2016-09-02",
    "2018-09-24",
    "2021-03-23",
    "latest",
)

Tree = Mapping[str, Any]
Document = Mapping[str, Any]


def build(document: Document) -> Tree:
    """Everything below a version, for the guest whose document this is."""
    meta = _meta_data(document)
    user_data = document["user_data"]
    tree: dict[str, Any] = {
        "dynamic": {"instance-identity": {"document": _identity(document)}},
        "meta-data": meta,
    }
    if user_data is not None:
        tree["user-data"] = base64.b64decode(user_data)
    return {**_cloudstack(document), **tree}


def read(tree: Tree, path: str) -> bytes | None:
    """What stands at a path such as ``meta-data/placement/``; None when nothing does."""
    parts = [part for part in path.split("/") if part]
    node: Any = tree
    for part in parts:
        node = node.get(part) if isinstance(node, Mapping) else None
    if isinstance(node, Mapping):
        return _listing(node, parts)
    return node if isinstance(node, bytes) else None


def _listing(node: Tree, parts: list[str]) -> bytes:
    if parts[-2:] == ["meta-data", "public-keys"]:
        names = [f"{index}={key[_NAME].decode()}" for index, key in node.items()]
    elif not parts:
        names = [name for name in ("dynamic", "meta-data", "user-data") if name in node]
    else:
        names = [name + "/" if isinstance(each, Mapping) else name for name, each in _seen(node)]
    return "\n".join(names).encode()


# A key's name is shown in the listing above it only; no request can spell this entry.
_NAME = "/name"


def _seen(node: Tree) -> list[tuple[str, Any]]:
    return [(name, each) for name, each in node.items() if name != _NAME]


def _meta_data(document: Document) -> dict[str, Any]:
    address = document["ip"].encode()
    hostname = document["hostname"].encode()
    groups = "\n".join(document["groups"]).encode()
    meta: dict[str, Any] = {
        "ami-id": document["image_id"].encode(),
        "ami-launch-index": b"0",
        "hostname": hostname,
        "instance-id": document["instance_id"].encode(),
        "instance-type": document["type"].encode(),
        "local-hostname": hostname,
        "local-ipv4": address,
        "mac": document["mac"].encode(),
        "network": {"interfaces": {"macs": {document["mac"]: _interface(document)}}},
        "placement": {
            "availability-zone": document["zone"].encode(),
            "region": document["region"].encode(),
        },
        "public-hostname": hostname,
        "public-ipv4": address,
        "reservation-id": document["reservation"].encode(),
        "security-groups": groups,
        "services": {"domain": document["domain"].encode()},
    }
    if document["keys"]:
        meta["public-keys"] = _keys(document)
    return dict(sorted(meta.items()))


def _interface(document: Document) -> dict[str, bytes]:
    address = document["ip"].encode()
    return {
        "device-number": b"0",
        "local-hostname": document["hostname"].encode(),
        "local-ipv4s": address,
        "mac": document["mac"].encode(),
        "public-ipv4s": address,
        "security-groups": "\n".join(document["groups"]).encode(),
        "subnet-ipv4-cidr-block": str(ip_network(document["cidr"])).encode(),
    }


def _keys(document: Document) -> dict[str, Tree]:
    return {
        str(index): {_NAME: name.encode(), "openssh-key": key.strip().encode()}
        for index, (name, key) in enumerate(sorted(document["keys"].items()))
    }


def _identity(document: Document) -> bytes:
    facts = {
        "architecture": "x86_64",
        "availabilityZone": document["zone"],
        "imageId": document["image_id"],
        "instanceId": document["instance_id"],
        "instanceType": document["type"],
        "privateIp": document["ip"],
        "region": document["region"],
        "version": "2017-09-30",
    }
    return json.dumps(facts, indent=2).encode()


def _cloudstack(document: Document) -> dict[str, bytes]:
    """The paths of CloudStack's virtual router; ``public-keys`` is the text of the keys."""
    keys = "\n".join(key.strip() for _, key in sorted(document["keys"].items()))
    address = document["ip"].encode()
    hostname = document["hostname"].encode()
    return {
        "availability-zone": document["zone"].encode(),
        "instance-id": document["instance_id"].encode(),
        "local-hostname": hostname,
        "local-ipv4": address,
        "public-hostname": hostname,
        "public-ipv4": address,
        "public-keys": keys.encode(),
        "service-offering": document["type"].encode(),
        "vm-id": document["id"].encode(),
    }
