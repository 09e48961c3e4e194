"""The life of a template: register, delete."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from orchestrator.driver.ports import BadImage, Image, Pool
from orchestrator.engine.workflow import Args, DbStep, Step, Work, Workflow
from orchestrator.faults import invalid
from orchestrator.resources import configuration, hosts, jobs, pools
from orchestrator.resources.states import move
from orchestrator.schema.jobs import Job
from orchestrator.schema.pools import StoragePool
from orchestrator.schema.templates import Template, TemplateState
from orchestrator.workflows.asking import Ask
from orchestrator.workflows.asking import start as record

_SUBJECT = "template"


@dataclass(frozen=True)
class OfTemplate(Args):
    """A job about one template."""

    template: str


def register(ask: Ask, template: Template) -> Job:
    """Fetch a template that was just recorded."""
    return _begin(ask, REGISTER, template)


def delete(ask: Ask, template: Template) -> Job:
    """Delete a template. Instances made from it keep their disks.

    Raises:
        Fault: wrong_state, while it is being fetched.
    """
    move(ask.db, template, to=TemplateState.DELETING)
    return _begin(ask, DELETE, template)


def forget(ask: Ask, template: Template) -> Job:
    """Remove a deleted template, on which no instance stands any more, from all pools."""
    return _begin(ask, FORGET, template)


def _begin(ask: Ask, workflow: Workflow[Any], template: Template) -> Job:
    return record(
        ask,
        workflow,
        OfTemplate(template.id),
        resource=(_SUBJECT, template.id),
        locks=[template.id],
        owner=template.account_id,
    )


def _place(work: Work[OfTemplate]) -> tuple[Template, Pool, str]:
    """The template, its store, and a host that reaches it."""
    with work.sessions.read() as db:
        template = db.get_one(Template, work.args.template)
        store = pools.port(db.get_one(StoragePool, template.store_id))
        return template, store, hosts.reaching(db, template.zone_id)


def _fetch(work: Work[OfTemplate]) -> list[int]:
    """Fetch it; the output is its sizes."""
    template, store, host_id = _place(work)
    with work.sessions.read() as db:
        sites = configuration.networks(db, "secstorage.allowed.internal.sites")
    image = Image(template.id, template.url, template.format, template.checksum)
    try:
        facts = work.fleet.host(host_id).storage.ensure_image(store, image, sites)
    except BadImage as why:
        raise invalid(_SUBJECT, f"The image cannot be used: {why}.") from why
    return [facts.virtual_size, facts.physical_size]


def _drop(work: Work[OfTemplate]) -> None:
    template, store, host_id = _place(work)
    work.fleet.host(host_id).storage.ensure_image_absent(store, template.id)


def _drop_backings(work: Work[OfTemplate]) -> None:
    with work.sessions.read() as db:
        template = db.get_one(Template, work.args.template)
        primary = pools.primaries(db, template.zone_id)
        host_id = hosts.reaching(db, template.zone_id)
    for pool in primary:
        work.fleet.host(host_id).storage.ensure_image_absent(pool, template.id)


def _forgotten(db: Session, work: Work[OfTemplate]) -> None:
    db.delete(db.get_one(Template, work.args.template))


def _failed(db: Session, work: Work[OfTemplate]) -> None:
    template = db.get_one(Template, work.args.template)
    move(db, template, to=TemplateState.FAILED, status=jobs.fault(db, work.job) or "")


def _ready(db: Session, work: Work[OfTemplate]) -> None:
    virtual, physical = work.outputs["fetch"]
    move(
        db,
        db.get_one(Template, work.args.template),
        to=TemplateState.READY,
        size=virtual,
        physical_size=physical,
        status="Download Complete",
    )


def _deleted(db: Session, work: Work[OfTemplate]) -> None:
    move(db, db.get_one(Template, work.args.template), to=TemplateState.DELETED)


REGISTER = Workflow(
    "template.register",
    OfTemplate,
    (
        Step("fetch", _fetch, undo=_drop),
        DbStep("ready", _ready),
    ),
    release=_failed,
)
DELETE = Workflow(
    "template.delete",
    OfTemplate,
    (Step("image", _drop), DbStep("deleted", _deleted)),
    forward=True,
)
FORGET = Workflow(
    "template.forget",
    OfTemplate,
    (Step("backings", _drop_backings), DbStep("forgotten", _forgotten)),
    forward=True,
)
