"""A whole cloud without its web servers: rows, simulated hosts, and a runner."""

import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestrator import workflows
from orchestrator.driver.memory.fleet import MemoryFleet, memory_fleet
from orchestrator.driver.memory.world import World
from orchestrator.engine.pool import Pool
from orchestrator.engine.runner import Runner, Witness
from orchestrator.resources import (
    accounts,
    hosts,
    instances,
    networks,
    offerings,
    pools,
    templates,
    volumes,
    zones,
)
from orchestrator.resources.scope import Caller
from orchestrator.schema import Base
from orchestrator.schema.accounts import Account, Domain
from orchestrator.schema.base import now
from orchestrator.schema.instances import Instance
from orchestrator.schema.jobs import Job
from orchestrator.schema.offerings import DiskOffering, ServiceOffering
from orchestrator.schema.session import Sessions
from orchestrator.schema.templates import Template
from orchestrator.schema.volumes import Volume
from orchestrator.schema.zones import Cluster, Zone
from tests.audit import audit

GIB = 1024**3


@dataclass(frozen=True)
class Asking:
    """A request of a user."""

    db: Session
    caller: Caller
    command: str = "test"


@dataclass
class Cloud:
    """A provisioned cloud: one zone, two hosts, one template, one account."""

    sessions: Sessions
    world: World
    fleet: MemoryFleet

    @classmethod
    def over(cls, sessions: Sessions, world: World) -> "Cloud":
        """The cloud of a database and its hosts."""
        return cls(sessions, world, memory_fleet(world))

    @cached_property
    def caller(self) -> Caller:
        """The one account's user."""
        with self.sessions.read() as db:
            owner = db.scalars(select(Account)).one()
        return Caller("user", owner.id, owner.name, owner.domain_id, "/", type=1)

    def close(self) -> None:
        """Let go of the database and the hosts."""
        self.sessions.close()
        self.world.close()

    def ask(self, act: Callable[[Asking], Any]) -> Any:
        """Do something in the transaction of a request, and give back what it returned."""
        with self.sessions.write() as db:
            return act(Asking(db, self.caller))

    def run(self, witness: Witness | None = None, *, hasty: bool = True) -> None:
        """Run jobs until none is left; pauses between tries are cut short."""
        runner = Runner(self.sessions, self.fleet)
        if witness is not None:
            runner = dataclasses.replace(runner, witness=witness)
        pool = Pool(runner, "test", 1, 0.01)
        while pool.drain() or (hasty and self._hurry()):
            pass

    def _hurry(self) -> bool:
        """Make postponed jobs due."""
        with self.sessions.write() as db:
            waiting = list(db.scalars(select(Job).where(Job.not_before > now())))
            for job in waiting:
                job.not_before = now()
            return bool(waiting)

    def job(self, ident: str) -> Job:
        """A job as it stands."""
        with self.sessions.read() as db:
            return db.scalars(select(Job).where(Job.id == ident)).one()

    def all(self, model: type[Any]) -> list[Any]:
        """All rows of a table."""
        with self.sessions.read() as db:
            return list(db.scalars(select(model)))

    def audit(self) -> list[str]:
        """What leaked or is stuck."""
        return audit(self.sessions, self.fleet)

    # -- the usual requests ------------------------------------------------------------------

    def deploy(self, **wish: Any) -> Job:
        """Ask for an instance."""

        def act(asking: Asking) -> Job:
            db = asking.db
            wanted = instances.Wish(
                account_id=self.caller.account_id,
                zone=db.scalars(select(Zone)).one(),
                template=db.scalars(select(Template)).one(),
                offering=db.scalars(select(ServiceOffering)).one(),
                root_size=GIB,
                **wish,
            )
            return workflows.instances.deploy(asking, wanted, None, {})

        job: Job = self.ask(act)
        return job

    def running(self) -> str:
        """A running instance's id."""
        ident = self.deploy().resource_id
        self.run()
        return ident

    def instance(self, ident: str, verb: Callable[..., Job], **options: Any) -> Job:
        """Ask something of an instance."""
        job: Job = self.ask(
            lambda asking: verb(asking, asking.db.get_one(Instance, ident), **options)
        )
        return job

    def volume(self) -> str:
        """A fresh data volume's id."""

        def act(asking: Asking) -> str:
            db = asking.db
            offering = db.scalars(select(DiskOffering)).one()
            zone = db.scalars(select(Zone)).one()
            owner = self.caller.account_id
            return volumes.create(db, owner, zone, offering, name="data", size=GIB).id

        ident: str = self.ask(act)
        return ident

    def attach(self, volume: str, instance: str) -> Job:
        """Ask for a volume to be plugged in."""
        job: Job = self.ask(
            lambda asking: workflows.volumes.attach(
                asking,
                asking.db.get_one(Volume, volume),
                asking.db.get_one(Instance, instance),
                None,
            )
        )
        return job

    def of_volume(self, ident: str, verb: Callable[..., Job], **options: Any) -> Job:
        """Ask something of a volume."""
        job: Job = self.ask(
            lambda asking: verb(asking, asking.db.get_one(Volume, ident), **options)
        )
        return job


