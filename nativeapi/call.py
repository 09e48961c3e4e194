"""What a command is given besides its parameters: the transaction, and who calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from nativeapi.declare import Role
from orchestrator.resources.scope import Caller, Scope, reach
from orchestrator.schema.accounts import Account, AccountType
from orchestrator.schema.session import Session

_ROLES = {
    AccountType.USER: Role.USER,
    AccountType.DOMAIN_ADMIN: Role.DOMAIN_ADMIN,
    AccountType.ROOT_ADMIN: Role.ADMIN,
}


def rank(account: Account) -> Role:
    """What users of an account may do."""
    return _ROLES[AccountType(account.type)]


def role_of(caller: Caller) -> Role:
    """What the caller may do; a service may do less than a user."""
    return Role.SERVICE if caller.service else _ROLES[AccountType(caller.type)]


@dataclass(frozen=True)
class Call:
    """One call of one command, in one transaction.

    ``command`` is the command's name, kept with the jobs it starts; ``asked`` its parameters as
    they were sent, by lower-case name, which tell whether two requests ask for the same.
    """

    db: Session
    caller: Caller
    command: str
    asked: Mapping[str, str]

    @property
    def role(self) -> Role:
        """The caller's role."""
        return role_of(self.caller)

    @cached_property
    def scope(self) -> Scope:
        """All that the caller may reach: the own account, or for administrators what is below."""
        return reach(self.caller)
