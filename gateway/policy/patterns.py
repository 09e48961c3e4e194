"""Text of a policy that a request's text is compared with: wildcards and variables.

``*`` stands for any text and ``?`` for one character. In a policy of version 2012-10-17
``${aws:username}`` stands for what the request says under that key, ``${key, 'other'}`` has a
value for requests that do not say it, and ``${*}``, ``${?}`` and ``${$}`` are the bare characters.
What a variable brings in is compared as it is: a user called ``*`` is not everybody.

Matching never goes back behind a ``*`` that was passed (the leftmost find is always as good as any
other), so its time grows with the text and the longest piece between two stars, never with the
number of stars.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

Lookup = Callable[[str], Sequence[str] | None]
"""What a request says under a key, by the key's lower-case name; None when it says nothing."""

_PLAIN = re.compile(r"[*?]|[^*?]+", re.DOTALL)
_WITH_VARIABLES = re.compile(r"\$\{[^}]*\}?|[*?$]|[^*?$]+", re.DOTALL)
_VARIABLE = re.compile(r"\$\{\s*([A-Za-z0-9:./=@_+-]+)\s*(?:,\s*'([^']*)'\s*)?\}\Z")
_COLONS = 5  # of an ARN; behind the last one colons are text like any other


class Wild(Enum):
    """A wildcard."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True)
class Variable:
    """A key whose value in the request is meant; ``default`` for requests without one."""

    key: str
    default: str | None


Part = str | Wild | Variable


@dataclass(frozen=True)
class Pattern:
    """One text of a policy.

    Args:
        text: as it was written.
        arn: wildcards stay within the part of an ARN that they stand in.
    """

    text: str
    parts: tuple[Part, ...]
    arn: bool = False
    _fixed: re.Pattern[str] | None = field(default=None, compare=False, repr=False)

    @property
    def variables(self) -> frozenset[str]:
        """The keys whose values it takes in, in lower case."""
        return frozenset(part.key for part in self.parts if isinstance(part, Variable))

    @property
    def literal(self) -> bool:
        """Whether it is one text and no other."""
        return all(isinstance(part, str) for part in self.parts)

    def may_begin(self, start: str) -> bool:
        """Whether some text that begins so is meant; variables may stand for anything."""
        tokens = [token for part in self.parts for token in _tokens(part)]
        places = _onwards(tokens, {0})
        for letter in start:
            places = _onwards(tokens, {_after(tokens, at, letter) for at in places} - {-1})
        return bool(places)

    def matches(self, text: str, lookup: Lookup) -> bool:
        """Whether a request's text is one that is meant."""
        if self._fixed is not None:
            return self._fixed.match(text) is not None
        filled = _filled(self.parts, lookup)
        return filled is not None and _compiled(filled, self.arn).match(text) is not None


def pattern(
    text: str, *, variables: bool = False, wild: bool = True, arn: bool = False, lower: bool = False
) -> Pattern:
    """Read a text of a policy.

    Args:
        variables: whether ``${`` begins a variable.
        wild: whether ``*`` and ``?`` are wildcards.
        lower: compare with lower-case text only.

    Raises:
        ValueError: a variable that is none; ``str()`` of it says which.
    """
    parts = tuple(_parts(text.lower() if lower else text, variables, wild))
    bare = not any(isinstance(part, Variable) for part in parts)
    return Pattern(text, parts, arn, _compiled(parts, arn) if bare else None)


def _parts(text: str, variables: bool, wild: bool) -> Iterable[Part]:
    for found in (_WITH_VARIABLES if variables else _PLAIN).finditer(text):
        piece = found[0]
        if variables and piece.startswith("${"):
            yield _variable(piece)
        elif piece in "*?" and wild:
            yield Wild(piece)
        else:
            yield piece


def _variable(piece: str) -> Part:
    if piece in ("${*}", "${?}", "${$}"):
        return piece[2]
    found = _VARIABLE.match(piece)
    if found is None:
        raise ValueError(f"the variable {piece}")
    return Variable(found[1].lower(), found[2])


def _filled(parts: Iterable[Part], lookup: Lookup) -> tuple[Part, ...] | None:
    """With the request's values in the variables' places; None where one has none."""
    filled: list[Part] = []
    for part in parts:
        if not isinstance(part, Variable):
            filled.append(part)
            continue
        values = lookup(part.key)
        if values is not None and len(values) == 1:
            filled.append(values[0])
        elif values is None and part.default is not None:
            filled.append(part.default)
        else:
            return None
    return tuple(filled)


@lru_cache(4096)
def _compiled(parts: tuple[Part, ...], arn: bool) -> re.Pattern[str]:
    """A regular expression that never tries another way past a star.

    Kept, for one request may ask about a thousand keys, and each asks every pattern.
    """
    pieces, stars, colons = [""], list[str](), 0
    for part in parts:
        inner = "[^:]" if arn and colons < _COLONS else "."
        if part is Wild.ANY:
            stars.append(inner)
            pieces.append("")
        elif part is Wild.ONE:
            pieces[-1] += inner
        elif isinstance(part, str):
            pieces[-1] += re.escape(part)
            colons += part.count(":")
    whole = pieces[0]
    for star, piece in zip(stars[:-1], pieces[1:-1], strict=True):
        whole += f"(?>{star}*?{piece})"
    if stars:
        whole += f"{stars[-1]}*{pieces[-1]}"
    return re.compile(whole + r"\Z", re.DOTALL)


def _tokens(part: Part) -> Iterable[str | Wild]:
    """Letters and wildcards."""
    if isinstance(part, str):
        return part
    return (Wild.ANY,) if isinstance(part, Variable) else (part,)


def _onwards(tokens: Sequence[str | Wild], places: set[int]) -> set[int]:
    """With the places behind stars, which need no letter."""
    found = set(places)
    for place in places:
        at = place
        while at < len(tokens) and tokens[at] is Wild.ANY:
            at += 1
            found.add(at)
    return found


def _after(tokens: Sequence[str | Wild], at: int, letter: str) -> int:
    """The place behind one more letter; -1 where it does not fit."""
    if at == len(tokens):
        return -1
    token = tokens[at]
    if token is Wild.ANY:
        return at
    return at + 1 if token in (Wild.ONE, letter) else -1
