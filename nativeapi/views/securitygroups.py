"""Security groups and their rules on the wire."""

from collections.abc import Sequence
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import View
from nativeapi.references import noun
from orchestrator.resources import accounts, securitygroups
from orchestrator.resources.accounts import Owner
from orchestrator.resources.securitygroups import EGRESS, INGRESS
from orchestrator.schema.securitygroups import SecurityGroup, SecurityGroupRule


class RuleView(View, noun="ingressrule"):
    """A rule: what may come in, or go out."""

    ruleid: Annotated[str, "the rule's id"]
    protocol: Annotated[str, "tcp, udp, icmp, all or a protocol number"]
    icmptype: Annotated[int | None, "type of ICMP messages; -1 any"]
    icmpcode: Annotated[int | None, "code of ICMP messages; -1 any"]
    startport: Annotated[int | None, "the first port"]
    endport: Annotated[int | None, "the last port"]
    securitygroupname: Annotated[str | None, "the group whose members it admits"]
    securitygroupid: Annotated[str | None, "that group's id"]
    account: Annotated[str | None, "the account that owns that group"]
    cidr: Annotated[str | None, "the range of addresses it admits"]


class SecurityGroupView(View, noun="securitygroup"):
    """A security group and its rules."""

    id: Annotated[str, "the group's id"]
    name: Annotated[str, "the group's name"]
    description: Annotated[str, "what it is for"]
    account: Annotated[str, "the account that owns it"]
    domainid: Annotated[str, "the owner's domain"]
    domain: Annotated[str, "the name of the owner's domain"]
    ingressrule: Annotated[tuple[RuleView, ...], "what may come in"]
    egressrule: Annotated[tuple[RuleView, ...], "what may go out; everything when there is none"]


def security_group_views(call: Call, rows: Sequence[SecurityGroup]) -> list[SecurityGroupView]:
    """Security groups, with their rules."""
    rules = securitygroups.rules(call.db, {row.id for row in rows})
    peers = securitygroups.many(call.db, {rule.peer_id for rule in rules})
    concerned = {row.account_id for row in (*rows, *peers.values())}
    owners = accounts.owners(call.db, concerned)
    return [
        SecurityGroupView(
            id=row.id,
            name=row.name,
            description=row.description,
            account=owners[row.account_id].account,
            domainid=owners[row.account_id].domain_id,
            domain=owners[row.account_id].domain,
            ingressrule=_rules(row, INGRESS, rules, peers, owners),
            egressrule=_rules(row, EGRESS, rules, peers, owners),
        )
        for row in rows
    ]


def _rules(
    group: SecurityGroup,
    direction: str,
    rules: Sequence[SecurityGroupRule],
    peers: dict[str, SecurityGroup],
    owners: dict[str, Owner],
) -> tuple[RuleView, ...]:
    return tuple(
        _rule(rule, peers.get(rule.peer_id or ""), owners)
        for rule in rules
        if rule.group_id == group.id and rule.direction == direction
    )


def _rule(
    rule: SecurityGroupRule, peer: SecurityGroup | None, owners: dict[str, Owner]
) -> RuleView:
    icmp = rule.protocol == "icmp"
    ports = rule.protocol in ("tcp", "udp")
    return RuleView(
        ruleid=rule.id,
        protocol=rule.protocol,
        icmptype=rule.first if icmp else None,
        icmpcode=rule.last if icmp else None,
        startport=rule.first if ports else None,
        endport=rule.last if ports else None,
        securitygroupname=peer.name if peer else None,
        securitygroupid=peer.id if peer else None,
        account=owners[peer.account_id].account if peer else None,
        cidr=rule.cidr,
    )


noun(
    SecurityGroup,
    SecurityGroupView,
    "securitygroup",
    owned=securitygroups.find,
    views=security_group_views,
)
noun(SecurityGroupRule, None, "securitygrouprule", owned=securitygroups.find_rule)
