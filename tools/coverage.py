"""Which operations of EC2 and S3 there are, read off the registries.

::

    python -m tools.coverage          write the lists of README.md and gateway/README.md
    python -m tools.coverage refused  print the operations that EC2 has and this cloud does not
"""

import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from botocore.model import StructureShape

from gateway.ec2 import codec, operations, registry
from gateway.ec2.registry import ENDPOINT, Operation, Subset
from gateway.s3 import operations as s3_operations
from gateway.s3 import registry as s3_registry

ROOT = Path(__file__).parent.parent
HEAD = "| operation | parameters | filters | taken and ignored | one value only | refused |"
_BEGIN, _END = "<!-- operations -->", "<!-- /operations -->"


def supported() -> list[str]:
    """The table's lines, one operation each."""
    operations.load()
    rows = [_row(entry) for _, entry in sorted(registry.OPERATIONS.items())]
    return [HEAD, "| --- " * 6 + "|", *rows]


def refused() -> list[str]:
    """Names of the operations that are in the model but not offered."""
    operations.load()
    return [name for name in codec.model().operation_names if name not in registry.OPERATIONS]


def names() -> str:
    """The operations of both protocols by name, as the front page lists them."""
    operations.load()
    s3_operations.load()
    return f"{_item('EC2', registry.OPERATIONS)}\n{_item('S3', s3_registry.OPERATIONS)}"


def main(arguments: list[str], root: Path = ROOT) -> int:
    """The command line."""
    if "refused" in arguments:
        print("\n".join(refused()))
        return 0
    _fill(root / "README.md", names())
    _fill(root / "gateway" / "README.md", "\n".join(supported()))
    return 0


def _fill(page: Path, text: str) -> None:
    """Put a text between the marks of a page, in the place of the one that is there."""
    before, _, rest = page.read_text().partition(_BEGIN)
    _, found, after = rest.partition(_END)
    if not found:
        raise ValueError(f"{page} has no place for operations")
    page.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}")


def _item(protocol: str, operations: Iterable[str]) -> str:
    return textwrap.fill(
        f"- **{protocol}**: {', '.join(sorted(operations))}", 100, subsequent_indent="  "
    )


def _row(entry: Operation) -> str:
    listing = entry.listing
    cells = (
        entry.name,
        _taken(entry.subset),
        str(len(listing.filters)) if listing else "",
        ", ".join(sorted(entry.ignores)),
        ", ".join(f"{path}={_spelled(value)}" for path, value in sorted(entry.fixed.items())),
        ", ".join(_unsupported(entry)),
    )
    return "| " + " | ".join(cells) + " |"


def _taken(subset: Subset) -> str:
    """Members by name; those of a structure in braces."""
    return ", ".join(
        name if below is None else f"{name}{{{_taken(below)}}}"
        for name, below in subset.members.items()
        if below is None or below.members
    )


def _unsupported(entry: Operation) -> list[str]:
    """Members of the input, outermost level, that are refused when sent."""
    shape = entry.model.input_shape
    members: Mapping[str, object] = shape.members if isinstance(shape, StructureShape) else {}
    handled = {*entry.subset.members, *entry.ignores, *entry.fixed, "DryRun"}
    handled |= ENDPOINT if entry.listing else set()
    return [name for name in members if name not in handled]


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
