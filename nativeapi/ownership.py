"""For whom something is made or removed: the caller, or an account the caller administers."""

from dataclasses import dataclass
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Owned, Wire
from orchestrator.resources import accounts
from orchestrator.schema.accounts import Domain


@dataclass(frozen=True, kw_only=True)
class OnBehalf:
    """Parameters of every command that acts for an account."""

    account: Annotated[str | None, "the account it is for; the caller's own when absent"] = None
    domain: Annotated[
        Owned[Domain] | None, Wire("domainid"), "the account's domain; the caller's when absent"
    ] = None

    def owner(self, call: Call) -> str:
        """The id of the account that owns what the command is about.

        Raises:
            Fault: not_found, also for an account that the caller does not administer.
        """
        if self.account is None:
            return call.caller.account_id
        domain_id = self.domain.id if self.domain else None
        return accounts.named(call.db, call.caller, self.account, domain_id).id
