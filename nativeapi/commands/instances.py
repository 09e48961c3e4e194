"""Virtual machines."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import (
    Choices,
    Job,
    Length,
    Owned,
    Page,
    Range,
    Role,
    Visible,
    Wire,
)
from nativeapi.listing import OwnedListing, ident, page
from nativeapi.ownership import OnBehalf
from nativeapi.registry import command
from nativeapi.views.instances import InstanceView, instance_views
from orchestrator.faults import Fault, Kind, invalid
from orchestrator.resources import instances, keypairs, securitygroups, templates
from orchestrator.resources.offerings import GIB
from orchestrator.schema.instances import Instance, InstanceState
from orchestrator.schema.offerings import ServiceOffering
from orchestrator.schema.securitygroups import SecurityGroup
from orchestrator.schema.templates import Template
from orchestrator.schema.zones import Host, Zone
from orchestrator.workflows import instances as work


@command("deployVirtualMachine", role=Role.USER, since="1.0")
class DeployVirtualMachine(OnBehalf):
    """Create an instance from a template and start it."""

    zone: Annotated[Visible[Zone], Wire("zoneid"), "the zone it is in"]
    offering: Annotated[Visible[ServiceOffering], Wire("serviceofferingid"), "its size"]
    template: Annotated[Visible[Template], Wire("templateid"), "the image it starts from"]
    name: Annotated[str | None, Length(1, 63), "its host name; made from its id when absent"] = None
    display_name: Annotated[str | None, "its name for people"] = None
    group: Annotated[str | None, "a name under which instances are kept together"] = None
    hypervisor: Annotated[str | None, Choices("KVM"), "what runs it"] = None
    user_data: Annotated[
        str | None, Length(1, 65536), "base64 of what the guest is told when it starts"
    ] = None
    key_pair: Annotated[str | None, "name of the SSH key pair to log in with"] = None
    host: Annotated[
        Visible[Host] | None, Wire("hostid"), "the host to run on; for administrators"
    ] = None
    security_group_ids: Annotated[
        tuple[Owned[SecurityGroup], ...], "the security groups it is in, by id"
    ] = ()
    security_group_names: Annotated[
        tuple[str, ...], "the security groups it is in, by name; default when neither is given"
    ] = ()
    root_disk_size: Annotated[
        int | None, Range(1, 2**20), "size of the root disk in GB; the template's when absent"
    ] = None
    start_vm: Annotated[bool, "must be true: an instance starts when it is made"] = True
    client_token: Annotated[
        str | None, Length(1, 128), "makes the same request twice one request"
    ] = None

    def run(self, call: Call) -> Job[InstanceView]:
        if not self.start_vm:
            text = "An instance starts when it is made; stop it afterwards."
            raise invalid("virtualmachine", text, field="startvm")
        owner = self.owner(call)
        wish = instances.Wish(
            account_id=owner,
            zone=self.zone,
            template=self.template,
            offering=self.offering,
            root_size=templates.root_size(self.template, self.zone, self._root_bytes()),
            name=self.name,
            display_name=self.display_name,
            group=self.group,
            keypair=keypairs.named(call.db, owner, self.key_pair) if self.key_pair else None,
            user_data=self._user_data(call),
            groups=self._groups(call, owner),
            host_id=self._host(call),
        )
        job = work.deploy(call, wish, self.client_token, call.asked)
        return Job(job.id, created=job.resource_id)

    def _root_bytes(self) -> int | None:
        return None if self.root_disk_size is None else self.root_disk_size * GIB

    def _host(self, call: Call) -> str | None:
        if self.host is not None and call.role is not Role.ADMIN:
            text = "Only an administrator may choose the host."
            raise Fault(Kind.FORBIDDEN, "host", text, field="hostid")
        return ident(self.host)

    def _user_data(self, call: Call) -> bytes | None:
        if self.user_data is None:
            return None
        try:
            data = base64.b64decode("".join(self.user_data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise invalid("virtualmachine", "User data must be base64.", "userdata") from None
        return instances.check_user_data(call.db, data)

    def _groups(self, call: Call, owner: str) -> Sequence[SecurityGroup]:
        if self.security_group_ids and self.security_group_names:
            text = "Give security groups by id or by name, not both."
            raise invalid("securitygroup", text, field="securitygroupnames")
        if any(group.account_id != owner for group in self.security_group_ids):
            text = "A security group belongs to another account."
            raise invalid("securitygroup", text, field="securitygroupids")
        names = self.security_group_names or (securitygroups.DEFAULT,)
        chosen = self.security_group_ids or [
            securitygroups.named(call.db, owner, name) for name in names
        ]
        return list({group.id: group for group in chosen}.values())


@command("startVirtualMachine", role=Role.USER, since="1.0")
class StartVirtualMachine:
    """Start a stopped instance."""

    instance: Annotated[Owned[Instance], Wire("id"), "the instance"]

    def run(self, call: Call) -> Job[InstanceView]:
        return Job(work.start(call, self.instance).id)


@command("stopVirtualMachine", role=Role.USER, since="1.0")
class StopVirtualMachine:
    """Stop a running instance; its disks and address stay."""

    instance: Annotated[Owned[Instance], Wire("id"), "the instance"]
    forced: Annotated[bool, "pull the plug instead of asking the guest to power off"] = False

    def run(self, call: Call) -> Job[InstanceView]:
        return Job(work.stop(call, self.instance, forced=self.forced).id)


@command("rebootVirtualMachine", role=Role.USER, since="1.0")
class RebootVirtualMachine:
    """Reset a running instance."""

    instance: Annotated[Owned[Instance], Wire("id"), "the instance"]

    def run(self, call: Call) -> Job[InstanceView]:
        return Job(work.reboot(call, self.instance).id)


@command("destroyVirtualMachine", role=Role.USER, since="1.0")
class DestroyVirtualMachine:
    """End an instance. Its root disk and address are freed at once, or after a while."""

    instance: Annotated[Owned[Instance], Wire("id"), "the instance"]
    expunge: Annotated[bool, "free everything at once"] = False

    def run(self, call: Call) -> Job[InstanceView]:
        return Job(work.destroy(call, self.instance, expunge=self.expunge).id)


@command("listVirtualMachines", role=Role.USER, since="1.0")
class ListVirtualMachines(OwnedListing):
    """List instances. Destroyed ones are shown when asked for by id or by state."""

    instance: Annotated[Owned[Instance] | None, Wire("id"), "the instance"] = None
    ids: Annotated[tuple[Owned[Instance], ...], "the instances"] = ()
    name: Annotated[str | None, "a part of the instance's name"] = None
    state: Annotated[InstanceState | None, "only instances in this state"] = None
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "only instances of this zone"] = None
    template: Annotated[
        Visible[Template] | None, Wire("templateid"), "only instances of this template"
    ] = None
    host: Annotated[
        Visible[Host] | None, Wire("hostid"), "only instances on this host; for administrators"
    ] = None
    group: Annotated[str | None, "only instances kept under this name"] = None

    def run(self, call: Call) -> Page[InstanceView]:
        if self.host is not None and call.role is not Role.ADMIN:
            text = "Only an administrator may ask by host."
            raise Fault(Kind.FORBIDDEN, "host", text, field="hostid")
        named = self.ids if self.instance is None else (self.instance, *self.ids)
        found = instances.page(
            call.db,
            self.scope(call, named),
            self.window(call),
            ids={row.id for row in named},
            name=self.name,
            state=self.state,
            zone_id=ident(self.zone),
            template_id=ident(self.template),
            host_id=ident(self.host),
            group=self.group,
            keyword=self.keyword,
        )
        return page(call, found, instance_views)
