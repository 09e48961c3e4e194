"""Placement: a pure choice over a snapshot."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.placement import Request, Room, place

GIB = 1024**3


def _room(name: str, mhz_taken: int = 0, memory_taken: int = 0) -> Room:
    return Room(name, name, 4000, mhz_taken, 8 * GIB, memory_taken)


def test_the_emptier_host_is_chosen() -> None:
    """Load spreads."""
    choice = place(Request(500, GIB), [_room("full", memory_taken=4 * GIB), _room("empty")])
    assert choice.host is not None
    assert choice.host.name == "empty"


def test_a_refusal_says_what_each_host_lacks() -> None:
    """So that an operator knows what to add."""
    choice = place(Request(3000, 6 * GIB), [_room("a", 2000), _room("b", 0, 4 * GIB)])
    assert choice.host is None
    assert choice.reasons == ("a: 2000 of 3000 MHz free", "b: 4096 of 6144 MiB free")


rooms = st.lists(
    st.builds(
        Room,
        id=st.uuids().map(str),
        name=st.just("h"),
        mhz=st.integers(1, 10_000),
        mhz_taken=st.integers(0, 10_000),
        memory=st.integers(1, 64),
        memory_taken=st.integers(0, 64),
    )
)


@given(st.builds(Request, st.integers(1, 5000), st.integers(1, 32)), rooms)
def test_a_choice_always_fits_and_a_refusal_is_never_wrong(ask: Request, hosts: list[Room]) -> None:
    """Whatever the snapshot."""
    choice = place(ask, hosts)
    fitting = [r for r in hosts if r.mhz_free >= ask.mhz and r.memory_free >= ask.memory]
    assert (choice.host in fitting) if fitting else (len(choice.reasons) == len(hosts))
