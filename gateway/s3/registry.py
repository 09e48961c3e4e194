"""S3 operations, each declared once; the signature of its function is the part we support.

    @s3_operation("HeadBucket")
    def head_bucket(ask: Ask, bucket: str) -> Reply: …

At import the model is asked whether the operation and its parameters exist and whether everything
required is taken. At call time a member that was sent and is not in the signature is refused by
name, unless it is in ``ignores``. Some members mean the same everywhere and never reach an
operation: :data:`EVERYWHERE`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name
from botocore.model import OperationModel

from gateway.s3 import model
from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.reply import Reply

EVERYWHERE = frozenset(
    {
        "ExpectedBucketOwner",  # compared when the bucket is looked up
        "RequestPayer",  # the owner pays for everything here
        "ContentLength",  # what the body says of itself is checked where the body is read
        "ContentMD5",
        "ChecksumCRC32",
        "ChecksumCRC32C",
        "ChecksumCRC64NVME",
        "ChecksumMD5",
        "ChecksumSHA1",
        "ChecksumSHA256",
        "ChecksumSHA512",
        "ChecksumXXHASH64",
        "ChecksumXXHASH3",
        "ChecksumXXHASH128",
    }
)

_IN_THE_BODY = "x-amz-sdk-checksum-algorithm"


@dataclass(frozen=True)
class Operation:
    """A supported operation.

    Args:
        accepts: parameter of the function by member name.
        root: element name of the reply's document, or the member that is the document.
    """

    model: OperationModel
    run: Callable[..., Reply]
    accepts: Mapping[str, str]
    ignores: frozenset[str]
    root: str | None

    def arguments(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """The function's keyword arguments.

        Raises:
            S3Fault: NotImplemented, naming the first member that is not supported.
        """
        found = {}
        for name, value in members.items():
            if name in self.accepts:
                found[self.accepts[name]] = value
            elif name not in self.ignores:
                raise S3Fault(
                    "NotImplemented",
                    "A header or parameter you provided implies functionality that is not "
                    f"implemented: {self._wire(name)}",
                    {"Header": self._wire(name)},
                )
        return found

    def _wire(self, name: str) -> str:
        shape = self.model.input_shape
        return str(shape.members[name].serialization.get("name", name)) if shape else name


@dataclass
class Registry:
    """All supported operations by name."""

    operations: dict[str, Operation] = field(default_factory=dict)

    def find(self, name: str) -> Operation:
        """One of them.

        Raises:
            S3Fault: NotImplemented, by name.
        """
        if name not in self.operations:
            raise S3Fault("NotImplemented", f"{name} is not implemented.", {"Operation": name})
        return self.operations[name]


REGISTRY = Registry()


def s3_operation(
    name: str, *, root: str | None = None, ignores: frozenset[str] = frozenset()
) -> Callable[[Callable[..., Reply]], Callable[..., Reply]]:
    """Declare the function that carries an operation out.

    Args:
        root: see :class:`Operation`; needed where a reply has a document, since the model does not
            name it.
        ignores: members that may be sent and change nothing here.

    Raises:
        TypeError: the model does not have what the declaration says.
    """

    def declare(run: Callable[..., Reply]) -> Callable[..., Reply]:
        operation = model.operation(name)
        REGISTRY.operations[name] = Operation(
            operation, run, _accepts(operation, run), ignores | EVERYWHERE | _sdk(operation), root
        )
        return run

    return declare


def _accepts(operation: OperationModel, run: Callable[..., Reply]) -> dict[str, str]:
    shape = operation.input_shape
    names = {xform_name(member): member for member in (shape.members if shape else ())}
    first, *parameters = inspect.signature(run).parameters.values()
    if first.annotation not in (Ask, "Ask"):
        raise TypeError(f"{operation.name}: the first parameter must be the Ask")
    unknown = [p.name for p in parameters if p.name not in names]
    taken = {names[p.name]: p.name for p in parameters if p.name in names}
    absent = [m for m in (shape.required_members if shape else ()) if m not in taken]
    if unknown or absent:
        raise TypeError(f"{operation.name}: unknown {unknown}, required but not taken {absent}")
    return taken


def _sdk(operation: OperationModel) -> frozenset[str]:
    """The member that only announces the checksum of the body."""
    shape = operation.input_shape
    return frozenset(
        name
        for name, member in (shape.members.items() if shape else ())
        if member.serialization.get("name") == _IN_THE_BODY
    )


def supported() -> Mapping[str, Operation]:
    """All supported operations by name."""
    return REGISTRY.operations


def wire_names() -> frozenset[str]:
    """Every ``x-amz-`` header that any operation of the model knows, lower-case."""
    return frozenset(
        member.serialization["name"].lower()
        for operation in model.operations()
        for member in (operation.input_shape.members.values() if operation.input_shape else ())
        if member.serialization.get("location") == "header"
    )
