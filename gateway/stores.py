"""The object store as the settings describe it: for the gateway, and for tools beside it."""

from gateway.settings import Settings
from s3store.engines.places import Pool, place_of
from s3store.engines.ports import Engine
from s3store.store import Store


def store(settings: Settings) -> Store:
    """The store of a gateway. It opens nothing before its first call."""
    return Store(
        settings.storage_root,
        settings.s3_index_url.get_secret_value() or None,
        durable=settings.s3_durable,
        quota=settings.quota,
        engine=_engine(settings),
    )


def _engine(settings: Settings) -> Engine | None:
    """Where the content lies, when that is not the storage root."""
    if not settings.s3_blobs_url:
        return None
    key, secret = settings.s3_blobs_key, settings.s3_blobs_secret
    place = place_of(
        settings.s3_blobs_url,
        key.get_secret_value(),
        secret.get_secret_value(),
        settings.s3_blobs_region,
    )
    # These load libraries that take their time, and most gateways do without.
    if isinstance(place, Pool):
        from s3store.engines.rados import RadosEngine

        return RadosEngine(place)
    from s3store.engines.s3 import S3Engine

    return S3Engine(place)
