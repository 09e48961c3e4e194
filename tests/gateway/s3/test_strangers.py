"""Whatever can be asked is refused to strangers, and so is what will be: nothing is listed here."""

from typing import Any

import pytest

from gateway.credentials import Caller
from tests.gateway.s3.asked import NAMES, Kept, ask, furnish
from tests.gateway.s3.servers import ALICE, BOB, Server

PUBLIC = {
    ("ListBuckets", BOB.username): (200, ""),
    ("CreateBucket", BOB.username): (409, "BucketAlreadyExists"),
    ("DeleteObjects", BOB.username): (200, "AccessDenied"),
    ("DeleteObjects", ""): (200, "AccessDenied"),
}
"""What is answered otherwise: one's own buckets; that a name is taken; and key by key."""


@pytest.fixture(scope="module")
def server(lonely: Server) -> Server:
    """Nothing happens there but what is asked here."""
    return lonely


@pytest.fixture(scope="module", params=["BucketOwnerEnforced", "ObjectWriter"])
def place(server: Server, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What there is of Alice's, where access lists count for nothing and where they count."""
    return furnish(server, f"of-alice-{request.param.lower()}", ObjectOwnership=request.param)


@pytest.mark.parametrize("who", [BOB, None], ids=["another account", "nobody"])
@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_is_refused_whatever_they_ask(
    server: Server, store: Kept, place: dict[str, Any], name: str, who: Caller | None
) -> None:
    store.changed()
    request = ask(name, place)
    answer = request.send(server, who)
    expected = PUBLIC.get((name, who.username if who else ""), (403, "AccessDenied"))
    code = "" if request.method == "HEAD" else expected[1]
    assert (answer.status, answer.code) == (expected[0], code), answer.body
    assert ALICE.account_id.encode() not in answer.body
    assert not store.changed()
