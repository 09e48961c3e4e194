"""Permissions: the rules of security groups. A request is done as a whole or not at all."""

from collections.abc import Callable, Iterable, Mapping

from gateway import ids
from gateway.ec2 import rules
from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault, not_found
from gateway.ec2.listing import Listing
from gateway.ec2.operations.securitygroups import DEFAULT, find, no_such
from gateway.ec2.registry import Reply, operation
from gateway.ec2.rules import Pair, Permission, Rule
from gateway.ec2.views import securitygroups as views
from gateway.native import NativeFault
from gateway.native_calls import Rule as NativeRule
from gateway.native_calls import SecurityGroup

_COMMENTS = {
    "IpPermissions.IpRanges.Description": "a comment; native rules have none",
    "IpPermissions.UserIdGroupPairs.Description": "a comment; native rules have none",
}


@operation("AuthorizeSecurityGroupIngress", ignores=_COMMENTS)
def authorize_security_group_ingress(
    ask: Ask,
    group_id: str | None = None,
    group_name: str | None = None,
    ip_permissions: list[Permission] | None = None,
    ip_protocol: str | None = None,
    from_port: int | None = None,
    to_port: int | None = None,
    cidr_ip: str | None = None,
    source_security_group_name: str | None = None,
    source_security_group_owner_id: str | None = None,
) -> Reply:
    """Let something come in to the members of a group."""
    source = (cidr_ip, source_security_group_name, source_security_group_owner_id)
    flat = rules.flat(ip_protocol, from_port, to_port, *source)
    group = find(ask, group_id, group_name)
    return _authorize(ask, group, [*(ip_permissions or ()), *flat], egress=False)


@operation("AuthorizeSecurityGroupEgress", ignores=_COMMENTS)
def authorize_security_group_egress(
    ask: Ask, group_id: str, ip_permissions: list[Permission]
) -> Reply:
    """Let something go out from the members of a group; from the first rule on, nothing else."""
    return _authorize(ask, find(ask, group_id, None), ip_permissions, egress=True)


@operation("RevokeSecurityGroupIngress", ignores=_COMMENTS)
def revoke_security_group_ingress(
    ask: Ask,
    group_id: str | None = None,
    group_name: str | None = None,
    ip_permissions: list[Permission] | None = None,
    security_group_rule_ids: list[str] | None = None,
    ip_protocol: str | None = None,
    from_port: int | None = None,
    to_port: int | None = None,
    cidr_ip: str | None = None,
    source_security_group_name: str | None = None,
    source_security_group_owner_id: str | None = None,
) -> Reply:
    """Take rules for what comes in away."""
    source = (cidr_ip, source_security_group_name, source_security_group_owner_id)
    flat = rules.flat(ip_protocol, from_port, to_port, *source)
    group = find(ask, group_id, group_name)
    permissions = [*(ip_permissions or ()), *flat]
    return _revoke(ask, group, permissions, security_group_rule_ids or [], egress=False)


@operation("RevokeSecurityGroupEgress", ignores=_COMMENTS)
def revoke_security_group_egress(
    ask: Ask,
    group_id: str,
    ip_permissions: list[Permission] | None = None,
    security_group_rule_ids: list[str] | None = None,
) -> Reply:
    """Take rules for what goes out away; without any rule everything may leave."""
    group = find(ask, group_id, None)
    return _revoke(ask, group, ip_permissions or [], security_group_rule_ids or [], egress=True)


@operation(
    "DescribeSecurityGroupRules",
    listing=Listing(
        items=("SecurityGroupRules",),
        key="SecurityGroupRuleId",
        ids=("SecurityGroupRuleIds",),
        filters={"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"},
    ),
)
def describe_security_group_rules(
    ask: Ask, security_group_rule_ids: list[str] | None = None
) -> Reply:
    """The rules of the caller's security groups, one by one."""
    found = {
        shown["SecurityGroupRuleId"]: shown
        for group in ask.native.list_security_groups()
        for egress in (False, True)
        for shown in _every(ask, group, egress)
    }
    wanted = [ids.ec2("sgr", ids.native("sgr", one)) for one in security_group_rule_ids or ()]
    for one in wanted:
        if one not in found:
            raise not_found("sgr", one)
    return {"SecurityGroupRules": [found[one] for one in wanted] or list(found.values())}


