"""Names ⇄ native things: instance types, volume types, zones, devices.

An instance type *is* the service offering of that exact name, a volume type the disk offering, an
availability zone the zone. The three lists hardly ever change and RunInstances needs two of them,
so they are remembered for a short time per caller (callers may see different ones); before a name
is refused the list is fetched once more.

Device names are EC2's: ``/dev/sda1`` is the root disk (slot 0), ``/dev/sdb`` … ``/dev/sdz`` are
slots 1 to 25. ``xvd`` and ``vd`` are taken for ``sd``: the letter is what counts, and it is the
letter under which the guest sees the disk (``/dev/vdb``).
"""

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from gateway.ec2.faults import Ec2Fault, bad_value
from gateway.native_calls import Calls, DiskOffering, ServiceOffering, Zone

ROOT_DEVICE = "/dev/sda1"
LAST_SLOT = 25
_ROOTS = re.compile(r"(?:/dev/)?(?:sd|xvd|vd)a1?\Z")
_DATA = re.compile(r"(?:/dev/)?(?:sd|xvd|vd)([b-z])\Z")


def slot(device: str) -> int:
    """The slot that a device name means; 0 is the root disk's.

    Raises:
        Ec2Fault: no device is called so.
    """
    if _ROOTS.match(device):
        return 0
    found = _DATA.match(device)
    if not found:
        raise bad_value("device", device, "It must be one of /dev/sdb to /dev/sdz.")
    return ord(found.group(1)) - ord("a")


def device(number: int) -> str:
    """The name of a slot."""
    return f"/dev/sd{chr(ord('a') + number)}" if number else ROOT_DEVICE


def same_device(given: str) -> str:
    """Another spelling of a device as we spell it; anything else as it is."""
    try:
        return device(slot(given))
    except Ec2Fault:
        return given


class Shelf:
    """Lists kept for a short time, shared by all requests of a process."""

    def __init__(self, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl = ttl
        self._clock = clock
        self._kept = dict[tuple[str, str], tuple[float, Any]]()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str], fetch: Callable[[], Any], fresh: bool = False) -> Any:
        """What is kept under a key, fetched when there is nothing or it is too old."""
        now = self._clock()
        with self._lock:
            until, kept = self._kept.get(key, (0.0, None))
        if not fresh and now < until:
            return kept
        found = fetch()
        with self._lock:
            if len(self._kept) >= 4096:
                self._kept = {k: v for k, v in self._kept.items() if v[0] > now}
            self._kept[key] = (now + self._ttl, found)
        return found


class Named(Protocol):
    """A native row that has a name."""

    def __getitem__(self, member: str, /) -> Any: ...


Row = TypeVar("Row", ServiceOffering, DiskOffering, Zone)


@dataclass(frozen=True)
class Catalog:
    """The zones and offerings that one caller sees."""

    access_key: str
    native: Calls
    shelf: Shelf
    default_instance_type: str
    default_volume_type: str

    def instance_types(self, fresh: bool = False) -> list[ServiceOffering]:
        """All service offerings."""
        return self._rows("service", self.native.list_service_offerings, fresh)

    def volume_types(self, fresh: bool = False) -> list[DiskOffering]:
        """All disk offerings."""
        return self._rows("disk", self.native.list_disk_offerings, fresh)

    def zones(self, fresh: bool = False) -> list[Zone]:
        """All zones."""
        return self._rows("zone", self.native.list_zones, fresh)

    def instance_type(self, name: str | None) -> ServiceOffering:
        """The service offering called like an instance type.

        Raises:
            Ec2Fault: InvalidInstanceType, telling those that exist.
        """
        wanted = name or self.default_instance_type
        row = self._named(wanted, self.instance_types)
        if row is None:
            known = _listed(self.instance_types())
            raise Ec2Fault(
                "InvalidInstanceType", f"There is no instance type '{wanted}' here; there {known}."
            )
        return row

    def volume_type(self, name: str | None) -> DiskOffering:
        """The disk offering called like a volume type.

        Raises:
            Ec2Fault: InvalidParameterValue, telling those that exist.
        """
        wanted = name or self.default_volume_type
        row = self._named(wanted, self.volume_types)
        if row is None:
            raise bad_value("VolumeType", wanted, f"There {_listed(self.volume_types())}.")
        return row

    def zone(self, name: str | None) -> Zone:
        """The zone of this name; without a name the first that takes new instances.

        Raises:
            Ec2Fault: InvalidZone.NotFound, telling those that exist.
        """
        if name is None:
            row = next((z for z in self.zones() if z["allocationstate"] == "Enabled"), None)
        else:
            row = self._named(name, self.zones)
        if row is None:
            asked = f"The zone '{name}' does not exist" if name else "No zone is available"
            raise Ec2Fault("InvalidZone.NotFound", f"{asked}; there {_listed(self.zones())}.")
        return row

    def _rows(self, what: str, fetch: Callable[[], list[Row]], fresh: bool) -> list[Row]:
        rows: list[Row] = self.shelf.get((self.access_key, what), fetch, fresh)
        return rows

    def _named(self, name: str, rows: Callable[[bool], list[Row]]) -> Row | None:
        for fresh in (False, True):
            found = [row for row in rows(fresh) if row["name"] == name]
            if found:
                return found[0]
        return None


def _listed(rows: Sequence[Named]) -> str:
    names = sorted(str(row["name"]) for row in rows)
    return f"are {', '.join(names)}" if names else "are none"
