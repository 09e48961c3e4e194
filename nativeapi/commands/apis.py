"""Discovery: which commands there are, read off their declarations."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Page, Role
from nativeapi.registry import COMMANDS, command
from nativeapi.views.apis import ApiView, api
from orchestrator.faults import not_found


@command("listApis", role=Role.USER, since="1.0")
class ListApis:
    """List the commands that the caller may use, with parameters and answers."""

    name: Annotated[str | None, "only the command of this name"] = None

    def run(self, call: Call) -> Page[ApiView]:
        offered = {x.name: x for x in COMMANDS.values() if x.allows(call.role)}
        if self.name is not None and self.name not in offered:
            raise not_found("command", self.name, field="name")
        chosen = [offered[name] for name in sorted(offered) if self.name in (None, name)]
        return Page([api(entry, offered) for entry in chosen], len(chosen))
