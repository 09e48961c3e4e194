"""Regions and availability zones: a zone's name is the availability zone's."""

from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault, bad_value
from gateway.ec2.listing import Listing
from gateway.ec2.registry import Reply, operation
from gateway.native_calls import Zone

_OPT_IN = "opt-in-not-required"


@operation(
    "DescribeRegions",
    ignores={"AllRegions": "there is one region, and it is always there"},
    listing=Listing(
        items=("Regions",),
        key="RegionName",
        filters={
            "region-name": "RegionName",
            "endpoint": "Endpoint",
            "opt-in-status": "OptInStatus",
        },
    ),
)
def describe_regions(ask: Ask, region_names: list[str] | None = None) -> Reply:
    """The one region that this gateway is; its endpoint is the address the caller used."""
    for name in region_names or ():
        if name != ask.region:
            raise bad_value("RegionName", name, f"The region here is {ask.region}.")
    return {"Regions": [{"RegionName": ask.region, "Endpoint": ask.host, "OptInStatus": _OPT_IN}]}


@operation(
    "DescribeAvailabilityZones",
    ignores={"AllAvailabilityZones": "every zone is shown anyway"},
    listing=Listing(
        items=("AvailabilityZones",),
        key="ZoneName",
        filters={
            "zone-name": "ZoneName",
            "zone-id": "ZoneId",
            "zone-type": "ZoneType",
            "region-name": "RegionName",
            "state": "State",
            "message": "Messages.Message",
            "opt-in-status": "OptInStatus",
            "group-name": "GroupName",
        },
    ),
)
def describe_availability_zones(
    ask: Ask, zone_names: list[str] | None = None, zone_ids: list[str] | None = None
) -> Reply:
    """The zones that the caller sees."""
    zones = ask.catalog.zones(fresh=True)
    for member, names in (("name", zone_names), ("id", zone_ids)):
        _all_known([str(zone.get(member)) for zone in zones], names or ())
    chosen = [
        zone
        for zone in zones
        if (not zone_names or zone["name"] in zone_names)
        and (not zone_ids or zone["id"] in zone_ids)
    ]
    return {"AvailabilityZones": [_zone(ask.region, zone) for zone in chosen]}


def _zone(region: str, zone: Zone) -> Reply:
    usable = zone["allocationstate"] == "Enabled"
    return {
        "ZoneName": zone["name"],
        "ZoneId": zone["id"],
        "ZoneType": "availability-zone",
        "State": "available" if usable else "unavailable",
        "RegionName": region,
        "GroupName": region,
        "NetworkBorderGroup": region,
        "OptInStatus": _OPT_IN,
        "Messages": [] if usable else [{"Message": "The zone takes no new instances."}],
    }


def _all_known(known: list[str], asked: list[str] | tuple[str, ...]) -> None:
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise Ec2Fault("InvalidZone.NotFound", f"The zone '{unknown[0]}' does not exist.")
