"""Instances: how one is reserved, listed and given back."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from orchestrator.driver import ports
from orchestrator.faults import Fault, Kind, invalid
from orchestrator.ids import ec2_id
from orchestrator.resources import configuration, hosts, networks, pools, securitygroups, volumes
from orchestrator.resources.scope import Found, Scope, Window, fetch, like, owned
from orchestrator.schema.instances import Instance, InstanceState
from orchestrator.schema.keypairs import KeyPair
from orchestrator.schema.networks import Nic
from orchestrator.schema.offerings import ServiceOffering
from orchestrator.schema.securitygroups import SecurityGroup
from orchestrator.schema.templates import Template
from orchestrator.schema.zones import Zone

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LARGE = (defer(Instance.user_data, raiseload=True), defer(Instance.public_key, raiseload=True))
_HIDDEN = (InstanceState.DESTROYED, InstanceState.EXPUNGING)


@dataclass(frozen=True)
class Wish:
    """What a caller asks for when deploying an instance, already looked up and checked."""

    account_id: str
    zone: Zone
    template: Template
    offering: ServiceOffering
    root_size: int
    name: str | None = None
    display_name: str | None = None
    group: str | None = None
    keypair: KeyPair | None = None
    user_data: bytes | None = None
    groups: Sequence[SecurityGroup] = ()
    host_id: str | None = None


@dataclass(frozen=True)
class Surroundings:
    """What views show around many instances, fetched in a fixed number of queries."""

    templates: dict[str, Template]
    offerings: dict[str, ServiceOffering]
    nics: dict[str, list[Nic]]
    groups: dict[str, list[SecurityGroup]]
    hosts: dict[str, str]


def find(db: Session, scope: Scope, ident: str) -> Instance | None:
    """An instance by id, destroyed ones too."""
    statement = select(Instance).where(Instance.id == ident)
    return db.scalar(owned(statement, Instance.account_id, scope))


def page(
    db: Session,
    scope: Scope,
    window: Window,
    *,
    ids: Collection[str] = (),
    name: str | None = None,
    state: str | None = None,
    zone_id: str | None = None,
    template_id: str | None = None,
    host_id: str | None = None,
    group: str | None = None,
    keyword: str | None = None,
) -> Found[Instance]:
    """Instances, oldest first. Destroyed ones only when asked for by id or by state.

    Their user data and public keys are not read: a list may be long, and these are large.
    """
    statement = owned(select(Instance).options(*_LARGE), Instance.account_id, scope)
    if ids:
        statement = statement.where(Instance.id.in_(ids))
    elif state is None:
        statement = statement.where(Instance.state.not_in(_HIDDEN))
    for column, value in (
        (Instance.state, state),
        (Instance.zone_id, zone_id),
        (Instance.template_id, template_id),
        (Instance.host_id, host_id),
        (Instance.group, group),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if name is not None:
        statement = statement.where(like(name, Instance.name, Instance.display_name))
    if keyword:
        matching = like(keyword, Instance.name, Instance.display_name, Instance.state)
        statement = statement.where(matching)
    return fetch(db, statement.order_by(Instance.created, Instance.id), window)


def surroundings(db: Session, rows: Sequence[Instance]) -> Surroundings:
    """Everything around these instances."""
    ids = [row.id for row in rows]
    templates = select(Template).where(Template.id.in_({row.template_id for row in rows}))
    offerings = select(ServiceOffering).where(
        ServiceOffering.id.in_({row.offering_id for row in rows})
    )
    return Surroundings(
        templates={template.id: template for template in db.scalars(templates)},
        offerings={offering.id: offering for offering in db.scalars(offerings)},
        nics=networks.nics(db, ids),
        groups=securitygroups.groups_of(db, ids),
        hosts=hosts.names(db, {row.host_id for row in rows}),
    )


def reserve(db: Session, wish: Wish) -> Instance:
    """Everything an instance needs, in rows: capacity, address, root volume, memberships.

    Raises:
        Fault: no_capacity, exists (the name), invalid (the name).
    """
    instance = Instance(
        name="",
        display_name="",
        account_id=wish.account_id,
        zone_id=wish.zone.id,
        template_id=wish.template.id,
        offering_id=wish.offering.id,
        state=InstanceState.STARTING,
        cpus=wish.offering.cpus,
        mhz=wish.offering.mhz,
        memory=wish.offering.memory,
        keypair=wish.keypair.name if wish.keypair else None,
        public_key=wish.keypair.public_key if wish.keypair else None,
        user_data=wish.user_data,
        group=wish.group,
    )
    db.add(instance)
    db.flush()
    instance.name = _name(db, instance, wish.name)
    instance.display_name = wish.display_name or instance.name
    hosts.reserve(db, instance, wish.host_id)
    networks.plug(db, networks.guest_network(db, wish.zone), instance.id)
    volumes.add_root(db, instance, wish.root_size, pools.primary(db, wish.zone.id))
    securitygroups.join(db, instance.id, wish.groups)
    db.flush()
    return instance


def give_back(db: Session, instance: Instance) -> None:
    """Free what an instance holds in rows, its data volumes included; the row itself stays."""
    hosts.release(db, instance)
    networks.release(db, instance.id)
    securitygroups.leave(db, instance.id)
    volumes.part(db, instance.id)
    db.flush()


def machine(db: Session, instance: Instance) -> ports.Machine:
    """The instance as the hypervisor knows it."""
    nics = networks.nics(db, [instance.id]).get(instance.id, [])
    return ports.Machine(
        id=instance.id,
        name=instance.name,
        cpus=instance.cpus,
        memory=instance.memory,
        disks=tuple(volumes.disk(db, volume) for volume in volumes.of(db, instance.id)),
        nics=tuple(networks.card(nic) for nic in nics),
    )


def check_user_data(db: Session, data: bytes) -> bytes:
    """User data that is not too long.

    Raises:
        Fault: invalid.
    """
    most = configuration.integer(db, "vm.user.data.max")
    if len(data) > most:
        text = f"User data may have at most {most} bytes, not {len(data)}."
        raise invalid("virtualmachine", text, field="userdata")
    return data


def _name(db: Session, instance: Instance, wanted: str | None) -> str:
    """The wanted name if it is a free host name; without one, the id as EC2 spells it."""
    if wanted is None:
        return ec2_id("i", instance.id)
    if not _LABEL.fullmatch(wanted):
        text = "The name must be a host name: letters, digits and hyphens, 63 at most."
        raise invalid("virtualmachine", text, field="name")
    twin = select(Instance.id).where(
        Instance.name == wanted,
        Instance.zone_id == instance.zone_id,
        Instance.expunged.is_(None),
        Instance.id != instance.id,
    )
    if db.scalar(twin.limit(1)) is not None:
        text = f"There already is an instance named {wanted!r} in the zone."
        raise Fault(Kind.EXISTS, "virtualmachine", text, field="name")
    return wanted
