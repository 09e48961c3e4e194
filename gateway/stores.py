"""The object store as the settings describe it: for the gateway, and for tools beside it."""

from gateway.settings import Settings
from s3store.store import Store


def store(settings: Settings) -> Store:
    """The store of a gateway. It opens nothing before its first call."""
    return Store(
        settings.storage_root,
        settings.s3_index_url.get_secret_value() or None,
        durable=settings.s3_durable,
        quota=settings.quota,
    )
