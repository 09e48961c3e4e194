"""One scenario per workflow: what must be there, the request, and how one sees that it was done.

The tests over every workflow and every step read this table, and fail when a workflow has none.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from orchestrator import workflows
from orchestrator.resources import hosts, instances, pools, securitygroups
from orchestrator.schema.instances import Instance
from orchestrator.schema.jobs import Job
from orchestrator.schema.networks import Network
from orchestrator.schema.offerings import DiskOffering
from orchestrator.schema.pools import StoragePool
from orchestrator.schema.templates import Template
from orchestrator.schema.volumes import Volume
from orchestrator.schema.zones import Cluster, Host, Zone
from tests.orchestrator.cloud import Asking, Cloud, new_template


@dataclass(frozen=True)
class Scenario:
    """``prepare`` runs to its end undisturbed; then comes ``request``; ``done`` sees success."""

    request: Callable[[Cloud, str], Job]
    done: Callable[[Cloud, str], bool]
    prepare: Callable[[Cloud], str] = lambda cloud: ""


def _state(cloud: Cloud, ident: str) -> str:
    with cloud.sessions.read() as db:
        return db.get_one(Instance, ident).state


def _volume(cloud: Cloud, ident: str) -> Volume | None:
    with cloud.sessions.read() as db:
        return db.get(Volume, ident)


def _template(cloud: Cloud, ident: str) -> Template | None:
    with cloud.sessions.read() as db:
        return db.get(Template, ident)


def _stopped(cloud: Cloud) -> str:
    ident = cloud.running()
    cloud.instance(ident, workflows.instances.stop)
    cloud.run()
    return ident


def _attached(cloud: Cloud) -> str:
    volume = cloud.volume()
    cloud.attach(volume, cloud.running())
    cloud.run()
    return volume


def _detached(cloud: Cloud) -> str:
    volume = _attached(cloud)
    cloud.of_volume(volume, workflows.volumes.detach)
    cloud.run()
    return volume


def _pair(cloud: Cloud) -> str:
    """A running instance and a volume, as ``volume instance``."""
    return f"{cloud.volume()} {cloud.running()}"


def _attach(cloud: Cloud, pair: str) -> Job:
    volume, instance = pair.split()
    return cloud.attach(volume, instance)


def _is_attached(cloud: Cloud, pair: str) -> bool:
    volume = _volume(cloud, pair.split()[0])
    return volume is not None and volume.instance_id == pair.split()[1]


def _is_detached(cloud: Cloud, ident: str) -> bool:
    volume = _volume(cloud, ident)
    return volume is not None and volume.instance_id is None


def _second_template(cloud: Cloud) -> str:
    def act(asking: Asking) -> str:
        template = new_template(asking, "second")
        workflows.templates.register(asking, template)
        return template.id

    ident: str = cloud.ask(act)
    cloud.run()
    return ident


def _register(cloud: Cloud, _: str) -> Job:
    job: Job = cloud.ask(
        lambda asking: workflows.templates.register(asking, new_template(asking, "third"))
    )
    return job


def _of_template(verb: Callable[..., Job]) -> Callable[[Cloud, str], Job]:
    def request(cloud: Cloud, ident: str) -> Job:
        job: Job = cloud.ask(lambda asking: verb(asking, asking.db.get_one(Template, ident)))
        return job

    return request


def _deleted_template(cloud: Cloud) -> str:
    ident = _second_template(cloud)
    _of_template(workflows.templates.delete)(cloud, ident)
    cloud.run()
    return ident


def _group(cloud: Cloud) -> str:
    def act(asking: Asking) -> str:
        group = securitygroups.create(asking.db, asking.caller.account_id, "web", "")
        permission = securitygroups.permission("tcp", 22, 22, None, None)
        securitygroups.permit(asking.db, group, "ingress", permission, cidr="0.0.0.0/0")
        return group.id

    ident: str = cloud.ask(act)
    return ident


def _apply(cloud: Cloud, ident: str) -> Job:
    job: Job = cloud.ask(
        lambda asking: workflows.securitygroups.apply(
            asking, securitygroups.many(asking.db, [ident])[ident]
        )
    )
    return job


def _connect_host(cloud: Cloud, _: str) -> Job:
    def act(asking: Asking) -> Job:
        cluster = asking.db.scalars(select(Cluster)).one()
        host = hosts.create(asking.db, cluster, "http://third")
        return workflows.hosts.connect(asking, host)

    job: Job = cloud.ask(act)
    return job


def _tell_host(cloud: Cloud, _: str) -> Job:
    job: Job = cloud.ask(
        lambda asking: workflows.hosts.tell(asking, asking.db.scalars(select(Host).limit(1)).one())
    )
    return job


def _connect_pool(cloud: Cloud, _: str) -> Job:
    def act(asking: Asking) -> Job:
        cluster = asking.db.scalars(select(Cluster)).one()
        pool = pools.create_primary(asking.db, cluster, name="more", url="file:///more")
        return workflows.pools.connect(asking, pool)

    job: Job = cloud.ask(act)
    return job


def _left_over(cloud: Cloud) -> str:
    """A stopped instance whose machine somebody started behind our back."""
    ident = _stopped(cloud)
    with cloud.sessions.read() as db:
        machine = instances.machine(db, db.get_one(Instance, ident))
        host = db.scalars(select(Network.router_host_id)).one() or ""
    cloud.fleet.host(host).hypervisor.ensure_running(machine)
    return f"{ident} {host}"


def _clear(cloud: Cloud, pair: str) -> Job:
    ident, host = pair.split()
    return cloud.instance(ident, workflows.instances.clear, host_id=host)


def _nothing_runs(cloud: Cloud, pair: str) -> bool:
    ident, host = pair.split()
    return ident not in cloud.fleet.host(host).hypervisor.observe()


def _any(cloud: Cloud, _: str) -> bool:
    return True


def _last(model: type[object], state: str) -> Callable[[Cloud, str], bool]:
    return lambda cloud, _: any(row.state == state for row in cloud.all(model)[-1:])


SCENARIOS: dict[str, Scenario] = {
    "instance.deploy": Scenario(
        lambda cloud, _: cloud.deploy(),
        lambda cloud, _: [row.state for row in cloud.all(Instance)].count("Running") == 2,
        prepare=Cloud.running,
    ),
    "instance.start": Scenario(
        lambda cloud, ident: cloud.instance(ident, workflows.instances.start),
        lambda cloud, ident: _state(cloud, ident) == "Running",
        prepare=_stopped,
    ),
    "instance.stop": Scenario(
        lambda cloud, ident: cloud.instance(ident, workflows.instances.stop),
        lambda cloud, ident: _state(cloud, ident) == "Stopped",
        prepare=Cloud.running,
    ),
    "instance.reboot": Scenario(
        lambda cloud, ident: cloud.instance(ident, workflows.instances.reboot),
        lambda cloud, ident: _state(cloud, ident) == "Running",
        prepare=Cloud.running,
    ),
    "instance.destroy": Scenario(
        lambda cloud, ident: cloud.instance(ident, workflows.instances.destroy, expunge=False),
        lambda cloud, ident: _state(cloud, ident) == "Destroyed",
        prepare=Cloud.running,
    ),
    "instance.expunge": Scenario(
        lambda cloud, ident: cloud.instance(ident, workflows.instances.destroy, expunge=True),
        lambda cloud, ident: _state(cloud, ident) == "Destroyed",
        prepare=Cloud.running,
    ),
    "instance.clear": Scenario(_clear, _nothing_runs, prepare=_left_over),
    "volume.create": Scenario(lambda cloud, _: _create_volume(cloud), _any),
    "volume.attach": Scenario(_attach, _is_attached, prepare=_pair),
    "volume.detach": Scenario(
        lambda cloud, ident: cloud.of_volume(ident, workflows.volumes.detach),
        _is_detached,
        prepare=_attached,
    ),
    "volume.delete": Scenario(
        lambda cloud, ident: cloud.of_volume(ident, workflows.volumes.delete),
        lambda cloud, ident: _volume(cloud, ident) is None,
        prepare=_detached,
    ),
    "template.register": Scenario(_register, _last(Template, "Ready")),
    "template.delete": Scenario(
        _of_template(workflows.templates.delete),
        lambda cloud, ident: getattr(_template(cloud, ident), "state", "") == "Deleted",
        prepare=_second_template,
    ),
    "template.forget": Scenario(
        _of_template(workflows.templates.forget),
        lambda cloud, ident: _template(cloud, ident) is None,
        prepare=_deleted_template,
    ),
    "securitygroup.apply": Scenario(_apply, _any, prepare=_group),
    "host.connect": Scenario(_connect_host, lambda cloud, _: _third_host(cloud) == "Up"),
    "host.tell": Scenario(_tell_host, _any, prepare=Cloud.running),
    "pool.connect": Scenario(_connect_pool, lambda cloud, _: _more_pool(cloud) == "Up"),
}


def _create_volume(cloud: Cloud) -> Job:
    def act(asking: Asking) -> Job:
        return workflows.volumes.create(
            asking,
            asking.db.scalars(select(Zone)).one(),
            asking.db.scalars(select(DiskOffering)).one(),
            account_id=asking.caller.account_id,
            name="data",
            size=2**30,
            token=None,
            params={},
        )

    job: Job = cloud.ask(act)
    return job


def _third_host(cloud: Cloud) -> str:
    return str(next(host.state for host in cloud.all(Host) if host.name == "third"))


def _more_pool(cloud: Cloud) -> str:
    return str(next(pool.state for pool in cloud.all(StoragePool) if pool.name == "more"))
