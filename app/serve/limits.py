"""How many requests a second: token buckets in this process's memory, by visitor or run, and by address.

A bucket is known by a short hash, and there are only so many of them: for more the ones used longest ago make room, as
if they were full again. Nothing of them is in the store.
"""

from collections import OrderedDict
from contextvars import ContextVar
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address, ip_network
from math import ceil
from re import compile
from time import monotonic

from starlette.types import Scope

from app.serve.given import Serving

BURST_SECONDS = 2.0
MOST = 20_000  # buckets of one kind: some 4 MB
_FREE = ("/healthz", "/readyz", "/metrics", "/api/v1/healthz")
_RUN = compile(r"/runs/([\w-]{22})(?:/|$)")  # an id of ours, and nothing else that stands there


class Buckets:
    """Token buckets that fill at `rate` a second up to `burst`."""

    def __init__(self, rate: float, burst: float, most: int = MOST) -> None:
        self.rate, self.burst, self.most = rate, max(1.0, burst), most
        self._levels: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def wait(self, name: str) -> float:
        """Seconds until a token is there; 0 if there was one, which is taken."""
        key, now = blake2b(name.encode(), digest_size=16).digest(), monotonic()
        level, at = self._levels.pop(key, (self.burst, now))
        level = min(self.burst, level + self.rate * (now - at))
        enough = level >= 1.0
        self._levels[key] = (level - 1.0 if enough else level, now)
        if len(self._levels) > self.most:
            self._levels.popitem(last=False)
        return 0.0 if enough else (1.0 - level) / self.rate


class Limiter:
    """Says how long a request must wait, by visitor or run and, with a far higher ceiling, by address."""

    def __init__(self, settings: Serving) -> None:
        self._names = Buckets(settings.visitor_rate, BURST_SECONDS * settings.visitor_rate)
        self._addresses = Buckets(settings.address_rate, BURST_SECONDS * settings.address_rate)
        self._files = Buckets(settings.static_rate, BURST_SECONDS * settings.static_rate)

    def wait(self, scope: Scope, visitor: str | None) -> int:
        """Whole seconds to wait before this request may come again; 0 if it is welcome now."""
        path: str = scope["path"]
        if path.startswith(_FREE):
            return 0
        address = address_of(scope)
        if path.startswith("/static/"):
            return ceil(self._files.wait(address))
        seconds = self._addresses.wait(address)
        if name := visitor or _run_of(path):
            seconds = max(seconds, self._names.wait(name))
        return ceil(seconds)


def _run_of(path: str) -> str | None:
    """The run that a path names: what a script without a cookie is counted by."""
    found = _RUN.search(path)
    return found[1] if found else None


# Whose request is under way, by address: whatever it sets going is counted there.
CALLER: ContextVar[str] = ContextVar("caller", default="")


def address_of(scope: Scope) -> str:
    """Where a request comes from, as addresses are counted."""
    return network((scope.get("client") or ("unknown", 0))[0])


@lru_cache(maxsize=4096)
def network(host: str) -> str:
    """A client's address; of an IPv6 one the network, for every machine has addresses without number there."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else host
