"""Where runs are kept: one interface, SQLite by default, Redis for several machines."""

from app.failures import StoreFull, StoreUnavailable, StoreUnsure
from app.settings import REDIS, Settings
from app.stores.base import NEW, Record, Stamp, Store
from app.stores.sqlite import SqliteStore

__all__ = ["NEW", "Record", "Stamp", "Store", "StoreFull", "StoreUnavailable", "StoreUnsure", "store_for"]


def needs_redis(settings: Settings) -> bool:
    """Whether the store that the settings ask for needs Redis' client, an optional dependency."""
    return settings.store_url.startswith(REDIS)


def store_for(settings: Settings) -> Store:
    """The store that the settings ask for, not yet opened."""
    url = settings.store_url
    if needs_redis(settings):
        from app.stores.redis import RedisStore  # its client is an optional dependency

        return RedisStore(url, wait=settings.store_seconds)
    return SqliteStore(url, wait=settings.store_seconds, most_bytes=settings.store_bytes)
