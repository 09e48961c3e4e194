"""Domains, accounts, users and their keys."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Owned, Page, Range, Role, Wire
from nativeapi.listing import Listing, OwnedListing, ident, page
from nativeapi.registry import command
from nativeapi.views.accounts import (
    AccountView,
    DomainView,
    KeysView,
    UserView,
    account_views,
    domain_views,
    may_act_as,
    user_views,
)
from orchestrator.faults import not_found
from orchestrator.resources import accounts
from orchestrator.schema.accounts import Account, Domain, User


@command("listDomains", role=Role.DOMAIN_ADMIN, since="1.0")
class ListDomains(Listing):
    """List the domains that the caller administers."""

    domain: Annotated[Owned[Domain] | None, Wire("id"), "the domain"] = None
    name: Annotated[str | None, "the domain's name"] = None
    list_all: Annotated[bool, "accepted for old clients; all domains in reach are listed"] = False

    def run(self, call: Call) -> Page[DomainView]:
        found = accounts.page_domains(
            call.db,
            call.scope,
            self.window(call),
            ident=ident(self.domain),
            name=self.name,
            keyword=self.keyword,
        )
        return page(call, found, domain_views)


@command("createAccount", role=Role.ADMIN, since="1.0")
class CreateAccount:
    """Create an account and its first user."""

    account_type: Annotated[
        int, Range(0, 2), "0 user, 1 root administrator, 2 domain administrator"
    ]
    account: Annotated[str | None, "the account's name; the user's when absent"] = None
    domain: Annotated[
        Owned[Domain] | None, Wire("domainid"), "the domain; the caller's own when absent"
    ] = None
    username: Annotated[str, "name of its first user"]
    password: Annotated[str, "password of its first user"]
    first_name: Annotated[str, "first name of its first user"]
    last_name: Annotated[str, "last name of its first user"]
    email: Annotated[str, "mail address of its first user"]

    def run(self, call: Call) -> AccountView:
        account = accounts.create_account(
            call.db,
            name=self.account or self.username,
            type=self.account_type,
            domain_id=self.domain.id if self.domain else call.caller.domain_id,
        )
        accounts.create_user(
            call.db,
            account,
            username=self.username,
            password=self.password,
            firstname=self.first_name,
            lastname=self.last_name,
            email=self.email,
        )
        return account_views(call, [account])[0]


@command("listAccounts", role=Role.USER, since="1.0")
class ListAccounts(OwnedListing):
    """List accounts, with their users."""

    chosen: Annotated[Owned[Account] | None, Wire("id"), "the account"] = None
    name: Annotated[str | None, "the account's name"] = None
    account_type: Annotated[int | None, Range(0, 2), "only accounts of this type"] = None
    state: Annotated[str | None, "only accounts in this state"] = None

    def run(self, call: Call) -> Page[AccountView]:
        found = accounts.page_accounts(
            call.db,
            self.scope(call, self.chosen),
            self.window(call),
            ident=ident(self.chosen),
            name=self.name,
            type=self.account_type,
            state=self.state,
            keyword=self.keyword,
        )
        return page(call, found, account_views)


@command("createUser", role=Role.ADMIN, since="1.0")
class CreateUser:
    """Create a user of an account that exists."""

    account: Annotated[str, "the account's name"]
    domain: Annotated[
        Owned[Domain] | None, Wire("domainid"), "its domain; the caller's own when absent"
    ] = None
    username: Annotated[str, "the name to log in with"]
    password: Annotated[str, "the password"]
    first_name: Annotated[str, "first name"]
    last_name: Annotated[str, "last name"]
    email: Annotated[str, "mail address"]

    def run(self, call: Call) -> UserView:
        domain_id = self.domain.id if self.domain else None
        user = accounts.create_user(
            call.db,
            accounts.named(call.db, call.caller, self.account, domain_id),
            username=self.username,
            password=self.password,
            firstname=self.first_name,
            lastname=self.last_name,
            email=self.email,
        )
        return user_views(call, [user])[0]


@command("listUsers", role=Role.DOMAIN_ADMIN, since="1.0")
class ListUsers(OwnedListing):
    """List users."""

    user: Annotated[Owned[User] | None, Wire("id"), "the user"] = None
    username: Annotated[str | None, "the name to log in with"] = None

    def run(self, call: Call) -> Page[UserView]:
        found = accounts.page_users(
            call.db,
            self.scope(call, self.user),
            self.window(call),
            ident=ident(self.user),
            username=self.username,
            keyword=self.keyword,
        )
        return page(call, found, user_views)


@command("getUser", role=Role.ADMIN, service=True, reads=True, since="1.0")
class GetUser:
    """Look up the user who has an access key."""

    user_api_key: Annotated[str, "the access key"]

    def run(self, call: Call) -> UserView:
        identity = accounts.identify(call.db, self.user_api_key)
        if identity is None or identity.user.service:
            raise not_found("user", self.user_api_key, field="userapikey")
        return user_views(call, [identity.user])[0]


@command("registerUserKeys", role=Role.USER, since="1.0")
class RegisterUserKeys:
    """Give a user a new pair of keys; the old pair is worth nothing from then on."""

    user: Annotated[Owned[User], Wire("id"), "the user"]

    def run(self, call: Call) -> KeysView:
        account = accounts.many(call.db, [self.user.account_id])[self.user.account_id]
        if not may_act_as(call, account):
            raise not_found("user", self.user.id, field="id")
        accounts.register_keys(self.user)
        return KeysView(apikey=self.user.api_key or "", secretkey=self.user.secret_key or "")
