"""Templates: the images that instances start from."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Choices, Done, Job, Length, Owned, Page, Role, Visible, Wire
from nativeapi.listing import OwnedListing, ident, page
from nativeapi.registry import command
from nativeapi.views.templates import TemplateView, template_views
from orchestrator.faults import invalid
from orchestrator.resources import templates
from orchestrator.resources.ostypes import OsType
from orchestrator.schema.templates import Template
from orchestrator.schema.zones import Zone
from orchestrator.workflows import templates as work


@command("registerTemplate", role=Role.USER, since="1.0")
class RegisterTemplate:
    """Register an image. It is fetched, and ready some time after this answer."""

    name: Annotated[str, "the template's name"]
    display_text: Annotated[str, Length(1, 4096), "what it is, for people"]
    url: Annotated[str, Length(1, 4096), "where the image is, by http or https"]
    zone: Annotated[Visible[Zone], Wire("zoneid"), "the zone it is for"]
    format: Annotated[str, "form of the image: QCOW2 or RAW"]
    hypervisor: Annotated[str, Choices("KVM"), "what runs it"]
    os_type: Annotated[Visible[OsType], Wire("ostypeid"), "the operating system in it"]
    checksum: Annotated[str, "MD5, SHA-1, SHA-256 or SHA-512 of the image, in hexadecimal"] = ""
    is_public: Annotated[bool, "whether every account may use it"] = False
    is_featured: Annotated[bool, "whether it is recommended; for administrators"] = False
    is_extractable: Annotated[bool, "whether it may be downloaded"] = False

    def run(self, call: Call) -> Page[TemplateView]:
        template = templates.create(
            call.db,
            call.caller,
            self.zone,
            name=self.name,
            display_text=self.display_text,
            url=self.url,
            format=self.format,
            checksum=self.checksum,
            os_type=self.os_type.id,
            public=self.is_public,
            featured=self.is_featured,
            extractable=self.is_extractable,
        )
        work.register(call, template)
        return Page(template_views(call, [template]), 1)


@command("listTemplates", role=Role.USER, since="1.0")
class ListTemplates(OwnedListing):
    """List templates, one row for each zone they are in."""

    filter: Annotated[
        str, Wire("templatefilter"), Choices(*templates.FILTERS), "which templates are meant"
    ]
    template: Annotated[Visible[Template] | None, Wire("id"), "the template"] = None
    ids: Annotated[tuple[Visible[Template], ...], "the templates"] = ()
    name: Annotated[str | None, "the template's name"] = None
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "only templates of this zone"] = None
    hypervisor: Annotated[str | None, Choices("KVM"), "only templates that this one runs"] = None

    def run(self, call: Call) -> Page[TemplateView]:
        named = self.ids if self.template is None else (self.template, *self.ids)
        found = templates.page(
            call.db,
            call.caller,
            self.window(call),
            filter=self.filter,
            ids={row.id for row in named},
            name=self.name,
            zone_id=ident(self.zone),
            keyword=self.keyword,
        )
        return page(call, found, template_views)


@command("deleteTemplate", role=Role.USER, since="1.0")
class DeleteTemplate:
    """Delete a template; instances made from it keep their disks."""

    template: Annotated[Owned[Template], Wire("id"), "the template"]
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "the zone it is in"] = None

    def run(self, call: Call) -> Job[Done]:
        if self.zone is not None and self.zone.id != self.template.zone_id:
            raise invalid("template", "The template is in another zone.", field="zoneid")
        return Job(work.delete(call, self.template).id)
