"""S3 operations, each declared once; the signature of its function is the part we support.

    @s3_operation("HeadBucket")
    def head_bucket(ask: Ask, bucket: str) -> Reply: …

A parameter annotated with a ``TypedDict`` takes several members at once, those the dict names. One
called ``document`` takes the request's document, whatever the model calls it.

At import the model is asked whether the operation and its parameters exist and whether everything
required is taken. At call time a member that was sent and is not in the signature is refused by
name, unless

- ``ignores`` names it with the reason why nothing needs to be done about it, or
- ``fixed`` names it with the values that ask for what happens anyway.

Some members mean the same everywhere and never reach an operation: :data:`EVERYWHERE`.
"""

import inspect
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.model import OperationModel, Shape

from gateway.s3.faults import S3Fault
from gateway.s3.protocol import model
from gateway.s3.protocol.integrity import PREFIX, SDK, checksum_headers
from gateway.s3.protocol.reply import Reply

Run = Callable[..., Reply]

LONGEST = 2 << 20
"""Bytes of a request's document, where an operation says nothing else."""

_BODY = "checked where the body is read"
EVERYWHERE: Mapping[str, str] = {
    "ExpectedBucketOwner": "compared where the bucket is looked up",
    "RequestPayer": "the owner pays for everything here",
    "ContentLength": _BODY,
    "ContentMD5": _BODY,
    "ChecksumCRC32": _BODY,
    "ChecksumCRC32C": _BODY,
    "ChecksumCRC64NVME": _BODY,
    "ChecksumMD5": _BODY,
    "ChecksumSHA1": _BODY,
    "ChecksumSHA256": _BODY,
    "ChecksumSHA512": _BODY,
    "ChecksumXXHASH64": _BODY,
    "ChecksumXXHASH3": _BODY,
    "ChecksumXXHASH128": _BODY,
}


@dataclass(frozen=True)
class Operation:
    """A supported operation.

    Args:
        action: what a policy calls leave to do it, such as ``s3:ListBucket``.
        accepts: parameter of the function by member name.
        groups: the parameters that take several members, as a dict by member name.
        root: element name of the reply's document, or the member that is the document.
        longest: bytes that the request's document may have.
        undigested: the document may come without a digest, whatever the model says.
    """

    model: OperationModel
    run: Run
    action: str
    accepts: Mapping[str, str]
    groups: frozenset[str]
    ignores: Mapping[str, str]
    fixed: Mapping[str, Collection[str]]
    root: str | None
    longest: int
    undigested: bool = False

    @property
    def needs_digest(self) -> bool:
        """Whether the request's document must come with a digest."""
        required = self.model.http_checksum.get("requestChecksumRequired", False)
        return bool(required) and not self.undigested

    @property
    def document(self) -> tuple[str, Shape] | None:
        """The member that is the request's XML document, and its shape."""
        shape = self.model.input_shape
        name = shape.serialization.get("payload") if shape else None
        if shape is None or name is None or self.model.has_streaming_input:
            return None
        return name, shape.members[name]

    def of_body(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The headers that may speak of the body: the operation may take checksums for itself."""
        if "ChecksumCRC32" not in self.accepts:
            return headers
        taken = {f"{PREFIX}{algorithm}" for algorithm in checksum_headers(headers)}
        return {name: value for name, value in headers.items() if name not in taken}

    def arguments(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """The function's keyword arguments.

        Raises:
            S3Fault: NotImplemented, naming the first member that is not supported.
        """
        for name, value in members.items():
            handled = name in self.accepts or name in self.ignores
            if not handled and value not in self.fixed.get(name, ()):
                raise _unsupported(_wire(self.model, name))
        found: dict[str, Any] = {name: {} for name in self.groups}
        for name in self.accepts.keys() & members.keys():
            parameter = self.accepts[name]
            if parameter in self.groups:
                found[parameter][name] = members[name]
            else:
                found[parameter] = members[name]
        return found


OPERATIONS: dict[str, Operation] = {}


def find(name: str) -> Operation:
    """A supported operation.

    Raises:
        S3Fault: NotImplemented, by name.
    """
    if name not in OPERATIONS:
        raise S3Fault("NotImplemented", f"{name} is not implemented.", {"Operation": name})
    return OPERATIONS[name]


def s3_operation(
    name: str,
    *,
    action: str | None = None,
    root: str | None = None,
    ignores: Mapping[str, str] | None = None,
    fixed: Mapping[str, Collection[str]] | None = None,
    longest: int = LONGEST,
    undigested: bool = False,
) -> Callable[[Run], Run]:
    """Declare the function that carries an operation out.

    Args:
        action: what a policy calls it; ``s3:`` and the operation's name when absent.
        root: see :class:`Operation`; needed where a reply has a document, since the model does not
            name it.
        ignores: member → why it may be sent and changes nothing here.
        fixed: member → the values it may have.
        longest, undigested: see :class:`Operation`.

    Raises:
        TypeError: the model does not have what the declaration says.
    """

    def declare(run: Run) -> Run:
        if name not in model.service().operation_names:
            raise TypeError(f"S3 has no operation {name}")
        operation = model.operation(name)
        if name in OPERATIONS:
            raise TypeError(f"the operation {name} is declared twice")
        accepts, groups = _accepts(operation, run)
        OPERATIONS[name] = Operation(
            model=operation,
            run=run,
            action=action or f"s3:{name}",
            accepts=accepts,
            groups=groups,
            ignores={**EVERYWHERE, **_announcement(operation), **(ignores or {})},
            fixed=fixed or {},
            root=root,
            longest=longest,
            undigested=undigested,
        )
        return run

    return declare


def _accepts(operation: OperationModel, run: Run) -> tuple[dict[str, str], frozenset[str]]:
    """Parameter by member, and which parameters are groups, from a function's signature."""
    shape = operation.input_shape
    members = set(shape.members) if shape else set[str]()
    names = {xform_name(member): member for member in members}
    if shape and "payload" in shape.serialization:
        names["document"] = shape.serialization["payload"]
    taken: dict[str, str] = {}
    groups = set[str]()
    hints = typing.get_type_hints(run)
    for parameter in list(inspect.signature(run).parameters)[1:]:
        if typing.is_typeddict(hints[parameter]):
            groups.add(parameter)
            taken |= dict.fromkeys(typing.get_type_hints(hints[parameter]), parameter)
        else:
            taken[names.get(parameter, parameter)] = parameter
    unknown = taken.keys() - members
    absent = set(shape.required_members if shape else ()) - taken.keys()
    if unknown or absent:
        raise TypeError(f"{operation.name}: unknown {unknown}, required but not taken {absent}")
    return taken, frozenset(groups)


def _announcement(operation: OperationModel) -> dict[str, str]:
    """The member by which SDKs announce the body's checksum; a copy's has the same name."""
    shape = operation.input_shape
    members = shape.members.items() if shape else ()
    return {name: _BODY for name, member in members if member.serialization.get("name") == SDK}


def _unsupported(wire: str) -> S3Fault:
    return S3Fault(
        "NotImplemented",
        f"A header or parameter you provided implies functionality that is not implemented: {wire}",
        {"Header": wire},
    )


def _wire(operation: OperationModel, member: str) -> str:
    shape = operation.input_shape
    return str(shape.members[member].serialization.get("name", member)) if shape else member
