"""Templates on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import View, Wire
from nativeapi.references import noun
from nativeapi.views.ownership import around
from orchestrator.resources import ostypes, templates, urls, zones
from orchestrator.schema.templates import Template, TemplateState


class TemplateView(View, noun="template"):
    """A template."""

    id: Annotated[str, "the template's id"]
    name: Annotated[str, "the template's name"]
    displaytext: Annotated[str, "what it is, for people"]
    ispublic: Annotated[bool, "whether every account may use it"]
    created: Annotated[datetime, "when it was registered"]
    isready: Annotated[bool, "whether instances can be made from it"]
    passwordenabled: Annotated[bool, "whether it takes a password from the cloud"]
    format: Annotated[str, "form of the image"]
    isfeatured: Annotated[bool, "whether it is recommended"]
    cross_zones: Annotated[bool, Wire("crossZones"), "whether it is in every zone"]
    ostypeid: Annotated[str, "the operating system's id"]
    ostypename: Annotated[str | None, "the operating system"]
    accountid: Annotated[str, "the owner's id"]
    account: Annotated[str, "the account that owns it"]
    zoneid: Annotated[str, "the zone's id"]
    zonename: Annotated[str, "the zone's name"]
    status: Annotated[str, "how far it is, in words"]
    size: Annotated[int | None, "how large a disk guests see, in bytes"]
    templatetype: Annotated[str, "USER"]
    hypervisor: Annotated[str, "what runs it"]
    domain: Annotated[str, "the name of the owner's domain"]
    domainid: Annotated[str, "the owner's domain"]
    isextractable: Annotated[bool, "whether it may be downloaded"]
    url: Annotated[str, "where the image came from, without what a query or a login may hold"]
    checksum: Annotated[str | None, "checksum of the image"]
    sshkeyenabled: Annotated[bool, "whether it takes an SSH key from the cloud"]
    jobid: Annotated[str | None, "the job under way on it"]
    jobstatus: Annotated[int | None, "0 while a job is under way"]


def template_views(call: Call, rows: Sequence[Template]) -> list[TemplateView]:
    """Templates, with their owners and zones."""
    context = around(call, {row.account_id for row in rows}, {row.id for row in rows})
    names = zones.names(call.db, {row.zone_id for row in rows})
    return [
        TemplateView(
            id=row.id,
            name=row.name,
            displaytext=row.display_text,
            ispublic=row.public,
            created=row.created,
            isready=row.state == TemplateState.READY,
            passwordenabled=False,
            format=row.format,
            isfeatured=row.featured,
            cross_zones=False,
            ostypeid=row.os_type,
            ostypename=ostypes.described(row.os_type),
            accountid=row.account_id,
            account=context.owners[row.account_id].account,
            zoneid=row.zone_id,
            zonename=names[row.zone_id],
            status=_status(row),
            size=row.size or None,
            templatetype="USER",
            hypervisor="KVM",
            domain=context.owners[row.account_id].domain,
            domainid=context.owners[row.account_id].domain_id,
            isextractable=row.extractable,
            url=urls.shown(row.url),
            checksum=row.checksum or None,
            sshkeyenabled=True,
            jobid=context.jobs.get(row.id),
            jobstatus=context.pending(row.id),
        )
        for row in rows
    ]


def _status(row: Template) -> str:
    """Failures begin with "Error", so that nobody has to guess from the words that follow."""
    if row.state == TemplateState.FAILED:
        return f"Error: {row.status}"
    return row.status or "Download not started"


noun(
    Template,
    TemplateView,
    "template",
    owned=templates.find,
    visible=templates.find_visible,
    views=template_views,
)
