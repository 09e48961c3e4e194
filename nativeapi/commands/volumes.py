"""Volumes."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import (
    Choices,
    Done,
    Job,
    Length,
    Owned,
    Page,
    Range,
    Role,
    Visible,
    Wire,
)
from nativeapi.listing import OwnedListing, ident, page
from nativeapi.ownership import OnBehalf
from nativeapi.registry import command
from nativeapi.views.volumes import VolumeView, volume_views
from orchestrator.resources import offerings, volumes
from orchestrator.schema.instances import Instance
from orchestrator.schema.offerings import DiskOffering
from orchestrator.schema.volumes import Volume
from orchestrator.schema.zones import Zone
from orchestrator.workflows import volumes as work


@command("createVolume", role=Role.USER, since="1.0")
class CreateVolume(OnBehalf):
    """Create a data volume. It takes up space from its first attachment on."""

    name: Annotated[str, "the volume's name"]
    zone: Annotated[Visible[Zone], Wire("zoneid"), "the zone it is in"]
    offering: Annotated[Visible[DiskOffering], Wire("diskofferingid"), "the kind of disk"]
    size: Annotated[
        int | None, Range(1, 2**20), "size in GB, where the offering leaves it open"
    ] = None
    client_token: Annotated[
        str | None, Length(1, 128), "makes the same request twice one request"
    ] = None

    def run(self, call: Call) -> Job[VolumeView]:
        job = work.create(
            call,
            self.zone,
            self.offering,
            account_id=self.owner(call),
            name=self.name,
            size=offerings.disk_size(call.db, self.offering, self.size),
            token=self.client_token,
            params=call.asked,
        )
        return Job(job.id, created=job.resource_id)


@command("attachVolume", role=Role.USER, since="1.0")
class AttachVolume:
    """Attach a data volume to an instance in the same zone."""

    volume: Annotated[Owned[Volume], Wire("id"), "the volume to attach"]
    instance: Annotated[Owned[Instance], Wire("virtualmachineid"), "the instance that gets it"]
    device: Annotated[
        int | None, Wire("deviceid"), Range(1, 25), "slot; the first free one when absent"
    ] = None

    def run(self, call: Call) -> Job[VolumeView]:
        return Job(work.attach(call, self.volume, self.instance, self.device).id)


@command("detachVolume", role=Role.USER, since="1.0")
class DetachVolume:
    """Detach a data volume, named by its id or by instance and slot."""

    volume: Annotated[Owned[Volume] | None, Wire("id"), "the volume"] = None
    instance: Annotated[
        Owned[Instance] | None, Wire("virtualmachineid"), "the instance that has it"
    ] = None
    device: Annotated[int | None, Wire("deviceid"), Range(0, 25), "its slot in the instance"] = None

    def run(self, call: Call) -> Job[VolumeView]:
        volume = self.volume or volumes.in_slot(call.db, ident(self.instance), self.device)
        return Job(work.detach(call, volume).id)


@command("deleteVolume", role=Role.USER, since="1.0")
class DeleteVolume:
    """Delete a volume that is not attached."""

    volume: Annotated[Owned[Volume], Wire("id"), "the volume"]

    def run(self, call: Call) -> Done:
        work.delete(call, self.volume)
        return Done()


@command("listVolumes", role=Role.USER, since="1.0")
class ListVolumes(OwnedListing):
    """List volumes."""

    volume: Annotated[Owned[Volume] | None, Wire("id"), "the volume"] = None
    ids: Annotated[tuple[Owned[Volume], ...], "the volumes"] = ()
    name: Annotated[str | None, "the volume's name"] = None
    type: Annotated[str | None, Choices("ROOT", "DATADISK"), "only volumes of this kind"] = None
    instance: Annotated[
        Owned[Instance] | None, Wire("virtualmachineid"), "only volumes of this instance"
    ] = None
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "only volumes of this zone"] = None

    def run(self, call: Call) -> Page[VolumeView]:
        named = self.ids if self.volume is None else (self.volume, *self.ids)
        found = volumes.page(
            call.db,
            self.scope(call, named, self.instance),
            self.window(call),
            ids={row.id for row in named},
            name=self.name,
            kind=self.type,
            instance_id=ident(self.instance),
            zone_id=ident(self.zone),
            keyword=self.keyword,
        )
        return page(call, found, volume_views)
