"""EC2 ids ⇄ native ids."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import ids
from orchestrator.ids import ec2_id, new_id

digits = st.text("0123456789abcdef", min_size=17, max_size=17)


@given(digits)
def test_seventeen_digits_are_a_native_id_and_back(text: str) -> None:
    native = ids.native("i", f"i-{text}")
    assert str(uuid.UUID(native)) == native
    assert uuid.UUID(native).version == 8
    assert ids.ec2("i", native) == f"i-{text}"


@given(st.uuids())
def test_a_foreign_uuid_keeps_all_its_digits(foreign: uuid.UUID) -> None:
    spelled = ids.ec2("vol", str(foreign))
    assert spelled == f"vol-{foreign.hex}"
    assert ids.native("vol", spelled) == str(foreign)
    assert ids.native("vol", str(foreign).upper()) == str(foreign)


def test_the_cloud_and_the_gateway_agree_on_the_format() -> None:
    native = new_id()
    assert ids.ec2("i", native) == ec2_id("i", native)
    assert ids.native("i", ec2_id("i", native)) == native


@pytest.mark.parametrize(
    "given",
    ["", "i", "i-", "i-1", "vol-0123456789abcdef0", "i-0123456789abcdef0 ", "I_1", "i-" * 9],
)
def test_another_shape_is_malformed(given: str) -> None:
    with pytest.raises(ids.MalformedId) as caught:
        ids.native("i", given)
    assert caught.value.prefix == "i"


def test_derived_ids_depend_on_every_part() -> None:
    assert ids.derived("key", "a", "b") == ids.derived("key", "a", "b")
    assert ids.derived("key", "a", "b") != ids.derived("key", "ab", "")
    assert len(ids.derived("r", "x")) == len("r-") + 17


@given(st.text())
def test_an_owner_is_twelve_digits(account: str) -> None:
    assert len(ids.owner(account)) == 12
    assert ids.owner(account).isdigit()
