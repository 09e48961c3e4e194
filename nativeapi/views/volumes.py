"""Volumes on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Role, View
from nativeapi.references import noun
from nativeapi.views.ownership import Around, around
from orchestrator.resources import pools, volumes, zones
from orchestrator.schema.instances import Instance
from orchestrator.schema.offerings import DiskOffering
from orchestrator.schema.pools import StoragePool
from orchestrator.schema.volumes import Volume


class VolumeView(View, noun="volume"):
    """A volume."""

    id: Annotated[str, "the volume's id"]
    name: Annotated[str, "the volume's name"]
    zoneid: Annotated[str, "the zone's id"]
    zonename: Annotated[str, "the zone's name"]
    type: Annotated[str, "ROOT or DATADISK"]
    deviceid: Annotated[int | None, "its slot in the instance; 0 is the root disk"]
    virtualmachineid: Annotated[str | None, "the instance it is attached to"]
    vmname: Annotated[str | None, "that instance's name"]
    vmdisplayname: Annotated[str | None, "that instance's name for people"]
    vmstate: Annotated[str | None, "that instance's state"]
    size: Annotated[int, "size, in bytes"]
    created: Annotated[datetime, "when it was made"]
    state: Annotated[str, "where it is in its life"]
    account: Annotated[str, "the account that owns it"]
    domainid: Annotated[str, "the owner's domain"]
    domain: Annotated[str, "the name of the owner's domain"]
    storagetype: Annotated[str, "where it lies: local or shared"]
    hypervisor: Annotated[str, "what uses it"]
    diskofferingid: Annotated[str | None, "the disk offering's id"]
    diskofferingname: Annotated[str | None, "the disk offering's name"]
    diskofferingdisplaytext: Annotated[str | None, "the disk offering, for people"]
    storage: Annotated[str | None, "the pool it lies in; for administrators"]
    attached: Annotated[datetime | None, "when it was attached"]
    destroyed: Annotated[bool, "whether it is being deleted"]
    templateid: Annotated[str | None, "the template that a root disk was made from"]
    isextractable: Annotated[bool, "whether it may be downloaded"]
    jobid: Annotated[str | None, "the job under way on it"]
    jobstatus: Annotated[int | None, "0 while a job is under way"]


@dataclass(frozen=True)
class _Context:
    around: Around
    zones: dict[str, str]
    instances: dict[str, Instance]
    offerings: dict[str, DiskOffering]
    pools: dict[str, StoragePool]


def volume_views(call: Call, rows: Sequence[Volume]) -> list[VolumeView]:
    """Volumes, with what they are attached to."""
    seen = {row.pool_id for row in rows} if call.role is Role.ADMIN else set()
    context = _Context(
        around(call, {row.account_id for row in rows}, {row.id for row in rows}),
        zones.names(call.db, {row.zone_id for row in rows}),
        volumes.instances(call.db, rows),
        volumes.offerings(call.db, rows),
        pools.many(call.db, seen),
    )
    return [_view(context, row) for row in rows]


def _view(context: _Context, row: Volume) -> VolumeView:
    owner = context.around.owners[row.account_id]
    instance = context.instances.get(row.instance_id or "")
    offering = context.offerings.get(row.offering_id or "")
    pool = context.pools.get(row.pool_id or "")
    return VolumeView(
        id=row.id,
        name=row.name,
        zoneid=row.zone_id,
        zonename=context.zones[row.zone_id],
        type=row.kind,
        deviceid=row.slot,
        virtualmachineid=row.instance_id,
        vmname=instance.name if instance else None,
        vmdisplayname=instance.display_name if instance else None,
        vmstate=instance.state if instance else None,
        size=row.size,
        created=row.created,
        state=row.state,
        account=owner.account,
        domainid=owner.domain_id,
        domain=owner.domain,
        storagetype="shared",
        hypervisor="KVM",
        diskofferingid=row.offering_id,
        diskofferingname=offering.name if offering else None,
        diskofferingdisplaytext=offering.display_text if offering else None,
        storage=pool.name if pool else None,
        attached=row.attached,
        destroyed=False,
        templateid=row.template_id,
        isextractable=False,
        jobid=context.around.jobs.get(row.id),
        jobstatus=context.around.pending(row.id),
    )


noun(Volume, VolumeView, "volume", owned=volumes.find, views=volume_views)
