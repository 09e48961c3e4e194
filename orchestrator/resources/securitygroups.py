"""Security groups: rules, members, and what hosts must know of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orchestrator.driver import ports
from orchestrator.faults import Fault, Kind, invalid, not_found
from orchestrator.resources.scope import Found, Scope, Window, fetch, like, owned
from orchestrator.schema.instances import Instance
from orchestrator.schema.networks import Nic
from orchestrator.schema.securitygroups import Membership, SecurityGroup, SecurityGroupRule

DEFAULT = "default"
INGRESS, EGRESS = "ingress", "egress"
MOST_RULES = 1000  # of one group; every host of a member keeps them all


@dataclass(frozen=True)
class Permission:
    """What a rule allows: ports for TCP and UDP, type and code for ICMP (-1: any)."""

    protocol: str
    first: int
    last: int


def find(db: Session, scope: Scope, ident: str) -> SecurityGroup | None:
    """A group by id."""
    statement = select(SecurityGroup).where(SecurityGroup.id == ident)
    return db.scalar(owned(statement, SecurityGroup.account_id, scope))


def find_rule(db: Session, scope: Scope, ident: str) -> SecurityGroupRule | None:
    """A rule by id, if its group is in the scope."""
    rule = db.get(SecurityGroupRule, ident)
    return rule if rule is not None and find(db, scope, rule.group_id) is not None else None


def page(
    db: Session,
    scope: Scope,
    window: Window,
    *,
    ident: str | None = None,
    name: str | None = None,
    instance_id: str | None = None,
    keyword: str | None = None,
) -> Found[SecurityGroup]:
    """Groups, by name."""
    statement = owned(select(SecurityGroup), SecurityGroup.account_id, scope)
    if ident is not None:
        statement = statement.where(SecurityGroup.id == ident)
    if name is not None:
        statement = statement.where(SecurityGroup.name == name)
    if instance_id is not None:
        mine = select(Membership.group_id).where(Membership.instance_id == instance_id)
        statement = statement.where(SecurityGroup.id.in_(mine))
    if keyword:
        statement = statement.where(like(keyword, SecurityGroup.name))
    return fetch(db, statement.order_by(SecurityGroup.name, SecurityGroup.id), window)


def named(db: Session, account_id: str, name: str) -> SecurityGroup:
    """The account's group of this name; ``default`` is made when it is first asked for.

    Raises:
        Fault: not_found.
    """
    group = db.scalar(
        select(SecurityGroup).where(
            SecurityGroup.account_id == account_id, SecurityGroup.name == name
        )
    )
    if group is None and name == DEFAULT:
        return create(db, account_id, DEFAULT, "default group")
    if group is None:
        raise not_found("securitygroup", name, field="securitygroupname")
    return group


def create(db: Session, account_id: str, name: str, description: str) -> SecurityGroup:
    """Make a group without rules: nothing comes in, everything may leave.

    Raises:
        Fault: exists.
    """
    group = SecurityGroup(name=name, description=description, account_id=account_id)
    try:
        with db.begin_nested():
            db.add(group)
    except IntegrityError:
        text = f"There already is a security group {name!r}."
        raise Fault(Kind.EXISTS, "securitygroup", text, field="name") from None
    return group


def delete(db: Session, group: SecurityGroup) -> None:
    """Remove a group and its rules.

    Raises:
        Fault: invalid for the default group; in_use, while instances are in it or other groups'
            rules name it.
    """
    if group.name == DEFAULT:
        raise invalid("securitygroup", "The default group cannot be deleted.")
    member = select(Membership).where(Membership.group_id == group.id).limit(1)
    named_by = select(SecurityGroupRule.id).where(
        SecurityGroupRule.peer_id == group.id, SecurityGroupRule.group_id != group.id
    )
    if db.scalar(member) is not None or db.scalar(named_by.limit(1)) is not None:
        text = f"The security group {group.name!r} is in use by instances or other groups."
        raise Fault(Kind.IN_USE, "securitygroup", text)
    for rule in rules(db, [group.id]):
        db.delete(rule)
    db.flush()
    db.delete(group)


def permit(
    db: Session,
    group: SecurityGroup,
    direction: str,
    permission: Permission,
    *,
    cidr: str | None = None,
    peer: SecurityGroup | None = None,
) -> SecurityGroupRule:
    """Add one rule.

    Raises:
        Fault: exists, when the very same rule is there already; limit.
    """
    rules = select(func.count()).where(SecurityGroupRule.group_id == group.id)
    if (db.scalar(rules) or 0) >= MOST_RULES:
        text = f"A security group has at most {MOST_RULES} rules."
        raise Fault(Kind.LIMIT, "securitygrouprule", text)
    rule = SecurityGroupRule(
        group_id=group.id,
        direction=direction,
        protocol=permission.protocol,
        first=permission.first,
        last=permission.last,
        source=peer.id if peer else (cidr or ""),
        cidr=cidr,
        peer_id=peer.id if peer else None,
    )
    try:
        with db.begin_nested():
            db.add(rule)
    except IntegrityError:
        text = f"The group {group.name!r} has this very rule already."
        raise Fault(Kind.EXISTS, "securitygrouprule", text) from None
    return rule


def revoke(db: Session, rule: SecurityGroupRule) -> SecurityGroup:
    """Take one rule away; the group it was in."""
    group = db.get_one(SecurityGroup, rule.group_id)
    db.delete(rule)
    db.flush()
    return group


def join(db: Session, instance_id: str, groups: Iterable[SecurityGroup]) -> None:
    """Put an instance into groups, for its life."""
    db.add_all(Membership(instance_id=instance_id, group_id=group.id) for group in groups)


def leave(db: Session, instance_id: str) -> None:
    """Take an instance out of all groups."""
    for row in db.scalars(select(Membership).where(Membership.instance_id == instance_id)):
        db.delete(row)


def rules(db: Session, group_ids: Collection[str]) -> list[SecurityGroupRule]:
    """The rules of many groups at once, oldest first."""
    wanted = SecurityGroupRule.group_id.in_(set(group_ids))
    order = (SecurityGroupRule.group_id, SecurityGroupRule.protocol, SecurityGroupRule.first)
    return list(db.scalars(select(SecurityGroupRule).where(wanted).order_by(*order)))


def many(db: Session, ids: Iterable[str | None]) -> dict[str, SecurityGroup]:
    """Many groups at once, by id."""
    rows = db.scalars(select(SecurityGroup).where(SecurityGroup.id.in_(set(ids))))
    return {group.id: group for group in rows}


def groups_of(db: Session, instance_ids: Collection[str]) -> dict[str, list[SecurityGroup]]:
    """The groups of many instances at once, by instance id."""
    members = of_instances(db, instance_ids)
    found = many(db, {group for groups in members.values() for group in groups})
    return {
        ident: sorted((found[group] for group in groups), key=lambda group: group.name)
        for ident, groups in members.items()
    }


def of_instances(db: Session, instance_ids: Collection[str]) -> dict[str, list[str]]:
    """Ids of the groups of many instances, by instance id."""
    found: dict[str, list[str]] = defaultdict(list)
    members = select(Membership.instance_id, Membership.group_id)
    for ident, group in db.execute(members.where(Membership.instance_id.in_(set(instance_ids)))):
        found[ident].append(group)
    return found


def names_of(db: Session, instance_ids: Collection[str]) -> dict[str, list[str]]:
    """Names of the groups of many instances, by instance id."""
    found = groups_of(db, instance_ids)
    return {ident: [group.name for group in groups] for ident, groups in found.items()}


def naming(db: Session, group_ids: Collection[str]) -> set[str]:
    """Groups with a rule that names one of these."""
    wanted = SecurityGroupRule.peer_id.in_(set(group_ids))
    return set(db.scalars(select(SecurityGroupRule.group_id).where(wanted).distinct()))


def hosts(db: Session, group_ids: Collection[str]) -> set[str]:
    """Hosts with a plugged port in one of these groups."""
    statement = (
        select(Nic.host_id)
        .join(Membership, Membership.instance_id == Nic.instance_id)
        .where(Membership.group_id.in_(set(group_ids)), Nic.host_id.is_not(None))
        .distinct()
    )
    return {host for host in db.scalars(statement) if host is not None}


def documents(db: Session, group_ids: Collection[str]) -> tuple[ports.Group, ...]:
    """Groups as hosts are told them, and with them, for their members, those their rules name."""
    wanted = set(group_ids)
    found = rules(db, wanted)
    wanted |= {rule.peer_id for rule in found if rule.peer_id}
    members = _members(db, wanted)
    by_group: dict[tuple[str, str], list[ports.Rule]] = defaultdict(list)
    for rule in found:
        by_group[rule.group_id, rule.direction].append(_port_rule(rule))
    return tuple(
        ports.Group(
            id=group,
            members=tuple(sorted(members.get(group, ()))),
            ingress=tuple(by_group[group, INGRESS]),
            egress=tuple(by_group[group, EGRESS]),
        )
        for group in sorted(wanted)
    )


def _members(db: Session, group_ids: Collection[str]) -> dict[str, list[IPv4Address]]:
    found: dict[str, list[IPv4Address]] = defaultdict(list)
    rows = db.execute(
        select(Membership.group_id, Nic.ip)
        .join(Nic, Nic.instance_id == Membership.instance_id)
        .join(Instance, Instance.id == Membership.instance_id)
        .where(Membership.group_id.in_(group_ids), Nic.host_id.is_not(None))
    )
    for group, ip in rows:
        found[group].append(IPv4Address(ip))
    return found


def _port_rule(rule: SecurityGroupRule) -> ports.Rule:
    return ports.Rule(
        protocol=rule.protocol,
        first=None if rule.protocol == "all" else rule.first,
        last=None if rule.protocol == "all" else rule.last,
        cidr=IPv4Network(rule.cidr) if rule.cidr else None,
        group=rule.peer_id,
    )


_NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp", "-1": "all"}
_MOST = {"tcp": 65535, "udp": 65535, "icmp": 255}


def permission(
    protocol: str, start: int | None, end: int | None, icmp_type: int | None, icmp_code: int | None
) -> Permission:
    """A permission from the parameters of a command, checked.

    Raises:
        Fault: invalid, naming the parameter; missing, for ports that are needed.
    """
    name = _NUMBERS.get(protocol, protocol.lower())
    if name == "icmp":
        kind = -1 if icmp_type is None else icmp_type
        code = -1 if icmp_code is None else icmp_code
        _within("icmptype", kind, -1, 255)
        _within("icmpcode", code, -1, 255)
        return Permission(name, kind, code)
    if name in {"tcp", "udp"}:
        if start is None:
            text = f"A {name} rule needs startport (and endport)."
            raise Fault(Kind.MISSING, "securitygrouprule", text, field="startport")
        last = start if end is None else end
        _within("startport", start, 0, _MOST[name])
        _within("endport", last, start, _MOST[name])
        return Permission(name, start, last)
    if name == "all" or (name.isascii() and name.isdigit() and int(name) <= 255):
        return Permission(name, -1, -1)
    text = f"{protocol!r} is no protocol; give tcp, udp, icmp, all or a protocol number."
    raise invalid("securitygrouprule", text, field="protocol")


def _within(field: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        text = f"{field} must be between {low} and {high}, not {value}."
        raise invalid("securitygrouprule", text, field=field)


def cidr(text: str) -> str:
    """An IPv4 range in its canonical form.

    Raises:
        Fault: invalid.
    """
    try:
        return str(IPv4Network(text.strip(), strict=False))
    except ValueError:
        words = f"{text!r} is no IPv4 range such as 10.0.0.0/8."
        raise invalid("securitygrouprule", words, field="cidrlist") from None
