"""Domains, accounts and users on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from nativeapi.call import Call, rank
from nativeapi.declare import Role, View
from nativeapi.references import noun
from orchestrator.resources import accounts
from orchestrator.schema.accounts import Account, Domain, User


class DomainView(View, noun="domain"):
    """A domain."""

    id: Annotated[str, "the domain's id"]
    name: Annotated[str, "the domain's name"]
    level: Annotated[int, "how deep it lies; ROOT is 0"]
    parentdomainid: Annotated[str | None, "the domain it lies in"]
    path: Annotated[str, "the names of all domains down to it"]


class UserView(View, noun="user"):
    """A user."""

    id: Annotated[str, "the user's id"]
    username: Annotated[str, "the name to log in with"]
    firstname: Annotated[str, "first name"]
    lastname: Annotated[str, "last name"]
    email: Annotated[str, "mail address"]
    created: Annotated[datetime, "when the user was made"]
    state: Annotated[str, "enabled, disabled or locked"]
    account: Annotated[str, "the account's name"]
    accounttype: Annotated[int, "0 user, 1 root administrator, 2 domain administrator"]
    domainid: Annotated[str, "the domain's id"]
    domain: Annotated[str, "the domain's name"]
    apikey: Annotated[str | None, "access key"]
    secretkey: Annotated[str | None, "secret key"]
    accountid: Annotated[str, "the account's id"]


class AccountView(View, noun="account"):
    """An account and its users."""

    id: Annotated[str, "the account's id"]
    name: Annotated[str, "the account's name"]
    accounttype: Annotated[int, "0 user, 1 root administrator, 2 domain administrator"]
    domainid: Annotated[str, "the domain's id"]
    domain: Annotated[str, "the domain's name"]
    state: Annotated[str, "enabled, disabled or locked"]
    user: Annotated[tuple[UserView, ...], "its users"]


class KeysView(View, noun="userkeys"):
    """A user's keys."""

    apikey: Annotated[str, "access key"]
    secretkey: Annotated[str, "secret key"]


def may_act_as(call: Call, account: Account) -> bool:
    """Whether the caller may have the keys of an account's users."""
    return call.role is Role.SERVICE or rank(account) <= call.role


def domain_views(_call: Call, rows: Sequence[Domain]) -> list[DomainView]:
    """Domains."""
    return [
        DomainView(
            id=row.id,
            name=row.name,
            level=row.level,
            parentdomainid=row.parent_id,
            path=row.path,
        )
        for row in rows
    ]


def user_view(call: Call, user: User, account: Account, domain: str) -> UserView:
    """A user of an account in a domain of this name.

    The secret key is left out where it would give the caller more power than the caller has: an
    administrator of the root domain is not the root administrator. The state is the account's
    where that is worse: a user of a disabled account cannot act.
    """
    return UserView(
        id=user.id,
        username=user.username,
        firstname=user.firstname,
        lastname=user.lastname,
        email=user.email,
        created=user.created,
        state=user.state if account.state == "enabled" else account.state,
        account=account.name,
        accounttype=account.type,
        domainid=account.domain_id,
        domain=domain,
        apikey=user.api_key,
        secretkey=user.secret_key if may_act_as(call, account) else None,
        accountid=account.id,
    )


def user_views(call: Call, rows: Sequence[User]) -> list[UserView]:
    """Users, with their accounts and domains."""
    ids = {row.account_id for row in rows}
    owners = accounts.owners(call.db, ids)
    found = accounts.many(call.db, ids)
    return [
        user_view(call, row, found[row.account_id], owners[row.account_id].domain) for row in rows
    ]


def account_views(call: Call, rows: Sequence[Account]) -> list[AccountView]:
    """Accounts, with their domains and users."""
    ids = [row.id for row in rows]
    owners = accounts.owners(call.db, ids)
    users = accounts.users_of(call.db, ids)
    return [
        AccountView(
            id=row.id,
            name=row.name,
            accounttype=row.type,
            domainid=row.domain_id,
            domain=owners[row.id].domain,
            state=row.state,
            user=tuple(user_view(call, user, row, owners[row.id].domain) for user in users[row.id]),
        )
        for row in rows
    ]


noun(Domain, DomainView, "domain", owned=accounts.find_domain, views=domain_views)
noun(Account, AccountView, "account", owned=accounts.find_account, views=account_views)
noun(User, UserView, "user", owned=accounts.find_user, views=user_views)
