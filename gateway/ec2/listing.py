"""Filters and pages, done once for every listing.

An operation that lists answers with everything; what it has to do with ``Filter.N``, ``MaxResults``
and ``NextToken`` is only declared::

    Listing(
        items=("Reservations", "Instances"),
        key="InstanceId",
        ids=("InstanceIds",),
        filters={"instance-state-name": "State.Name", "owner-id": "^OwnerId"},
    )

``items`` is where the items are in the reply: lists within lists are pruned from the inside out.
A filter's path leads from an item through structures and lists to texts; ``^`` starts at the list
entry that encloses the item. Values of one filter are alternatives, filters must all hold; ``*`` is
any text, ``?`` one character, a backslash takes their power away.
"""

import base64
import binascii
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.ec2.faults import Ec2Fault, bad_value, combination

MOST = 1000
Item = dict[str, Any]
Test = Callable[[Item, Item], bool]


@dataclass(frozen=True)
class Listing:
    """What can be filtered and paged in an operation's reply.

    Args:
        items: members that lead to the items, each a list.
        key: the member of an item that names it; pages continue after it.
        ids: members of the input that ask for certain items, which exclude pages.
        filters: name of a filter → path of what it looks at.
        spell: how the value of a filter is respelled before it is compared, by filter.
    """

    items: tuple[str, ...]
    key: str
    ids: tuple[str, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    spell: Mapping[str, Callable[[str], str]] = field(default_factory=dict)

    def apply(self, given: Mapping[str, Any], reply: Item) -> Item:
        """The part of a reply that a request asks for.

        Raises:
            Ec2Fault: an unknown filter, a page size or a token that cannot be.
        """
        tests = self._tests(given.get("Filters", ()))
        page = _page(given, self.ids)
        if tests:
            reply = _prune(
                reply, self.items, lambda item, above: all(t(item, above) for t in tests)
            )
        return page.cut(self, reply) if page else reply

    def _tests(self, asked: Sequence[Item]) -> list[Test]:
        return [self._test(one) for one in asked]

    def _test(self, asked: Item) -> Test:
        name = asked.get("Name", "")
        if name not in self.filters:
            known = ", ".join(sorted(self.filters))
            raise Ec2Fault(
                "InvalidParameterValue", f"The filter '{name}' is invalid. Known filters: {known}."
            )
        spell = self.spell.get(name, str)
        # An empty value is not given, so a filter without values looks for empty ones.
        patterns = [_pattern(spell(value)) for value in asked.get("Values", ("",))]
        path = tuple(self.filters[name].lstrip("^").split("."))
        above = self.filters[name].startswith("^")

        def test(item: Item, enclosing: Item) -> bool:
            texts = _texts(enclosing if above else item, path) or [""]
            return any(pattern(text) for pattern in patterns for text in texts)

        return test


@dataclass(frozen=True)
class Page:
    """At most ``size`` items, from ``start`` on or after the item called ``after``."""

    size: int
    start: int
    after: str

    def cut(self, listing: Listing, reply: Item) -> Item:
        """The items of this page, and NextToken when there are more."""
        keys = [str(item[listing.key]) for item in _items(reply, listing.items)]
        start = keys.index(self.after) + 1 if self.after in keys else self.start
        wanted = frozenset(range(start, start + self.size))
        number = iter(range(len(keys)))
        cut = _prune(reply, listing.items, lambda _item, _above: next(number) in wanted)
        if start + self.size < len(keys):
            token = f"{start + self.size}:{keys[start + self.size - 1]}"
            cut["NextToken"] = base64.urlsafe_b64encode(token.encode()).decode()
        return cut


def _page(given: Mapping[str, Any], ids: tuple[str, ...]) -> Page | None:
    size, token = given.get("MaxResults"), given.get("NextToken")
    if size is None and token is None:
        return None
    for name in ids:
        if name in given:
            raise combination(f"MaxResults and NextToken cannot be used together with {name}.")
    if size is not None and not 1 <= size <= MOST:
        raise bad_value("MaxResults", str(size), f"It must be between 1 and {MOST}.")
    start, after = _opened(token) if token else (0, "")
    return Page(size or MOST, start, after)


def _opened(token: str) -> tuple[int, str]:
    try:
        start, _, after = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        return int(start), after
    except (ValueError, binascii.Error):
        raise bad_value("NextToken", token, "It must be one that this operation gave.") from None


def _items(reply: Item, path: tuple[str, ...]) -> list[Item]:
    found = [reply]
    for name in path:
        found = [below for item in found for below in item.get(name, ())]
    return found


def _prune(reply: Item, path: tuple[str, ...], keep: Test) -> Item:
    """A copy with only the items to keep; an outer list loses the entries that became empty."""
    name, *deeper = path
    if not deeper:
        return {**reply, name: [item for item in reply.get(name, ()) if keep(item, reply)]}
    below = [_prune(item, tuple(deeper), keep) for item in reply.get(name, ())]
    return {**reply, name: [item for item in below if item[deeper[0]]]}


def _texts(value: Any, path: tuple[str, ...]) -> list[str]:
    """Everything at a path, as the texts that filters compare."""
    if isinstance(value, list):
        return [text for item in value for text in _texts(item, path)]
    if path:
        below = value.get(path[0])
        return [] if below is None else _texts(below, path[1:])
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, datetime):
        return [f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"]
    return [str(value)]


def _pattern(value: str) -> Callable[[str], bool]:
    if not any(c in value for c in "*?\\"):
        return value.__eq__
    return functools.partial(_matches, _tokens(value))


def _tokens(value: str) -> list[str | None]:
    """The pattern's characters; "" is one of any kind, None any number of them."""
    found = list[str | None]()
    letters = iter(value)
    for letter in letters:
        if letter == "*":
            found.append(None)
        else:
            found.append("" if letter == "?" else next(letters, "\\") if letter == "\\" else letter)
    return found


def _matches(tokens: list[str | None], text: str) -> bool:
    """Whether the whole text fits. Only the last star is ever widened, so time is bounded."""
    at = here = 0
    star, resume = -1, 0
    while here < len(text):
        if at < len(tokens) and tokens[at] is None:
            star, resume, at = at, here, at + 1
        elif at < len(tokens) and tokens[at] in ("", text[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return all(token is None for token in tokens[at:])
