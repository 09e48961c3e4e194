"""What can run instances."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Page, Role, Visible, Wire
from nativeapi.registry import command
from nativeapi.views.hypervisors import HypervisorView
from orchestrator.resources.zones import HYPERVISOR
from orchestrator.schema.zones import Zone


@command("listHypervisors", role=Role.USER, since="1.0")
class ListHypervisors:
    """List the kinds of hypervisors that hosts may run."""

    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "the zone the hosts are in"] = None

    def run(self, call: Call) -> Page[HypervisorView]:
        return Page([HypervisorView(name=HYPERVISOR)], 1)
