"""The registry of EC2 operations: what the functions say, read off once.

Botocore's model says what EC2 has; the **signature of a function says what this cloud supports** of
it. A parameter of the function is a member of the operation's input, in snake case; one without a
default is required. A structure's supported members are those of the ``TypedDict`` that annotates
it. Whatever else the model knows is refused by name when a caller sends it, unless

- ``ignores`` names it with the reason why nothing needs to be done about it, or
- ``fixed`` names it with the one value that asks for what happens anyway.

Both take dotted paths (``Placement.Tenancy``). A path that the model has never heard of may stand
in ``ignores`` too: parameters of old API versions.

What every listing has in common (``Filters``, ``MaxResults``, ``NextToken``) is declared as a
:class:`~gateway.ec2.listing.Listing` and done at the endpoint, as is ``DryRun``.

A declaration that contradicts the model fails at import.
"""

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, OperationModel, Shape, StructureShape

from gateway.ec2 import codec
from gateway.ec2.faults import missing, unsupported
from gateway.ec2.listing import Listing

Reply = dict[str, Any]
Run = Callable[..., Reply]

ENDPOINT = frozenset(("DryRun", "Filters", "MaxResults", "NextToken"))


@dataclass(frozen=True)
class Subset:
    """The supported part of a structure: member → the supported part of that member.

    None stands for a member taken whole: a scalar, or a list of scalars.
    """

    members: dict[str, "Subset | None"]

    def reach(self, path: Sequence[str]) -> None:
        """Make room for a path of members that is looked at but not passed on."""
        if len(path) > 1:
            below = self.members.setdefault(path[0], Subset({}))
            if below is not None:
                below.reach(path[1:])


@dataclass(frozen=True)
class Operation:
    """One operation, as declared. ``arguments`` maps members to the function's parameters."""

    model: OperationModel
    run: Run
    arguments: Mapping[str, str]
    required: tuple[str, ...]
    subset: Subset
    ignores: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    listing: Listing | None = None

    @property
    def name(self) -> str:
        """The Action that calls it."""
        return self.model.name

    def bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The function's arguments for a parsed request, without what the endpoint handles.

        Raises:
            Ec2Fault: a required member is missing, or one was sent that is not supported.
        """
        for member in self.required:
            if member not in given:
                raise missing(codec.parameter(self.model, member))
        rest = {name: value for name, value in given.items() if not self._common(name)}
        kept = self._supported(rest, self.subset, "")
        return {
            self.arguments[name]: value for name, value in kept.items() if name in self.arguments
        }

    def _common(self, name: str) -> bool:
        return name == "DryRun" or (self.listing is not None and name in ENDPOINT)

    def _supported(self, given: Mapping[str, Any], subset: Subset, path: str) -> dict[str, Any]:
        kept = {}
        for name, value in given.items():
            here = f"{path}.{name}" if path else name
            if here in self.ignores:
                continue
            if here in self.fixed:
                self._same(here, value)
            elif name in subset.members:
                kept[name] = self._below(value, subset.members[name], here)
            else:
                raise unsupported(f"{self.name} does not support the parameter {here} here.")
        return kept

    def _below(self, value: Any, subset: Subset | None, path: str) -> Any:
        if subset is None:
            return value
        if isinstance(value, list):
            return [self._supported(item, subset, path) for item in value]
        return self._supported(value, subset, path)

    def _same(self, path: str, value: Any) -> None:
        if value != self.fixed[path]:
            raise unsupported(
                f"{self.name} does not support the value {value!r} for the parameter {path}; "
                f"it is always {self.fixed[path]!r} here."
            )


OPERATIONS: dict[str, Operation] = {}


def operation(
    name: str,
    *,
    ignores: Mapping[str, str] | None = None,
    fixed: Mapping[str, Any] | None = None,
    listing: Listing | None = None,
) -> Callable[[Run], Run]:
    """Declare an EC2 operation.

    Args:
        name: the Action.
        ignores: path of a member → why it may be sent and does nothing.
        fixed: path of a member → the only value it may have.
        listing: what can be filtered and paged in the answer.
    """

    def declare(run: Run) -> Run:
        model = codec.operation(name)
        if model is None:
            raise TypeError(f"EC2 has no operation {name}")
        if name in OPERATIONS:
            raise TypeError(f"the operation {name} is declared twice")
        entry = _read(model, run, ignores or {}, fixed or {}, listing)
        OPERATIONS[name] = entry
        return run

    return declare


def _read(
    model: OperationModel,
    run: Run,
    ignores: Mapping[str, str],
    fixed: Mapping[str, Any],
    listing: Listing | None,
) -> Operation:
    shape = model.input_shape
    members = dict(shape.members) if isinstance(shape, StructureShape) else {}
    by_argument = {xform_name(member): member for member in members}
    parameters = list(inspect.signature(run).parameters.values())[1:]
    hints = typing.get_type_hints(run)
    found: dict[str, Subset | None] = {}
    for parameter in parameters:
        if parameter.name not in by_argument:
            raise TypeError(f"{model.name} has no member for {parameter.name}")
        member = by_argument[parameter.name]
        found[member] = _subset(model, members[member], hints[parameter.name], member)
    required = tuple(by_argument[p.name] for p in parameters if p.default is p.empty)
    subset = Subset(found)
    for path in (*fixed, *ignores):
        subset.reach(path.split("."))
    entry = Operation(
        model=model,
        run=run,
        arguments={by_argument[p.name]: p.name for p in parameters},
        required=required,
        subset=subset,
        ignores=ignores,
        fixed=fixed,
        listing=listing,
    )
    _check(entry, shape)
    return entry


def _check(entry: Operation, shape: Shape | None) -> None:
    if not isinstance(shape, StructureShape):
        return
    left = set(shape.required_members) - set(entry.required)
    if left:
        raise TypeError(f"{entry.name} requires {sorted(left)}; the function does not")
    for path in entry.fixed:
        _walk(entry.name, shape, path)
    listing = entry.listing
    if listing is None:
        return
    absent = {"Filters"} - set(shape.members) if listing.filters else set()
    if absent:
        raise TypeError(f"{entry.name} has no {sorted(absent)} in the model")
    _walk(entry.name, entry.model.output_shape, ".".join((*listing.items, listing.key)))


def _walk(name: str, shape: Shape | None, path: str) -> None:
    """Follow a dotted path of members through a shape, into lists."""
    for part in path.split("."):
        here = _plain(shape)
        if not isinstance(here, StructureShape) or part not in here.members:
            raise TypeError(f"{name} has no {path} in the model")
        shape = here.members[part]


def _plain(shape: Shape | None) -> Shape | None:
    return shape.member if isinstance(shape, ListShape) else shape


def _subset(model: OperationModel, shape: Shape, hint: Any, path: str) -> Subset | None:
    """Read the supported part of a member off the annotation of a parameter."""
    kind, plain = _bare(hint), _plain(shape)
    if not isinstance(plain, StructureShape):
        return None
    if not typing.is_typeddict(kind):
        raise TypeError(f"{model.name}: {path} is a structure: annotate it with a TypedDict")
    found = {}
    for name, inner in typing.get_type_hints(kind).items():
        if name not in plain.members:
            raise TypeError(f"{model.name} has no member {path}.{name}")
        found[name] = _subset(model, plain.members[name], inner, f"{path}.{name}")
    return Subset(found)


def _bare(hint: Any) -> Any:
    """The type itself, out of ``| None`` and ``list[…]``."""
    while arguments := [a for a in typing.get_args(hint) if a is not NoneType]:
        hint = arguments[0]
    return hint
