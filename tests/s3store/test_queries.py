"""How often the index is asked, however much there is in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from s3store.records import Bucket, Choice, Doomed
from s3store.store import Store

pytestmark = pytest.mark.parametrize("kind", ["inline", "mariadb"])

Asked = list[str]


@contextmanager
def counted(store: Store) -> Iterator[Asked]:
    """The statements a store sends meanwhile, those about transactions left out."""
    seen: Asked = []
    ours = ("SELECT", "INSERT", "UPDATE", "DELETE")

    def note(statement: str) -> None:
        if statement.lstrip().startswith(ours):
            seen.append(statement)

    def listen(driver: Any, *_: Any) -> None:
        driver.set_trace_callback(note)

    def execute(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        note(statement)

    store.close()  # so that connections are taken from the pool again
    sqlite = store.index.engine.dialect.name == "sqlite"
    how: tuple[str, Any] = ("checkout", listen) if sqlite else ("before_cursor_execute", execute)
    event.listen(store.index.engine, *how)
    try:
        yield seen
    finally:
        event.remove(store.index.engine, *how)
        store.close()


def test_bucket_and_object_are_found_with_their_content_in_one_question(
    store: Store, bucket: Bucket
) -> None:
    version = store.put(bucket, "k", [b"small"])
    with counted(store) as asked:
        assert store.find("bucket", "k") == (bucket, version)
    assert len(asked) == 1
    with counted(store) as asked:
        there, opened = store.find_open("bucket", "k", "null")
        assert (there, b"".join(opened.read())) == (bucket, b"small")
        opened.close()
    assert len(asked) == 1


def test_an_object_of_many_parts_is_opened_in_two_questions(store: Store, bucket: Bucket) -> None:
    upload = store.create_upload(bucket, "k")
    choices = [Choice(n, store.put_part(upload, n, [b"x" * 10]).etag) for n in range(1, 30)]
    store.complete_upload(upload, choices)
    with counted(store) as asked, store.open(bucket, "k") as opened:
        assert len(b"".join(opened.read())) == 290
    assert len(asked) == 2
    with counted(store) as asked, store.open(bucket, "k") as opened:
        assert len(b"".join(opened.read(5, 20))) == 20
    assert len(asked) == 1


def test_a_page_of_a_listing_is_one_question_whatever_was_deleted(
    store: Store, versioned: Bucket
) -> None:
    for number in range(40):
        store.put(versioned, f"k{number:02}", [b"x"])
        store.put(versioned, f"k{number:02}", [b"y"])
        if number < 35:
            store.delete(versioned, f"k{number:02}")
    with counted(store) as asked:
        assert [e.key for e in store.list(versioned).entries] == [
            b"k%02d" % number for number in range(35, 40)
        ]
    assert len(asked) == 1
    with counted(store) as asked:
        assert len(store.list_versions(versioned).entries) == 40 * 2 + 35
    assert len(asked) == 1


def test_a_small_upload_is_one_transaction_of_few_statements(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "k", [b"x"])
    commits: list[int] = []
    event.listen(store.index.engine, "commit", lambda _: commits.append(1))
    with counted(store) as asked:
        store.put(bucket, "new", [b"x"])
    assert (len(asked), len(commits)) == (6, 1)
    with counted(store) as asked:
        store.put(bucket, "k", [b"y"])
    assert len(asked) == 7


def test_deleting_many_is_one_transaction(
    store: Store, bucket: Bucket, sound: Callable[[], None]
) -> None:
    for number in range(10):
        store.put(bucket, f"k{number}", [b"x"])
    commits: list[int] = []
    event.listen(store.index.engine, "commit", lambda _: commits.append(1))
    store.delete_all(bucket, [Doomed(f"k{number}") for number in range(10)])
    assert len(commits) == 1
    sound()
