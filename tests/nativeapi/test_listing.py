"""Paging, and whose objects a list shows."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.nativeapi.site import Site


@pytest.fixture(scope="module")
def stocked(shared: Site) -> Site:
    """Five key pairs of alice, one of everybody else."""
    for number in range(5):
        shared.call("alice", "createSSHKeyPair", name=f"key{number}")
    for person in ("bob", "keeper", "admin"):
        shared.call(person, "createSSHKeyPair", name=f"of-{person}")
    return shared


def _names(site: Site, person: str, **params: object) -> list[str]:
    answer = site.call(person, "listSSHKeyPairs", **params)
    return [pair["name"] for pair in answer.get("sshkeypair", [])]


@contextmanager
def _page_size(site: Site, size: int) -> Iterator[None]:
    site.call("admin", "updateConfiguration", name="default.page.size", value=size)
    yield
    site.call("admin", "updateConfiguration", name="default.page.size", value=500)


# -- paging ------------------------------------------------------------------------------------


def test_a_page_has_its_rows_and_the_count_of_all(stocked: Site) -> None:
    answer = stocked.call("alice", "listSSHKeyPairs", page=2, pagesize=2)

    assert answer["count"] == 5
    assert [pair["name"] for pair in answer["sshkeypair"]] == ["key2", "key3"]


def test_the_last_page_is_shorter_and_the_one_after_it_has_only_the_count(stocked: Site) -> None:
    assert _names(stocked, "alice", page=3, pagesize=2) == ["key4"]
    assert stocked.call("alice", "listSSHKeyPairs", page=4, pagesize=2) == {"count": 5}


def test_without_paging_as_many_come_as_one_page_may_have(stocked: Site) -> None:
    with _page_size(stocked, 3):
        answer = stocked.call("alice", "listSSHKeyPairs")
        assert (answer["count"], len(answer["sshkeypair"])) == (5, 3)
        refused = stocked.refused("alice", "listSSHKeyPairs", page=1, pagesize=4)
        assert refused == (431, "invalid", "command", "pagesize")


def test_a_page_size_of_minus_one_is_everything(stocked: Site) -> None:
    with _page_size(stocked, 3):
        assert len(_names(stocked, "alice", pagesize=-1)) == 5


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"page": 1}, "pagesize"),
        ({"pagesize": 5}, "page"),
        ({"page": 0, "pagesize": 5}, "page"),
        ({"page": -3, "pagesize": 5}, "page"),
        ({"page": 1, "pagesize": 0}, "pagesize"),
        ({"page": 1, "pagesize": -1}, "page"),
        ({"page": 1, "pagesize": 501}, "pagesize"),
        ({"page": "one", "pagesize": 5}, "page"),
    ],
)
def test_paging_that_makes_no_sense_is_refused(
    stocked: Site, params: dict[str, object], field: str
) -> None:
    refused = stocked.refused("alice", "listSSHKeyPairs", **params)

    assert refused == (431, "invalid", "command", field)


def test_a_keyword_narrows_by_a_part_of_the_name_in_any_case(stocked: Site) -> None:
    assert _names(stocked, "alice", keyword="EY3") == ["key3"]
    assert _names(stocked, "alice", keyword="%") == []


# -- whose objects -----------------------------------------------------------------------------


def test_everybody_sees_their_own_by_default(stocked: Site) -> None:
    for person in ("bob", "keeper", "admin"):
        assert _names(stocked, person) == [f"of-{person}"]


def test_a_user_sees_no_more_however_asked(stocked: Site) -> None:
    for params in ({"listall": True}, {"domainid": stocked.domain}, {"account": "bob"}):
        assert _names(stocked, "bob", **params) == ["of-bob"]
    refused = stocked.refused("bob", "listSSHKeyPairs", account="alice")
    assert refused[1:] == ("not_found", "account", "account")


def test_a_domain_administrator_sees_the_domain_and_nothing_above(stocked: Site) -> None:
    assert len(_names(stocked, "keeper", listall=True)) == 7
    assert len(_names(stocked, "keeper", domainid=stocked.domain)) == 7
    assert len(_names(stocked, "keeper", account="alice")) == 5
    assert stocked.refused("keeper", "listSSHKeyPairs", account="admin")[1] == "not_found"


def test_the_root_administrator_sees_everything(stocked: Site) -> None:
    assert len(_names(stocked, "admin", listall=True)) == 8
    assert len(_names(stocked, "admin", domainid=stocked.domain)) == 7
    assert _names(stocked, "admin", account="bob", domainid=stocked.domain) == ["of-bob"]


def test_a_domain_alone_does_not_reach_below_unless_told(stocked: Site) -> None:
    root = stocked.call("admin", "listAccounts", name="admin")["account"][0]["domainid"]

    assert _names(stocked, "admin", domainid=root) == ["of-admin"]
    assert len(_names(stocked, "admin", domainid=root, isrecursive=True)) == 8


def test_a_domain_out_of_reach_is_none(stocked: Site) -> None:
    root = stocked.call("admin", "listAccounts", name="admin")["account"][0]["domainid"]

    for person in ("keeper", "bob"):
        refused = stocked.refused(person, "listSSHKeyPairs", domainid=root)
        assert refused[1:] == ("not_found", "domain", "domainid")
