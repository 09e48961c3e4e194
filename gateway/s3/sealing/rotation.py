"""Data keys wrapped anew when the keys they are wrapped under were renewed."""

from gateway.s3.sealing import seals
from gateway.s3.sealing.keys import Keys
from gateway.s3.sealing.seals import Seal
from s3store.sealing import WrongKey


class Rotation:
    """One pass over all seals; what cannot be opened is noted, and stays as it is."""

    def __init__(self, keys: Keys) -> None:
        """Take the keys, which may be renewed before or while it goes on."""
        self.keys = keys
        self.failed: list[str] = []

    def renewed(self, bucket_id: int, key: str, seal: Seal) -> Seal | None:
        """See :data:`s3store.resealing.Renew`."""
        try:
            return seals.renewed(self.keys, bucket_id, key, seal)
        except WrongKey as error:
            why = str(error) or "the key is another one"
            self.failed.append(f"{key} in bucket {bucket_id}: {why}")
            return None
