"""The one percent-encoding that signatures are computed over (RFC 3986, upper-case hex)."""

from urllib.parse import quote, unquote_to_bytes

Pairs = list[tuple[str, str]]


def encode(text: str | bytes, keep: str = "") -> str:
    """Encode all but letters, digits, ``-_.~`` and the characters in ``keep``."""
    return quote(text, safe="-_.~" + keep)


def canonical_query(query: str, without: frozenset[str] = frozenset()) -> str:
    """Decode a raw query string (bytes spelled in Latin-1), encode it canonically and sort it.

    ``without`` names parameters (decoded) to leave out, as the signature itself.
    """
    pairs = []
    for token in query.encode("latin-1").split(b"&"):
        if not token:
            continue
        name, _, value = token.partition(b"=")
        key = unquote_to_bytes(name.replace(b"+", b" "))
        if key.decode("utf-8", "replace") in without:
            continue
        pairs.append((encode(key), encode(unquote_to_bytes(value.replace(b"+", b" ")))))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))
