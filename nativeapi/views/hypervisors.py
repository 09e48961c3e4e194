"""Hypervisors on the wire."""

from typing import Annotated

from nativeapi.declare import View


class HypervisorView(View, noun="hypervisor"):
    """A kind of hypervisor."""

    name: Annotated[str, "its name"]
