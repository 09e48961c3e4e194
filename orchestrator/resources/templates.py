"""Templates: who may see and use which image, and how one begins."""

import re
from collections.abc import Collection

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from orchestrator.faults import Fault, Kind, invalid, wrong_state
from orchestrator.resources import pools, urls
from orchestrator.resources.scope import Caller, Found, Scope, Window, fetch, like, owned
from orchestrator.schema.templates import Template, TemplateState
from orchestrator.schema.zones import Zone

FILTERS = (
    "featured",
    "self",
    "selfexecutable",
    "sharedexecutable",
    "executable",
    "community",
    "all",
)
FORMATS = ("QCOW2", "RAW")

_GONE = (TemplateState.DELETING, TemplateState.DELETED)
_PACKED = r"(\.gz|\.bz2)?$"
_CHECKSUM = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}")


def find(db: Session, scope: Scope, ident: str) -> Template | None:
    """A template the scope owns."""
    statement = select(Template).where(Template.id == ident, Template.state.not_in(_GONE))
    return db.scalar(owned(statement, Template.account_id, scope))


def find_visible(db: Session, scope: Scope, ident: str) -> Template | None:
    """A template the scope owns, or a public one."""
    template = db.scalar(select(Template).where(Template.id == ident, Template.state.not_in(_GONE)))
    if template is not None and template.public:
        return template
    return find(db, scope, ident)


def page(
    db: Session,
    caller: Caller,
    window: Window,
    *,
    filter: str,
    ids: Collection[str] = (),
    name: str | None = None,
    zone_id: str | None = None,
    keyword: str | None = None,
) -> Found[Template]:
    """Templates, oldest first.

    Raises:
        Fault: invalid, for an unknown filter; forbidden, for ``all`` by anyone but an admin.
    """
    statement = select(Template).where(Template.state.not_in(_GONE), _filtered(caller, filter))
    if ids:
        statement = statement.where(Template.id.in_(ids))
    if name is not None:
        statement = statement.where(Template.name == name)
    if zone_id is not None:
        statement = statement.where(Template.zone_id == zone_id)
    if keyword:
        statement = statement.where(like(keyword, Template.name, Template.display_text))
    return fetch(db, statement.order_by(Template.created, Template.id), window)


def root_size(template: Template, zone: Zone, size: int | None) -> int:
    """How large the root disk of an instance made from a template is, in bytes.

    Args:
        template: what it is made from.
        zone: where it is made.
        size: the bytes asked for; as large as the template when None.

    Raises:
        Fault: wrong_state, when the template is not ready; invalid, when it belongs to another
            zone or does not fit.
    """
    if template.zone_id != zone.id:
        text = f"Template {template.id} belongs to another zone."
        raise invalid("template", text, field="templateid")
    if template.state != TemplateState.READY:
        raise wrong_state("template", template.id, template.state, TemplateState.READY)
    if size is not None and size < template.size:
        text = f"The root disk must hold the template, which has {template.size} bytes."
        raise invalid("volume", text, field="rootdisksize")
    return template.size if size is None else size


def names(db: Session, ids: Collection[str]) -> dict[str, Template]:
    """Many templates at once, by id, deleted ones too."""
    rows = db.scalars(select(Template).where(Template.id.in_(set(ids))))
    return {template.id: template for template in rows}


def create(
    db: Session,
    caller: Caller,
    zone: Zone,
    *,
    name: str,
    display_text: str,
    url: str,
    format: str,
    checksum: str,
    os_type: str,
    public: bool,
    featured: bool,
    extractable: bool,
) -> Template:
    """Record a template that is about to be fetched.

    Raises:
        Fault: invalid, for what can be seen to be wrong before any byte is fetched.
    """
    _check_source(url, format)
    lowered = checksum.lower()
    if lowered and not _CHECKSUM.fullmatch(lowered):
        text = "The checksum must be hexadecimal MD5, SHA-1, SHA-256 or SHA-512."
        raise invalid("template", text, field="checksum")
    if featured and caller.type != 1:
        text = "Only an administrator may feature templates."
        raise Fault(Kind.FORBIDDEN, "template", text, field="isfeatured")
    template = Template(
        name=name,
        display_text=display_text,
        account_id=caller.account_id,
        zone_id=zone.id,
        store_id=pools.image_store(db, zone.id).id,
        url=url,
        format=format.upper(),
        checksum=lowered,
        os_type=os_type,
        public=public,
        featured=featured,
        extractable=extractable,
    )
    db.add(template)
    db.flush()
    return template


def _check_source(url: str, format: str) -> None:
    if format.upper() not in FORMATS:
        text = f"Templates of format {format} are not offered; give {' or '.join(FORMATS)}."
        raise invalid("template", text, field="format")
    parts = urls.split(url, "template")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise invalid("template", "The url must begin with http:// or https://.", field="url")
    if not re.search(rf"\.{format}{_PACKED}", parts.path, re.IGNORECASE):
        text = f"The url must end in .{format.lower()}, .gz or .bz2 after it allowed."
        raise invalid("template", text, field="url")


def _filtered(caller: Caller, filter: str) -> ColumnElement[bool]:
    mine = Template.account_id == caller.account_id
    ready = Template.state == TemplateState.READY
    if filter == "self":
        return mine
    if filter == "selfexecutable":
        return mine & ready
    if filter == "featured":
        return Template.featured & Template.public & ready
    if filter == "community":
        return Template.public & ~Template.featured & ready
    if filter == "sharedexecutable":
        return Template.public & ~mine & ready
    if filter == "executable":
        return or_(mine, Template.public) & ready
    if filter == "all":
        return _everything(caller)
    text = f"templatefilter must be one of {', '.join(FILTERS)}."
    raise invalid("template", text, field="templatefilter")


def _everything(caller: Caller) -> ColumnElement[bool]:
    if caller.type != 1:
        text = "templatefilter=all is for administrators."
        raise Fault(Kind.FORBIDDEN, "template", text, field="templatefilter")
    return Template.id.is_not(None)
