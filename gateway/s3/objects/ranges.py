"""The Range header as S3 reads it: one range of bytes, or the whole object.

Protocol source: RFC 9110 §14; S3 serves one range only and ignores what it cannot read.
"""

import re

from gateway.s3.faults import S3Fault

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*\Z", re.ASCII)


def part(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and number of bytes asked for; None for the whole object.

    Args:
        size: of the object, in bytes.

    Raises:
        S3Fault: InvalidRange, when there is no such part.
    """
    match = _RANGE.match(header or "")
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        length = min(int(match[2]), size)
        start = size - length
    else:
        start = int(match[1])
        last = min(int(match[2]), size - 1) if match[2] else size - 1
        if match[2] and int(match[2]) < start:
            return None
        length = last - start + 1
    if length <= 0:
        raise S3Fault(
            "InvalidRange",
            extras={"RangeRequested": str(header), "ActualObjectSize": str(size)},
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, length
