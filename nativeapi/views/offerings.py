"""Service and disk offerings on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import View
from nativeapi.references import noun
from orchestrator.resources import offerings
from orchestrator.resources.offerings import GIB, MIB
from orchestrator.schema.offerings import DiskOffering, ServiceOffering


class ServiceOfferingView(View, noun="serviceoffering"):
    """A size of machine."""

    id: Annotated[str, "the offering's id"]
    name: Annotated[str, "the offering's name"]
    displaytext: Annotated[str, "what it is, for people"]
    cpunumber: Annotated[int, "processors"]
    cpuspeed: Annotated[int, "clock of a processor, in MHz"]
    memory: Annotated[int, "memory, in MB"]
    created: Annotated[datetime, "when it was made"]
    storagetype: Annotated[str, "where root disks lie: local or shared"]
    offerha: Annotated[bool, "whether instances are started again elsewhere when a host dies"]
    limitcpuuse: Annotated[bool, "whether the clock is a ceiling too"]
    issystem: Annotated[bool, "whether it is for the cloud's own machines"]
    defaultuse: Annotated[bool, "whether it is the default of its kind"]


class DiskOfferingView(View, noun="diskoffering"):
    """A size of disk."""

    id: Annotated[str, "the offering's id"]
    name: Annotated[str, "the offering's name"]
    displaytext: Annotated[str, "what it is, for people"]
    disksize: Annotated[int, "size, in GB; 0 when the user chooses"]
    created: Annotated[datetime, "when it was made"]
    iscustomized: Annotated[bool, "whether the user chooses the size"]
    storagetype: Annotated[str, "where disks lie: local or shared"]


def service_offering_views(
    _call: Call, rows: Sequence[ServiceOffering]
) -> list[ServiceOfferingView]:
    """Sizes of machines."""
    return [
        ServiceOfferingView(
            id=row.id,
            name=row.name,
            displaytext=row.display_text,
            cpunumber=row.cpus,
            cpuspeed=row.mhz,
            memory=row.memory // MIB,
            created=row.created,
            storagetype="shared",
            offerha=False,
            limitcpuuse=False,
            issystem=False,
            defaultuse=False,
        )
        for row in rows
    ]


def disk_offering_views(_call: Call, rows: Sequence[DiskOffering]) -> list[DiskOfferingView]:
    """Sizes of disks."""
    return [
        DiskOfferingView(
            id=row.id,
            name=row.name,
            displaytext=row.display_text,
            disksize=row.size // GIB,
            created=row.created,
            iscustomized=row.custom,
            storagetype="shared",
        )
        for row in rows
    ]


noun(
    ServiceOffering,
    ServiceOfferingView,
    "serviceoffering",
    visible=offerings.find_service,
    views=service_offering_views,
)
noun(
    DiskOffering,
    DiskOfferingView,
    "diskoffering",
    visible=offerings.find_disk,
    views=disk_offering_views,
)
