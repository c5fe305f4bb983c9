"""How many requests a second: token buckets that all workers share through the store.

A worker takes tokens from the store by the handful and spends them by itself, so most requests ask nobody.
"""

from functools import lru_cache
from ipaddress import ip_address, ip_network
from math import ceil
from time import monotonic

from starlette.types import Scope

from app.failures import StoreUnavailable
from app.settings import Settings
from app.stores import Store

BURST_SECONDS = 2.0
HANDFUL = 0.1
_REMEMBERED = 20_000
_FREE = ("/static/", "/healthz", "/readyz", "/metrics", "/api/v1/healthz")


class Limiter:
    """Says how long a request must wait, by visitor or run and, with a far higher ceiling, by address."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self._tokens: dict[str, float] = {}
        self._refused: dict[str, float] = {}

    async def wait(self, scope: Scope, cookie: str | None) -> int:
        """Whole seconds to wait before this request may come again; 0 if it is welcome now."""
        path: str = scope["path"]
        if path.startswith(_FREE):
            return 0
        waits = [
            await self._wait(
                f"address:{network((scope.get('client') or ('unknown', 0))[0])}", self.settings.address_rate
            )
        ]
        if name := cookie or _run_of(path):
            waits.append(await self._wait(f"visitor:{name}", self.settings.visitor_rate))
        return max(waits)

    async def _wait(self, bucket: str, rate: float) -> int:
        now = monotonic()
        if self._tokens.get(bucket, 0.0) >= 1.0:
            self._tokens[bucket] -= 1.0
            return 0
        if self._refused.get(bucket, 0.0) > now:
            return ceil(self._refused[bucket] - now)
        if len(self._tokens) + len(self._refused) > _REMEMBERED:
            self._tokens.clear()
            self._refused.clear()
        burst = max(1.0, BURST_SECONDS * rate)
        try:
            given = await self.store.take(bucket, max(1.0, HANDFUL * rate), rate, burst)
        except StoreUnavailable:
            return 0  # who needs the store will hear of it there
        if given < 1.0:
            self._refused[bucket] = now + 1.0 / rate
            return max(1, ceil(1.0 / rate))
        self._tokens[bucket] = given - 1.0
        return 0


def _run_of(path: str) -> str | None:
    """The run that a path names: what a script without a cookie is counted by."""
    _, found, after = path.partition("/runs/")
    return after.partition("/")[0] if found else None


@lru_cache(maxsize=4096)
def network(host: str) -> str:
    """A client's address; of an IPv6 one the network, for every machine has addresses without number there."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else host