def _authorize(
    ask: Ask, group: SecurityGroup, permissions: list[Permission], *, egress: bool
) -> Reply:
    wanted = rules.wanted(permissions, _namer(ask))
    before = _there(group, egress)
    for place, rule in enumerate(wanted):
        if rule in before or rule in wanted[:place]:
            raise Ec2Fault(
                "InvalidPermission.Duplicate", f"The specified rule '{rule}' already exists."
            )
    try:
        for rule in wanted:
            _permit(ask, group, rule, egress=egress)
    except NativeFault:
        made = _there(find(ask, None, group["name"]), egress)
        _forbid(ask, [made[rule] for rule in wanted if rule in made], egress=egress)
        raise
    made = _there(find(ask, None, group["name"]), egress)
    shown = [rule for rule in wanted if rule in made]
    return {"Return": True, "SecurityGroupRules": _shown(ask, group, shown, made, egress)}


def _revoke(
    ask: Ask,
    group: SecurityGroup,
    permissions: list[Permission],
    rule_ids: list[str],
    *,
    egress: bool,
) -> Reply:
    there = _there(group, egress)
    wanted = rules.wanted(permissions, _namer(ask)) if permissions or not rule_ids else []
    wanted += _by_id(there, rule_ids)
    for rule in wanted:
        if rule not in there:
            raise Ec2Fault(
                "InvalidPermission.NotFound",
                f"The specified rule '{rule}' does not exist in this security group.",
            )
    once = list(dict.fromkeys(wanted))
    _forbid(ask, [there[rule] for rule in once], egress=egress)
    shown = _shown(ask, group, once, there, egress)
    return {"Return": True, "RevokedSecurityGroupRules": [views.revoked(one) for one in shown]}


def _there(group: SecurityGroup, egress: bool) -> dict[Rule, NativeRule]:
    return rules.of_native(group.get("egressrule", ()) if egress else group.get("ingressrule", ()))


def _by_id(there: Mapping[Rule, NativeRule], given: Iterable[str]) -> list[Rule]:
    by_id = {row["ruleid"]: rule for rule, row in there.items()}
    found = []
    for one in given:
        native = ids.native("sgr", one)
        if native not in by_id:
            raise not_found("sgr", one)
        found.append(by_id[native])
    return found


def _permit(ask: Ask, group: SecurityGroup, rule: Rule, *, egress: bool) -> None:
    """One native rule; the default group may not exist before its first rule names it."""
    call = ask.native.authorize_security_group_ingress
    if egress:
        call = ask.native.authorize_security_group_egress
    allowed, icmp = rule.traffic, rule.traffic.protocol == "icmp"
    call(
        securitygroupid=group.get("id"),
        securitygroupname=None if "id" in group else group["name"],
        protocol="all" if allowed.protocol == "-1" else allowed.protocol,
        startport=None if icmp else allowed.first,
        endport=None if icmp else allowed.last,
        icmptype=allowed.first if icmp else None,
        icmpcode=allowed.last if icmp else None,
        cidrlist=[rule.cidr] if rule.cidr else None,
        usersecuritygrouplist=(
            [{"account": ask.caller.account, "group": rule.group}] if rule.group else None
        ),
    )


def _forbid(ask: Ask, rows: Iterable[NativeRule], *, egress: bool) -> None:
    call = ask.native.revoke_security_group_ingress
    if egress:
        call = ask.native.revoke_security_group_egress
    for row in rows:
        call(id=row["ruleid"])


def _shown(
    ask: Ask,
    group: SecurityGroup,
    which: Iterable[Rule],
    rows: Mapping[Rule, NativeRule],
    egress: bool,
) -> list[Reply]:
    owner = ids.owner(ask.caller.account_id)
    group_id = ids.ec2("sg", group["id"]) if "id" in group else None
    return [views.rule(owner, group_id, egress, rows[rule]) for rule in which]


def _every(ask: Ask, group: SecurityGroup, egress: bool) -> list[Reply]:
    there = _there(group, egress)
    return _shown(ask, group, there, there, egress)


def _namer(ask: Ask) -> Callable[[Pair], str]:
    """Finds the names of source groups, which are the caller's own; asks for them only once."""
    known = list[SecurityGroup]()

    def name_of(pair: Pair) -> str:
        if pair.get("UserId") not in (None, ids.owner(ask.caller.account_id), ask.caller.account):
            raise Ec2Fault(
                "InvalidGroup.NotFound",
                f"The account {pair['UserId']} has no security group that can be named here.",
            )
        known[:] = known or ask.native.list_security_groups()
        if "GroupId" in pair:
            native = ids.native("sg", pair["GroupId"])
            name = next((row["name"] for row in known if row["id"] == native), None)
            if name is None:
                raise not_found("sg", pair["GroupId"])
            return name
        name = pair.get("GroupName", "")
        if name != DEFAULT and all(row["name"] != name for row in known):
            raise no_such(name)
        return name

    return name_of
