"""What the composition root decides for S3."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from gateway.s3.background.expiry import DAY
from gateway.s3.background.receivers import DEFAULT_GUARD, Guard
from gateway.s3.protocol.hosts import NO_HOSTS, Hosts
from gateway.s3.protocol.wire import PATIENCE
from gateway.s3.sealing.keys import Keys
from gateway.s3.web.handover import Handover


@dataclass(frozen=True)
class Options:
    """Choices of one S3 endpoint.

    Args:
        region: what buckets say of their location.
        mount: prefix that the service answers under besides ``/``.
        skew: how far a request's time may be from ours, either way.
        sweep_every: how often, about, files that crashes left over are removed.
        sweep_grace: how long an upload may stand still before it counts as left over.
        hosts: the domains under which buckets have names of their own.
        keys: what objects are encrypted under; without any, only customers' own keys will do.
        day: how long a day of lifecycle rules lasts.
        guard: where notifications may be sent.
        spool: folder in which access logs wait to be delivered; without one none are kept.
        log_every: how often, about, access logs are delivered.
        customer_keys_over_http: whether customers may send such keys without TLS.
        handover: the agreement with an nginx in front, which then sends objects.
        patience: seconds that a client may neither send nor take anything of a body.
        switched_on: whether the operator offers S3 now; raises NativeFault when nobody can say.
    """

    region: str = "us-east-1"
    mount: str = "/awsapi/rest/AmazonS3"
    skew: timedelta = timedelta(minutes=15)
    sweep_every: timedelta = timedelta(hours=1)
    sweep_grace: timedelta = timedelta(hours=24)
    hosts: Hosts = NO_HOSTS
    keys: Keys | None = None
    day: timedelta = DAY
    guard: Guard = DEFAULT_GUARD
    spool: Path | None = None
    log_every: timedelta = timedelta(minutes=5)
    customer_keys_over_http: bool = False
    handover: Handover | None = None
    patience: float = PATIENCE
    switched_on: Callable[[], bool] = lambda: True
