"""The documents of buckets' settings: what S3 takes, what it refuses and with which words.

One room a document. A check is given the document in the model's names and gives back what is to be
kept, in the one spelling in which it is answered and acted upon; None stands for nothing to keep.
"""

import json
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, Shape, StringShape, StructureShape

from gateway.s3.faults import S3Fault

Document = Mapping[str, Any]

LARGEST = 256 << 10  # bytes as kept: every look at a bucket reads all of its settings

# Refused by name by whoever knows what they stand for.
_OPEN = frozenset({"Event", "FilterRuleName", "Protocol", "ServerSideEncryption"})


def check_shape(shape: Shape, document: Any) -> None:
    """Refuse values that the model does not have, and documents beyond all measure.

    Raises:
        S3Fault: MalformedXML, MaxMessageLengthExceeded.
    """
    _check_words(shape, document)
    if len(json.dumps(document)) > LARGEST:
        raise S3Fault("MaxMessageLengthExceeded", extras={"MaxMessageLengthBytes": str(LARGEST)})


def _check_words(shape: Shape, value: Any) -> None:
    if isinstance(shape, StructureShape):
        for name, inner in value.items():
            _check_words(shape.members[name], inner)
    elif isinstance(shape, ListShape):
        for inner in value:
            _check_words(shape.member, inner)
    elif isinstance(shape, StringShape) and value not in (_words(shape) or (value,)):
        raise S3Fault("MalformedXML")


def _words(shape: StringShape) -> list[str]:
    """The values that are all there are, of a text that is one of a few words."""
    return [] if shape.name in _OPEN else shape.enum