def _account(cloud: Cloud) -> None:
    with cloud.sessions.write() as db:
        root = Domain(name="ROOT", path="/", level=0)
        db.add(root)
        db.flush()
        accounts.create_account(db, name="alice", type=1, domain_id=root.id)


def _infrastructure(asking: Asking) -> None:
    db = asking.db
    zone = zones.create(
        db,
        name="zone",
        network_type="Basic",
        security_groups=True,
        dns1="10.46.0.1",
        dns2=None,
        internal_dns1="10.46.0.1",
        domain=None,
        allocation="Enabled",
    )
    pod = zones.create_pod(
        db,
        zone,
        name="pod",
        gateway="10.45.0.1",
        netmask="255.255.255.0",
        start_ip="10.45.0.10",
        end_ip="10.45.0.20",
    )
    cluster = zones.create_cluster(db, pod, name="cluster", hypervisor="KVM")
    for number in range(2):
        host = hosts.create(db, cluster, f"http://host{number}")
        workflows.hosts.connect(asking, host)
    network = networks.create(
        db,
        zone,
        asking.caller.account_id,
        name="guests",
        display_text="guests",
        offering=networks.OFFERINGS[0],
    )
    networks.create_range(
        db,
        network,
        pod,
        gateway="10.46.0.1",
        netmask="255.255.0.0",
        first="10.46.0.10",
        last="10.46.255.250",
    )


def _storage(asking: Asking) -> None:
    db = asking.db
    cluster = db.scalars(select(Cluster)).one()
    zone = db.scalars(select(Zone)).one()
    for pool in (
        pools.create_primary(db, cluster, name="primary", url="file:///primary"),
        pools.create_image_store(db, zone, name="images", url="file:///images"),
    ):
        workflows.pools.connect(asking, pool)


def _offers(asking: Asking) -> None:
    db = asking.db
    offerings.create_service(
        db, name="m1.small", display_text="small", cpus=1, mhz=500, memory_mib=512
    )
    offerings.create_disk(db, name="Custom", display_text="custom", size_gib=None, custom=True)
    workflows.templates.register(asking, new_template(asking, "tiny"))


def new_template(asking: Asking, name: str) -> Template:
    """Record a template."""
    return templates.create(
        asking.db,
        asking.caller,
        asking.db.scalars(select(Zone)).one(),
        name=name,
        display_text=name,
        url=f"http://images.example/{name}.qcow2",
        format="QCOW2",
        checksum="",
        os_type="Debian",
        public=True,
        featured=True,
        extractable=False,
    )


def open_cloud(folder: Path, sessions: Sessions | None = None) -> Cloud:
    """A fresh provisioned cloud, its database and its hosts in a folder."""
    database = sessions or Sessions(f"sqlite:///{folder / 'cloud.sqlite'}")
    Base.metadata.create_all(database.engine)
    cloud = Cloud.over(database, World(folder / "world"))
    _account(cloud)
    for act in (_infrastructure, _storage, _offers):
        cloud.ask(act)
        cloud.run()
    return cloud


def copy_cloud(original: Path, folder: Path) -> Cloud:
    """A cloud that goes on where a closed one in another folder ended."""
    shutil.copytree(original, folder, dirs_exist_ok=True)
    database = Sessions(f"sqlite:///{folder / 'cloud.sqlite'}")
    return Cloud.over(database, World(folder / "world"))
