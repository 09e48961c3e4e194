"""What every list command takes: paging, a keyword, and whose objects are meant.

A user lists the own account. Administrators list their own account too unless they say ``listall``,
``account`` or ``domainid``, or name an object by its id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol, TypeVar

from nativeapi.call import Call
from nativeapi.declare import Owned, Page, Role, Wire
from orchestrator.faults import invalid
from orchestrator.resources import accounts, configuration
from orchestrator.resources.scope import Found, Scope, Window
from orchestrator.schema.accounts import Domain

Row = TypeVar("Row")
Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Parameters of every list command."""

    page: Annotated[int | None, "number of the page, from 1; goes with pagesize"] = None
    page_size: Annotated[int | None, "objects in a page; -1 for all of them"] = None
    keyword: Annotated[str | None, "text that an object's names must contain"] = None

    def window(self, call: Call) -> Window:
        """Which rows are wanted.

        Raises:
            Fault: (invalid) page and pagesize do not go together, or are out of bounds.
        """
        most = configuration.integer(call.db, "default.page.size")
        if self.page_size == -1:
            return self._everything()
        if self.page is None and self.page_size is None:
            return Window(0, most)
        if self.page is None or self.page_size is None:
            text = "Page and pagesize go together: give both or neither."
            raise invalid("command", text, "page" if self.page is None else "pagesize")
        if not 1 <= self.page_size <= most:
            raise invalid("command", f"The page size must lie between 1 and {most}.", "pagesize")
        if self.page < 1:
            raise invalid("command", "Pages are numbered from 1.", "page")
        return Window((self.page - 1) * self.page_size, self.page_size)

    def matches(self, *texts: str) -> bool:
        """Whether the keyword is in one of these texts, for lists that are no query."""
        return self.keyword is None or any(self.keyword.lower() in x.lower() for x in texts)

    def _everything(self) -> Window:
        if self.page is not None:
            raise invalid("command", "Without a page size there are no pages.", "page")
        return Window(0, None)


@dataclass(frozen=True, kw_only=True)
class OwnedListing(Listing):
    """Parameters of commands that list things that belong to accounts."""

    list_all: Annotated[bool, "everything the caller may see"] = False
    account: Annotated[str | None, "only what this account owns"] = None
    domain: Annotated[
        Owned[Domain] | None, Wire("domainid"), "the account's domain, or only what is in it"
    ] = None
    is_recursive: Annotated[bool, "with domainid: also what is in domains below it"] = False

    def scope(self, call: Call, *named: object) -> Scope:
        """Whose objects are listed.

        Args:
            call: the call.
            named: filters that name objects; one that is given lifts the narrowing to the own
                account, because the object was found in the caller's reach already.
        """
        if self.account is not None:
            domain_id = self.domain.id if self.domain else None
            account = accounts.named(call.db, call.caller, self.account, domain_id)
            return Scope(account_id=account.id)
        if call.role <= Role.USER or self.list_all or any(named):
            return call.scope if self.domain is None else self._domain(call, self.domain)
        if self.domain is not None:
            return self._domain(call, self.domain)
        return Scope(account_id=call.caller.account_id)

    def _domain(self, call: Call, domain: Domain) -> Scope:
        if call.role <= Role.USER:
            return call.scope
        if self.is_recursive or self.list_all:
            return Scope(domain_path=domain.path)
        return Scope(domain_id=domain.id)


class Named(Protocol):
    """A row with an id."""

    @property
    def id(self) -> str:
        """The row's id."""
        ...


def ident(row: Named | None) -> str | None:
    """The id of an object that a filter may name."""
    return None if row is None else row.id


def slice_of(rows: Sequence[Row], wanted: Callable[[Row], bool], window: Window) -> Found[Row]:
    """The window's part of the wanted rows, for lists that are no query."""
    chosen = [row for row in rows if wanted(row)]
    end = None if window.limit is None else window.offset + window.limit
    return Found(chosen[window.offset : end], len(chosen))


def page(
    call: Call, found: Found[Row], views: Callable[[Call, Sequence[Row]], Sequence[Seen]]
) -> Page[Seen]:
    """The answer of a list command: the rows found, as views."""
    return Page(views(call, found.rows), found.total)
