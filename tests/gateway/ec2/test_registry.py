"""What the registry reads off functions, and what it refuses at import."""

from collections.abc import Callable, Iterator
from typing import Any, TypedDict

import pytest
from botocore import xform_name
from botocore.model import StructureShape

from gateway.ec2 import codec, operations, registry
from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault
from gateway.ec2.listing import Listing
from gateway.ec2.registry import Operation, Reply, operation

operations.load()
EVERY = sorted(registry.OPERATIONS.items())


@pytest.fixture
def scratch() -> Iterator[None]:
    """The registry as it is, whatever the test declares."""
    kept = dict(registry.OPERATIONS)
    registry.OPERATIONS.clear()
    yield
    registry.OPERATIONS.clear()
    registry.OPERATIONS.update(kept)


class Place(TypedDict, total=False):
    AvailabilityZone: str


class Nowhere(TypedDict, total=False):
    Planet: str


def declared(run: Callable[..., Reply], name: str, **words: Any) -> Operation:
    operation(name, **words)(run)
    return registry.OPERATIONS[name]


@pytest.mark.usefixtures("scratch")
def test_the_signature_is_the_supported_subset() -> None:
    def run_instances(
        ask: Ask, image_id: str, min_count: int, max_count: int, placement: Place | None = None
    ) -> Reply:
        return {}

    entry = declared(
        run_instances,
        "RunInstances",
        fixed={"EbsOptimized": False, "Placement.Tenancy": "default", "Monitoring.Enabled": False},
        ignores={"AdditionalInfo": "nobody knows what it is"},
    )
    counts = {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 2}
    passed = {"image_id": "ami-1", "min_count": 1, "max_count": 2}
    assert entry.bind(counts) == passed
    assert entry.bind({**counts, "AdditionalInfo": "x", "EbsOptimized": False}) == passed
    assert entry.bind({**counts, "Monitoring": {"Enabled": False}}) == passed
    where = {"AvailabilityZone": "a", "Tenancy": "default"}
    bound = entry.bind({**counts, "Placement": where})
    assert bound["placement"] == {"AvailabilityZone": "a"}
    for extra, path in (
        ({"KernelId": "aki-1"}, "KernelId"),
        ({"EbsOptimized": True}, "EbsOptimized"),
        ({"Placement": {"HostId": "h"}}, "Placement.HostId"),
        ({"Placement": {"Tenancy": "host"}}, "Placement.Tenancy"),
        ({"Monitoring": {"Enabled": True}}, "Monitoring.Enabled"),
        ({"NextToken": "x"}, "NextToken"),
    ):
        with pytest.raises(Ec2Fault, match=path) as caught:
            entry.bind({**counts, **extra})
        assert caught.value.code == "UnsupportedOperation"
    with pytest.raises(Ec2Fault, match="MaxCount") as caught:
        entry.bind({"ImageId": "ami-1", "MinCount": 1})
    assert caught.value.code == "MissingParameter"


def unknown_member(ask: Ask, colour: str) -> Reply:
    return {}


def nothing(ask: Ask) -> Reply:
    return {}


def optional(ask: Ask, volume_id: str | None = None) -> Reply:
    return {}


def untyped(ask: Ask, image_id: str, min_count: int, max_count: int, placement: str) -> Reply:
    return {}


def elsewhere(ask: Ask, min_count: int, max_count: int, placement: Nowhere) -> Reply:
    return {}


@pytest.mark.usefixtures("scratch")
@pytest.mark.parametrize(
    ("run", "name", "words"),
    [
        (nothing, "PaintInstances", {}),
        (unknown_member, "DeleteVolume", {}),
        (nothing, "DeleteVolume", {}),
        (optional, "DeleteVolume", {}),
        (untyped, "RunInstances", {}),
        (elsewhere, "RunInstances", {}),
        (nothing, "DescribeVolumes", {"fixed": {"Colour": "red"}}),
        (nothing, "DescribeVolumes", {"listing": Listing(("Volumes",), "Colour")}),
        (nothing, "DescribeAccountAttributes", {"listing": Listing((), "x", (), {"a": "b"})}),
    ],
)
def test_a_declaration_that_contradicts_the_model_fails_at_once(
    run: Callable[..., Reply], name: str, words: dict[str, Any]
) -> None:
    with pytest.raises(TypeError):
        operation(name, **words)(run)


@pytest.mark.usefixtures("scratch")
def test_an_operation_is_declared_once() -> None:
    operation("DescribeVolumes")(nothing)
    with pytest.raises(TypeError, match="twice"):
        operation("DescribeVolumes")(nothing)


@pytest.mark.parametrize(("name", "entry"), EVERY)
def test_every_operation_keeps_to_the_house(name: str, entry: Operation) -> None:
    assert entry.run.__name__ == xform_name(name)
    assert entry.run.__doc__
    assert all(entry.ignores.values()), "every ignored parameter has its reason"
    shape = entry.model.input_shape
    members = set(shape.members) if isinstance(shape, StructureShape) else set()
    assert entry.listing or not {"Filters", "MaxResults"} & members - {*entry.arguments}


@pytest.mark.parametrize(("name", "entry"), [pair for pair in EVERY if pair[1].listing])
def test_every_filter_looks_at_something_that_exists(name: str, entry: Operation) -> None:
    assert entry.listing is not None
    for path in entry.listing.filters.values():
        levels = entry.listing.items[:-1] if path.startswith("^") else entry.listing.items
        shape: Any = entry.model.output_shape
        for member in (*levels, *path.lstrip("^").split(".")):
            shape = getattr(shape, "member", shape).members[member]
        assert getattr(shape, "member", shape).type_name not in ("structure", "list")


def test_every_operation_of_the_model_is_known_by_name() -> None:
    assert codec.operation("CreateVpc") is not None
    assert codec.operation("Nonsense") is None
    assert {name for name, _ in EVERY} <= set(codec.model().operation_names)
