"""What of EC2 is supported, read off the registry: a row for every operation of this cloud.

::

    python -m tools.coverage          write the table of gateway/README.md
    python -m tools.coverage refused  print the operations that EC2 has and this cloud does not
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from botocore.model import StructureShape

from gateway.ec2 import codec, operations, registry
from gateway.ec2.registry import ENDPOINT, Operation, Subset

FILE = Path(__file__).parent.parent / "gateway" / "README.md"
HEAD = "| operation | parameters | filters | taken and ignored | one value only | refused |"


def supported() -> list[str]:
    """The table's lines, one operation each."""
    operations.load()
    rows = [_row(entry) for _, entry in sorted(registry.OPERATIONS.items())]
    return [HEAD, "| --- " * 6 + "|", *rows]


def refused() -> list[str]:
    """Names of the operations that are in the model but not offered."""
    operations.load()
    return [name for name in codec.model().operation_names if name not in registry.OPERATIONS]


def main(arguments: list[str], file: Path = FILE) -> int:
    """The command line."""
    if "refused" in arguments:
        print("\n".join(refused()))
    else:
        file.write_text(_with_table(file.read_text()))
    return 0


def _with_table(text: str) -> str:
    """A page with the table as it is now in the place of the one it has."""
    before, found, rest = text.partition(HEAD)
    if not found:
        raise ValueError("the page has no table of operations")
    after = re.sub(r"\A\n(?:\|.*\n)*", "", rest)
    return before + "\n".join(supported()) + "\n" + after


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
