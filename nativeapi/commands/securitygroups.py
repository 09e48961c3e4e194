"""Security groups and their rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Done, Entry, Fields, Job, Owned, Page, Role, Wire
from nativeapi.listing import OwnedListing, ident, page
from nativeapi.ownership import OnBehalf
from nativeapi.registry import command
from nativeapi.views.securitygroups import SecurityGroupView, security_group_views
from orchestrator.faults import Fault, Kind, invalid
from orchestrator.resources import accounts, securitygroups
from orchestrator.resources.securitygroups import EGRESS, INGRESS
from orchestrator.schema.instances import Instance
from orchestrator.schema.securitygroups import SecurityGroup, SecurityGroupRule
from orchestrator.workflows import securitygroups as work


@command("createSecurityGroup", role=Role.USER, since="1.0")
class CreateSecurityGroup(OnBehalf):
    """Create a security group without rules: nothing comes in, everything may leave."""

    name: Annotated[str, "the group's name"]
    description: Annotated[str, "what it is for"] = ""

    def run(self, call: Call) -> SecurityGroupView:
        if self.name == securitygroups.DEFAULT:
            raise invalid("securitygroup", "The name 'default' is reserved.", field="name")
        group = securitygroups.create(call.db, self.owner(call), self.name, self.description)
        return security_group_views(call, [group])[0]


@command("deleteSecurityGroup", role=Role.USER, since="1.0")
class DeleteSecurityGroup(OnBehalf):
    """Delete a security group that nothing uses, named by its id or its name."""

    group: Annotated[Owned[SecurityGroup] | None, Wire("id"), "the group"] = None
    name: Annotated[str | None, "the group's name"] = None

    def run(self, call: Call) -> Done:
        group = _named(call, self.group, self.name, self.owner(call), "name")
        securitygroups.delete(call.db, group)
        return Done()


@command("listSecurityGroups", role=Role.USER, since="1.0")
class ListSecurityGroups(OwnedListing):
    """List security groups, with their rules."""

    group: Annotated[Owned[SecurityGroup] | None, Wire("id"), "the group"] = None
    name: Annotated[str | None, Wire("securitygroupname"), "the group's name"] = None
    instance: Annotated[
        Owned[Instance] | None, Wire("virtualmachineid"), "only groups this instance is in"
    ] = None

    def run(self, call: Call) -> Page[SecurityGroupView]:
        found = securitygroups.page(
            call.db,
            self.scope(call, self.group, self.instance),
            self.window(call),
            ident=ident(self.group),
            name=self.name,
            instance_id=ident(self.instance),
            keyword=self.keyword,
        )
        return page(call, found, security_group_views)


@dataclass(frozen=True, kw_only=True)
class Authorization(OnBehalf):
    """Parameters of a new rule; one row is made for every range and every group."""

    group: Annotated[Owned[SecurityGroup] | None, Wire("securitygroupid"), "the group"] = None
    group_name: Annotated[str | None, Wire("securitygroupname"), "the group's name"] = None
    protocol: Annotated[str, "tcp, udp, icmp, all or a protocol number"] = "all"
    start_port: Annotated[int | None, "the first port"] = None
    end_port: Annotated[int | None, "the last port; the first when absent"] = None
    icmp_type: Annotated[int | None, "type of ICMP messages; -1 any"] = None
    icmp_code: Annotated[int | None, "code of ICMP messages; -1 any"] = None
    cidr_list: Annotated[tuple[str, ...], "ranges of addresses"] = ()
    user_security_group_list: Annotated[
        tuple[Entry, ...], Fields("account", "group"), "groups, by account and name"
    ] = ()

    def permit(self, call: Call, direction: str) -> Job[SecurityGroupView]:
        """Add the rules, and start bringing them to the hosts."""
        owner = self.owner(call)
        group = _named(call, self.group, self.group_name, owner, "securitygroupname")
        permission = securitygroups.permission(
            self.protocol, self.start_port, self.end_port, self.icmp_type, self.icmp_code
        )
        if not self.cidr_list and not self.user_security_group_list:
            text = "Give cidrlist or usersecuritygrouplist."
            raise Fault(Kind.MISSING, "securitygrouprule", text, field="cidrlist")
        for text in self.cidr_list:
            cidr = securitygroups.cidr(text)
            securitygroups.permit(call.db, group, direction, permission, cidr=cidr)
        for peer in self._peers(call, owner):
            securitygroups.permit(call.db, group, direction, permission, peer=peer)
        return Job(work.apply(call, group).id)

    def _peers(self, call: Call, owner: str) -> Iterator[SecurityGroup]:
        for entry in self.user_security_group_list:
            if "group" not in entry:
                text = "Every entry of usersecuritygrouplist needs a group."
                raise invalid("securitygrouprule", text, field="usersecuritygrouplist")
            account = entry.get("account")
            mine = (
                owner if account is None else accounts.named(call.db, call.caller, account, None).id
            )
            yield securitygroups.named(call.db, mine, entry["group"])


@command("authorizeSecurityGroupIngress", role=Role.USER, since="1.0")
class AuthorizeSecurityGroupIngress(Authorization):
    """Let something come in to the members of a security group."""

    def run(self, call: Call) -> Job[SecurityGroupView]:
        return self.permit(call, INGRESS)


@command("authorizeSecurityGroupEgress", role=Role.USER, since="1.0")
class AuthorizeSecurityGroupEgress(Authorization):
    """Let something go out from the members of a security group, and from then on nothing else."""

    def run(self, call: Call) -> Job[SecurityGroupView]:
        return self.permit(call, EGRESS)


@command(
    "revokeSecurityGroupIngress",
    role=Role.USER,
    since="1.0",
    envelope="revokesecuritygroupingress",
)
class RevokeSecurityGroupIngress:
    """Take away a rule for what comes in."""

    rule: Annotated[Owned[SecurityGroupRule], Wire("id"), "the rule"]

    def run(self, call: Call) -> Job[Done]:
        return _revoke(call, self.rule, INGRESS)


@command(
    "revokeSecurityGroupEgress",
    role=Role.USER,
    since="1.0",
    envelope="revokesecuritygroupegress",
)
class RevokeSecurityGroupEgress:
    """Take away a rule for what goes out."""

    rule: Annotated[Owned[SecurityGroupRule], Wire("id"), "the rule"]

    def run(self, call: Call) -> Job[Done]:
        return _revoke(call, self.rule, EGRESS)


def _revoke(call: Call, rule: SecurityGroupRule, direction: str) -> Job[Done]:
    if rule.direction != direction:
        raise invalid("securitygrouprule", f"The rule is one for {rule.direction}.", field="id")
    return Job(work.apply(call, securitygroups.revoke(call.db, rule)).id)


def _named(
    call: Call, group: SecurityGroup | None, name: str | None, owner: str, field: str
) -> SecurityGroup:
    """The group that one of two parameters names."""
    if (group is None) == (name is None):
        text = f"Name the security group by its id or by {field}, one of them."
        kind = Kind.MISSING if group is None else Kind.INVALID
        raise Fault(kind, "securitygroup", text, field=field)
    return group or securitygroups.named(call.db, owner, name or "")
