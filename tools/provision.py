"""A first zone, made through the same public native commands that any administrator would use.

Everything is looked up by name before it is made, so a second run, or one after a run that was
cut short, only adds what is missing. What the zone consists of stands in ``zone.py``.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from tools import zone
from tools.home import Config, Home
from tools.native import Native, Row
from tools.progress import Progress
from tools.refusal import Refusal

CONNECT_SECONDS = 60.0


@dataclass(frozen=True)
class Place:
    """The ids under which everything else is made."""

    zone: str
    pod: str
    cluster: str


def provision(home: Home, config: Config, native: Native, progress: Progress) -> Place:
    """Make what is missing of the zone, and return when its hosts and pools are up.

    Raises:
        NativeFault: a command was refused.
        Refusal: a host or a pool does not come up.
    """
    with progress.step("Zone, pod and cluster"):
        place = _place(native)
        _settings(native)
        _hosts(native, config, place)
    with progress.step("Guest network and offerings"):
        _network(native, place)
        _offerings(native)
    with progress.step("Hosts are up"):
        _await(native, "listHosts", place)
    with progress.step("Storage is up"):
        # Only now: it is a host that connects a pool.
        _storage(native, home, place)
        _await(native, "listStoragePools", place)
        _await(native, "listImageStores", place)
        native.call("updateZone", id=place.zone, allocationstate="Enabled")
    return place


def switch_on(native: Native, progress: Progress) -> None:
    """Have the gateway answer EC2 and S3, if the cloud is new; else leave that as it was set.

    Raises:
        NativeFault: a command was refused.
    """
    new = not native.rows("listZones")
    for name in zone.SWITCHES:
        if new:
            native.call("updateConfiguration", name=name, value="true")
        value = native.rows("listConfigurations", name=name)[0]["value"]
        progress.note(f"{name} is {value}{'' if new else ', as before'}")


def _place(native: Native) -> Place:
    zone_id = _ensure(native, "listZones", "createZone", "name", zone.ZONE)
    where = {"zoneid": zone_id}
    pod = _ensure(native, "listPods", "createPod", "name", zone.POD | where, where)
    told = zone.CLUSTER | where | {"podid": pod}
    found = _find(native.rows("listClusters", **where), "name", zone.CLUSTER["clustername"])
    cluster = found or _made(native.call("addCluster", **told))
    return Place(zone_id, pod, cluster)


def _settings(native: Native) -> None:
    for name, value in zone.CONFIGURATION.items():
        rows = native.rows("listConfigurations", name=name)
        if any(row["name"] == name and row["value"] != value for row in rows):
            native.call("updateConfiguration", name=name, value=value)


def _hosts(native: Native, config: Config, place: Place) -> None:
    known = {row["name"] for row in native.rows("listHosts", zoneid=place.zone)}
    for name, url in zone.hosts(config.hypervisor).items():
        if name not in known:
            where = {"zoneid": place.zone, "podid": place.pod, "clusterid": place.cluster}
            native.call("addHost", **zone.HOST, **where, url=url)


def _storage(native: Native, home: Home, place: Place) -> None:
    where = {"zoneid": place.zone}
    pool = {
        "name": "primary",
        "url": _folder_url(home / "primary"),
        "podid": place.pod,
        "clusterid": place.cluster,
    }
    _ensure(native, "listStoragePools", "createStoragePool", "name", pool | where, where)
    store = {"name": "secondary", "provider": "NFS", "url": _folder_url(home / "secondary")}
    _ensure(native, "listImageStores", "addImageStore", "name", store | where, where)


def _network(native: Native, place: Place) -> None:
    where = {"zoneid": place.zone}
    offerings = native.rows("listNetworkOfferings", name=zone.NETWORK_OFFERING)
    offering = _find(offerings, "name", zone.NETWORK_OFFERING)
    if offering is None:
        raise Refusal(f"The cloud has no network offering {zone.NETWORK_OFFERING}.")
    told = zone.NETWORK | where | {"networkofferingid": offering}
    network = _ensure(native, "listNetworks", "createNetwork", "name", told, where)
    if not native.rows("listVlanIpRanges", networkid=network):
        native.call("createVlanIpRange", **zone.RANGE, podid=place.pod, networkid=network)


def _offerings(native: Native) -> None:
    sizes = {row["name"] for row in native.rows("listServiceOfferings")}
    for size in zone.SIZES:
        if size["name"] not in sizes:
            native.call("createServiceOffering", **size)
    disks = {row["name"] for row in native.rows("listDiskOfferings")}
    for disk in zone.DISKS:
        if disk["name"] not in disks:
            native.call("createDiskOffering", **disk)


def _await(native: Native, listing: str, place: Place) -> None:
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        rows = native.rows(listing, zoneid=place.zone)
        down = [row for row in rows if row["state"] != "Up"]
        if rows and not down:
            return
        failed = [row for row in down if row["state"] == "Error"]
        if failed or time.monotonic() > deadline:
            told = ", ".join(f"{row['name']} is {row['state']}" for row in failed or down)
            raise Refusal(
                f"{listing[4:]} do not come up: {told or 'there are none'}.",
                "see orchestrator.log in the home's logs, then run up again",
            )
        time.sleep(0.05)


def _ensure(
    native: Native,
    listing: str,
    creating: str,
    name: str,
    told: Mapping[str, object],
    where: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The id of the object of that name, made with ``told`` if it is missing."""
    found = _find(native.rows(listing, **where), name, str(told[name]))
    return found or _made(native.call(creating, **told))


def _folder_url(folder: Path) -> str:
    return f"SharedMountPoint://localhost{quote(str(folder))}"


def _find(rows: Iterable[Row], name: str, value: object) -> str | None:
    return next((str(row["id"]) for row in rows if row[name] == value), None)


def _made(answer: Row) -> str:
    """The id in the answer of a create command: one object, or a list of one."""
    content = next(value for key, value in answer.items() if isinstance(value, dict | list))
    return str((content[0] if isinstance(content, list) else content)["id"])
