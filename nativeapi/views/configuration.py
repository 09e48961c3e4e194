"""Global configuration parameters on the wire."""

from typing import Annotated

from nativeapi.declare import View
from orchestrator.resources.configuration import Parameter


class ConfigurationView(View, noun="configuration"):
    """A global configuration parameter."""

    category: Annotated[str, "the group it belongs to"]
    name: Annotated[str, "its name"]
    value: Annotated[str, "its value in force"]
    description: Annotated[str, "what it is for"]


def configuration_view(parameter: Parameter, value: str) -> ConfigurationView:
    """A parameter and its value in force."""
    return ConfigurationView(
        category=parameter.category,
        name=parameter.name,
        value=value,
        description=parameter.help,
    )
