"""Service offerings (sizes of machines) and disk offerings."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Done, Length, Page, Range, Role, Visible, Wire
from nativeapi.listing import Listing, ident, page
from nativeapi.registry import command
from nativeapi.views.offerings import (
    DiskOfferingView,
    ServiceOfferingView,
    disk_offering_views,
    service_offering_views,
)
from orchestrator.resources import offerings
from orchestrator.schema.offerings import DiskOffering, ServiceOffering


@command("createServiceOffering", role=Role.ADMIN, since="1.0")
class CreateServiceOffering:
    """Create a size of machine."""

    name: Annotated[str, "the offering's name; EC2 clients know it as the instance type"]
    display_text: Annotated[str, Length(1, 4096), "what it is, for people"]
    cpu_number: Annotated[int, Range(1, 512), "processors"]
    cpu_speed: Annotated[int, Range(1, 100_000), "clock of a processor, in MHz"]
    memory: Annotated[int, Range(8, 2**26), "memory, in MB"]

    def run(self, call: Call) -> ServiceOfferingView:
        offering = offerings.create_service(
            call.db,
            name=self.name,
            display_text=self.display_text,
            cpus=self.cpu_number,
            mhz=self.cpu_speed,
            memory_mib=self.memory,
        )
        return service_offering_views(call, [offering])[0]


@command("listServiceOfferings", role=Role.USER, since="1.0")
class ListServiceOfferings(Listing):
    """List the sizes of machines."""

    offering: Annotated[Visible[ServiceOffering] | None, Wire("id"), "the offering"] = None
    name: Annotated[str | None, "the offering's name"] = None

    def run(self, call: Call) -> Page[ServiceOfferingView]:
        found = offerings.page_service(
            call.db,
            self.window(call),
            ident=ident(self.offering),
            name=self.name,
            keyword=self.keyword,
        )
        return page(call, found, service_offering_views)


@command("deleteServiceOffering", role=Role.ADMIN, since="1.0")
class DeleteServiceOffering:
    """Withdraw a size of machine; instances that have it keep it."""

    offering: Annotated[Visible[ServiceOffering], Wire("id"), "the offering"]

    def run(self, call: Call) -> Done:
        offerings.remove(self.offering)
        return Done()


@command("createDiskOffering", role=Role.ADMIN, since="1.0")
class CreateDiskOffering:
    """Create a size of disk, or one whose size the user chooses."""

    name: Annotated[str, "the offering's name"]
    display_text: Annotated[str, Length(1, 4096), "what it is, for people"]
    disk_size: Annotated[int | None, Range(1, 2**20), "size, in GB"] = None
    customized: Annotated[bool, "whether the user chooses the size"] = False

    def run(self, call: Call) -> DiskOfferingView:
        offering = offerings.create_disk(
            call.db,
            name=self.name,
            display_text=self.display_text,
            size_gib=self.disk_size,
            custom=self.customized,
        )
        return disk_offering_views(call, [offering])[0]


@command("listDiskOfferings", role=Role.USER, since="1.0")
class ListDiskOfferings(Listing):
    """List the sizes of disks."""

    offering: Annotated[Visible[DiskOffering] | None, Wire("id"), "the offering"] = None
    name: Annotated[str | None, "the offering's name"] = None

    def run(self, call: Call) -> Page[DiskOfferingView]:
        found = offerings.page_disk(
            call.db,
            self.window(call),
            ident=ident(self.offering),
            name=self.name,
            keyword=self.keyword,
        )
        return page(call, found, disk_offering_views)


@command("deleteDiskOffering", role=Role.ADMIN, since="1.0")
class DeleteDiskOffering:
    """Withdraw a size of disk; volumes that have it keep it."""

    offering: Annotated[Visible[DiskOffering], Wire("id"), "the offering"]

    def run(self, call: Call) -> Done:
        offerings.remove(self.offering)
        return Done()
