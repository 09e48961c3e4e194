"""The life of an instance: deploy, start, stop, reboot, destroy, expunge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from orchestrator.engine.workflow import Args, DbStep, Step, Work, Workflow
from orchestrator.faults import wrong_state
from orchestrator.resources import configuration, hosts, instances, jobs, pools, tokens, volumes
from orchestrator.resources.states import move
from orchestrator.schema.base import now
from orchestrator.schema.instances import Instance, InstanceState
from orchestrator.schema.jobs import Job
from orchestrator.schema.pools import StoragePool
from orchestrator.schema.templates import Template
from orchestrator.schema.volumes import VolumeKind, VolumeState
from orchestrator.workflows import plugging
from orchestrator.workflows.asking import Ask
from orchestrator.workflows.asking import start as record

_SUBJECT = "virtualmachine"


@dataclass(frozen=True)
class OfInstance(Args):
    """A job about one instance."""

    instance: str


@dataclass(frozen=True)
class Halt(Args):
    """A job that stops an instance, after ``patience`` seconds by force."""

    instance: str
    patience: float


@dataclass(frozen=True)
class Clear(Args):
    """A job that removes what is left of an instance on a host where it should not be."""

    instance: str
    host: str


# -- what requests call ----------------------------------------------------------------------


def deploy(ask: Ask, wish: instances.Wish, token: str | None, params: Mapping[str, object]) -> Job:
    """Make an instance and start it. The row is there at once, Starting.

    ``token`` and ``params`` make the same request twice one request.

    Raises:
        Fault: no_capacity, exists, invalid, mismatch.
    """
    earlier = tokens.replayed(ask.db, wish.account_id, ask.command, token, params)
    if earlier is not None:
        return earlier
    instance = instances.reserve(ask.db, wish)
    job = _begin(ask, DEPLOY, OfInstance(instance.id), instance)
    tokens.remember(ask.db, job, ask.command, token, params)
    return job


def start(ask: Ask, instance: Instance, host_id: str | None = None) -> Job:
    """Start a stopped instance.

    Raises:
        Fault: wrong_state, no_capacity.
    """
    move(ask.db, instance, to=InstanceState.STARTING)
    hosts.reserve(ask.db, instance, host_id)
    return _begin(ask, START, OfInstance(instance.id), instance)


def stop(ask: Ask, instance: Instance, *, forced: bool = False) -> Job:
    """Stop a running instance: ask the guest to power off, or pull the plug.

    Raises:
        Fault: wrong_state.
    """
    move(ask.db, instance, to=InstanceState.STOPPING)
    [patience] = [0.0] if forced else configuration.numbers(ask.db, "stop.patience")
    return _begin(ask, STOP, Halt(instance.id, patience), instance)


def reboot(ask: Ask, instance: Instance) -> Job:
    """Reset a running instance.

    Raises:
        Fault: wrong_state.
    """
    if instance.state != InstanceState.RUNNING:
        raise wrong_state(_SUBJECT, instance.id, instance.state, InstanceState.RUNNING)
    return _begin(ask, REBOOT, OfInstance(instance.id), instance)


def destroy(ask: Ask, instance: Instance, *, expunge: bool) -> Job:
    """End an instance. With ``expunge`` its disk and addresses are freed at once, else later.

    Raises:
        Fault: wrong_state, while it is on its way from one state to another.
    """
    if expunge:
        move(ask.db, instance, to=InstanceState.EXPUNGING)
        return _begin(ask, EXPUNGE, OfInstance(instance.id), instance)
    if instance.state == InstanceState.RUNNING:
        move(ask.db, instance, to=InstanceState.STOPPING)
        return _begin(ask, DESTROY, Halt(instance.id, 0.0), instance)
    if instance.state not in (InstanceState.STOPPED, InstanceState.ERROR):
        raise wrong_state(_SUBJECT, instance.id, instance.state, "Running, Stopped or Error")
    return _begin(ask, DESTROY, Halt(instance.id, 0.0), instance)


def clear(ask: Ask, instance: Instance, host_id: str) -> Job:
    """Remove the machine of an instance from a host on which it should not be."""
    return _begin(ask, CLEAR, Clear(instance.id, host_id), instance)


def _begin(ask: Ask, workflow: Workflow[Any], args: Args, instance: Instance) -> Job:
    return record(
        ask,
        workflow,
        args,
        resource=(_SUBJECT, instance.id),
        locks=[instance.id],
        owner=instance.account_id,
    )


# -- steps -----------------------------------------------------------------------------------


def _stage_image(work: Work[OfInstance]) -> None:
    """Have the template in the pool, for the root disk to stand on."""
    with work.sessions.read() as db:
        instance = db.get_one(Instance, work.args.instance)
        root = volumes.root(db, instance.id)
        if root is None or root.state == VolumeState.READY:
            return
        pool = pools.port(db.get_one(StoragePool, root.pool_id))
        template = db.get_one(Template, instance.template_id)
        store = pools.port(db.get_one(StoragePool, template.store_id))
        host_id = instance.host_id or ""
    work.fleet.host(host_id).storage.ensure_backing(pool, store, template.id)


def _make_disks(work: Work[OfInstance]) -> None:
    """Have a disk for every volume of the instance."""
    for volume, pool, host_id in _disks(work):
        backing = volume.template_id if volume.kind == VolumeKind.ROOT else None
        storage = work.fleet.host(host_id).storage
        storage.ensure_disk(pool, volume.id, volume.size, backing)


def _drop_root(work: Work[OfInstance]) -> None:
    """Remove the root disk."""
    for volume, pool, host_id in _disks(work):
        if volume.kind == VolumeKind.ROOT:
            work.fleet.host(host_id).storage.ensure_disk_absent(pool, volume.id)


def _disks(work: Work[Any]) -> list[tuple[Any, Any, str]]:
    """Volumes with their pools, and a host that reaches these."""
    with work.sessions.read() as db:
        instance = db.get_one(Instance, work.args.instance)
        mine = [volume for volume in volumes.of(db, instance.id) if volume.pool_id]
        found = pools.many(db, {volume.pool_id for volume in mine})
        host = instance.host_id or hosts.reaching(db, instance.zone_id)
    return [(volume, pools.port(found[volume.pool_id or ""]), host) for volume in mine]


def _plug(work: Work[OfInstance]) -> None:
    plugging.plug(work, work.args.instance)


def _unplug(work: Work[Any]) -> None:
    plugging.unplug(work, work.args.instance)


def _power_on(work: Work[OfInstance]) -> None:
    with work.sessions.read() as db:
        instance = db.get_one(Instance, work.args.instance)
        machine = instances.machine(db, instance)
        host_id = instance.host_id or ""
    work.fleet.host(host_id).hypervisor.ensure_running(machine)


def _power_off(work: Work[Any]) -> None:
    """Switch off at once, if it is on any host at all."""
    _halt(work, 0.0)


def _power_off_kindly(work: Work[Halt]) -> None:
    _halt(work, work.args.patience)


def _halt(work: Work[Any], patience: float) -> None:
    with work.sessions.read() as db:
        host_id = db.get_one(Instance, work.args.instance).host_id
    if host_id is not None:
        work.fleet.host(host_id).hypervisor.ensure_stopped(work.args.instance, patience)


def _clear(work: Work[Clear]) -> None:
    """Only where the row still says it should not be there."""
    with work.sessions.read() as db:
        wanted = db.get_one(Instance, work.args.instance).host_id == work.args.host
    if not wanted:
        work.fleet.host(work.args.host).hypervisor.ensure_stopped(work.args.instance, 0.0)


def _reset(work: Work[OfInstance]) -> None:
    with work.sessions.read() as db:
        host_id = db.get_one(Instance, work.args.instance).host_id
    if host_id is not None:
        work.fleet.host(host_id).hypervisor.ensure_rebooted(work.args.instance)


def _fail_deploy(db: Session, work: Work[OfInstance]) -> None:
    instance = db.get_one(Instance, work.args.instance)
    _vanish(db, instance)
    if instance.state == InstanceState.STARTING:
        move(db, instance, to=InstanceState.ERROR, reason=jobs.fault(db, work.job))


def _fail_start(db: Session, work: Work[OfInstance]) -> None:
    instance = db.get_one(Instance, work.args.instance)
    hosts.release(db, instance)
    if instance.state == InstanceState.STARTING:
        move(db, instance, to=InstanceState.STOPPED, reason=jobs.fault(db, work.job))


def _vanish(db: Session, instance: Instance) -> None:
    """Give back all rows but the instance's own."""
    instances.give_back(db, instance)
    root = volumes.root(db, instance.id)
    if root is not None:
        db.delete(root)
        db.flush()


