"""What an operation is given besides its parameters."""

from dataclasses import dataclass

from gateway.credentials import Caller
from gateway.ec2.names import Catalog
from gateway.native_calls import Calls
from gateway.objects import Objects


@dataclass(frozen=True)
class Ask:
    """One request, authenticated and decoded.

    Args:
        caller: who asks.
        native: the native API, signed as the caller.
        catalog: the caller's zones and offerings.
        objects: what the caller may read in S3.
        region: the name of this region.
        rehearsal: whether the first change will end the request (``DryRun``).
        host: the address at which the caller reached the gateway, for answers that tell it.
    """

    caller: Caller
    native: Calls
    catalog: Catalog
    objects: Objects
    region: str
    rehearsal: bool
    host: str
