"""What the composition root decides for S3."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Options:
    """Choices of one S3 endpoint.

    Args:
        region: what buckets say of their location.
        mount: prefix that the service answers under besides ``/``.
        skew: how far a request's time may be from ours, either way.
        sweep_every: how often, about, files that crashes left over are removed.
        sweep_grace: how long an upload may stand still before it counts as left over.
    """

    region: str = "us-east-1"
    mount: str = "/awsapi/rest/AmazonS3"
    skew: timedelta = timedelta(minutes=15)
    sweep_every: timedelta = timedelta(hours=1)
    sweep_grace: timedelta = timedelta(hours=24)