# From the moment it is recorded an instance may be asked to be expunged. That job waits for the one
# in hand, so the steps that end a job move the instance only if it is still on its way.


def _running(db: Session, work: Work[OfInstance]) -> None:
    instance = db.get_one(Instance, work.args.instance)
    for volume in volumes.of(db, instance.id):
        if volume.state == VolumeState.CREATING:
            move(db, volume, to=VolumeState.READY)
    if instance.state == InstanceState.STARTING:
        move(db, instance, to=InstanceState.RUNNING, reason=None)


def _stopped(db: Session, work: Work[Halt]) -> None:
    instance = db.get_one(Instance, work.args.instance)
    hosts.release(db, instance)
    if instance.state == InstanceState.STOPPING:
        move(db, instance, to=InstanceState.STOPPED)


def _destroyed(db: Session, work: Work[Halt]) -> None:
    _stopped(db, work)
    instance = db.get_one(Instance, work.args.instance)
    volumes.part(db, instance.id)
    if instance.state in (InstanceState.STOPPED, InstanceState.ERROR):
        move(db, instance, to=InstanceState.DESTROYED)


def _expunged(db: Session, work: Work[OfInstance]) -> None:
    instance = db.get_one(Instance, work.args.instance)
    _vanish(db, instance)
    move(db, instance, to=InstanceState.DESTROYED, expunged=now())


# -- workflows -------------------------------------------------------------------------------

_BOOT = (
    Step("plug", _plug, undo=_unplug),
    Step("power", _power_on, undo=_power_off),
    DbStep("running", _running),
)
DEPLOY = Workflow(
    "instance.deploy",
    OfInstance,
    (
        Step("image", _stage_image),
        Step("disks", _make_disks, undo=_drop_root),
        *_BOOT,
    ),
    release=_fail_deploy,
)
START = Workflow("instance.start", OfInstance, _BOOT, release=_fail_start)
STOP = Workflow(
    "instance.stop",
    Halt,
    (Step("power", _power_off_kindly), Step("unplug", _unplug), DbStep("stopped", _stopped)),
    forward=True,
)
REBOOT = Workflow("instance.reboot", OfInstance, (Step("reset", _reset),))
CLEAR = Workflow("instance.clear", Clear, (Step("power", _clear),), forward=True)
DESTROY = Workflow(
    "instance.destroy",
    Halt,
    (Step("power", _power_off), Step("unplug", _unplug), DbStep("destroyed", _destroyed)),
    forward=True,
)
EXPUNGE = Workflow(
    "instance.expunge",
    OfInstance,
    (
        Step("power", _power_off),
        Step("unplug", _unplug),
        Step("disks", _drop_root),
        DbStep("expunged", _expunged),
    ),
    forward=True,
)
