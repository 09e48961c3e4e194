"""Global configuration parameters."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Length, Page, Role
from nativeapi.listing import Listing, slice_of
from nativeapi.registry import command
from nativeapi.views.configuration import ConfigurationView, configuration_view
from orchestrator.resources import configuration
from orchestrator.resources.configuration import PARAMETERS, Parameter


@command("listConfigurations", role=Role.ADMIN, since="1.0")
class ListConfigurations(Listing):
    """List the global configuration parameters."""

    category: Annotated[str | None, "only parameters of this group"] = None
    name: Annotated[str | None, "the parameter's name"] = None

    def run(self, call: Call) -> Page[ConfigurationView]:
        values = configuration.values(call.db)
        declared = [PARAMETERS[name] for name in sorted(PARAMETERS)]
        found = slice_of(declared, self._wants, self.window(call))
        return Page([configuration_view(x, values[x.name]) for x in found.rows], found.total)

    def _wants(self, row: Parameter) -> bool:
        return (
            self.name in (None, row.name)
            and self.category in (None, row.category)
            and self.matches(row.name)
        )


@command("updateConfiguration", role=Role.ADMIN, since="1.0")
class UpdateConfiguration:
    """Change a global configuration parameter."""

    name: Annotated[str, "the parameter's name"]
    value: Annotated[str, Length(0, 4095), "its new value"]

    def run(self, call: Call) -> ConfigurationView:
        configuration.change(call.db, self.name, self.value)
        return configuration_view(PARAMETERS[self.name], configuration.text(call.db, self.name))
