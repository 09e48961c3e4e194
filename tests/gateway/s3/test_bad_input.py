"""Whatever is wrong with a request is the client's fault, and leaves nothing behind.

Every operation that is declared gets every kind of nonsense wherever it takes something; operations
that are new get it by themselves.
"""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest

from gateway.s3 import registry
from gateway.s3.protocol import places
from tests.gateway.s3.asked import NAMES, Asked, Kept, ask, furnish
from tests.gateway.s3.servers import ALICE, Server

NONSENSE = ("", "9" * 30, "\xe9" * 1500, '"a",,${b}=&<c>')
NO_TEXT = ("%ff", "%00%0d%0a", "%F0%9F%98%80")
VALUES = (b"", b"-1", b"9" * 30, b"x" * 3000, b"&#13;&#10;", b"<a/>", b"9999-12-31T23:59:59-12:00")


@pytest.fixture(scope="module")
def server(lonely: Server) -> Server:
    """Nothing happens there but what is asked here."""
    return lonely


def headers(name: str, asked: Asked) -> Iterator[Asked]:
    """Nonsense in each header that the operation takes, and bytes that are no text."""
    expected = places.incoming(registry.OPERATIONS[name].model)
    names = [*expected.headers, *(f"{place.wire}x" for place in expected.prefixed)]
    for header in set(names) - {"content-length", "content-md5"}:
        for value in (*NONSENSE, "\xff\xfe"):
            yield asked.with_header(header, value)


def queries(name: str, asked: Asked) -> Iterator[Asked]:
    """Nonsense in each parameter, bytes that are no text, and each parameter twice."""
    for parameter in places.incoming(registry.OPERATIONS[name].model).query:
        for value in NONSENSE:
            yield asked.with_query(parameter, value)
        for value in NO_TEXT:
            bare = tuple((n, v) for n, v in asked.query if n != parameter)
            yield Asked(
                asked.method, asked.path, bare, asked.headers, asked.body, f"{parameter}={value}"
            )
    for parameter, value in asked.query:
        yield Asked(
            asked.method,
            asked.path,
            (*asked.query, (parameter, f"{value}x")),
            asked.headers,
            asked.body,
        )


def documents(name: str, asked: Asked) -> Iterator[Asked]:
    """Documents that are none, that lack something, or have too much of it."""
    if registry.OPERATIONS[name].document is None:
        return
    body = asked.body
    for whole in (b"<", b"<x/>", b"\xff\xfe", b"null", b'{"a": 1}', body[: len(body) // 2]):
        yield asked.with_body(whole)
    yield asked.with_body(body.decode().encode("utf-16"))
    yield asked.with_body(body + body)
    yield asked.with_body(b'<!DOCTYPE a [<!ENTITY b "c">]>' + body)
    leaves = list(re.finditer(rb"<([A-Za-z]+)[^<>]*>([^<>]*)</\1>", body))
    for leaf in leaves:
        yield asked.with_body(body[: leaf.start()] + body[leaf.end() :])
        yield asked.with_body(body[: leaf.end()] + leaf[0] + body[leaf.end() :])
        for value in VALUES:
            yield asked.with_body(body[: leaf.start(2)] + value + body[leaf.end(2) :])


@pytest.mark.parametrize("name", NAMES)
def test_nonsense_is_refused_as_such_and_nothing_of_it_is_stored(
    server: Server, store: Kept, name: str
) -> None:
    asked = ask(name, furnish(server, f"nonsense-{uuid4().hex[:12]}"))
    store.changed()
    for variants in (headers, queries, documents):
        for index, variant in enumerate(variants(name, asked)):
            answer = variant.send(server, ALICE)
            changed, what = store.changed(), (variants.__name__, index, variant)
            assert answer.status < 500 or answer.code == "NotImplemented", what
            assert answer.status < 300 or not changed, what
