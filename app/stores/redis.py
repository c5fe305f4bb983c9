"""Runs in Redis, for several machines: every change is one Lua script, which Redis runs whole or not at all.

The client neither waits long nor tries again by itself: a repeated compare-and-set would report its own success as a
conflict. It is the visitor's idempotency key that makes a repeated request safe.
"""

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from hashlib import sha256
from time import time
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, RedisError, ResponseError

from app.failures import StoreFull, StoreUnavailable, StoreUnsure
from app.stores.base import NEW, Parts, Record, Stamp

# Names: r: a record's hash (v version, t token, o owner, x value, k kinds), p: a hash of parts for each kind, i: keys
# of one prefix by time of writing, o: the same of one owner, s: of one source, S: the sources, q: every key's source,
# e: all keys by time of expiry, d: a content by its hash, u: the keys that use it, c: the hash of a key's content;
# these three go when their last key does.
_NAMES = """
local function split(key) return string.match(key, '^[^:]*') end
local function release(key)
  local hash = redis.call('GET', 'bp:c:' .. key)
  if not hash then return end
  redis.call('DEL', 'bp:c:' .. key)
  redis.call('SREM', 'bp:u:' .. hash, key)
  if redis.call('EXISTS', 'bp:u:' .. hash) == 0 then redis.call('DEL', 'bp:d:' .. hash) end
end
local function forget(key)
  release(key)
  local kept = redis.call('HMGET', 'bp:r:' .. key, 'o', 'k')
  if kept[2] then
    for kind in string.gmatch(kept[2], '%S+') do redis.call('DEL', 'bp:p:' .. key .. ':' .. kind) end
  end
  if kept[1] then redis.call('ZREM', 'bp:o:' .. kept[1] .. ':' .. split(key), key) end
  local source = redis.call('HGET', 'bp:q', key)
  if source then
    redis.call('ZREM', 'bp:s:' .. source .. ':' .. split(key), key)
    redis.call('HDEL', 'bp:q', key)
  end
  redis.call('ZREM', 'bp:i:' .. split(key), key)
  redis.call('ZREM', 'bp:e', key)
  return redis.call('DEL', 'bp:r:' .. key)
end
"""
_PUT = (
    _NAMES
    + """
local key, expected, token, version, written, value, owner, source, now, seconds, hash, content = unpack(ARGV)
local name = 'bp:r:' .. key
local kept = redis.call('HMGET', name, 'v', 'o', 'k', 't')
if (kept[1] or '0') ~= expected or (kept[4] or '') ~= token then return 0 end
local kinds = kept[3] or ''
owner = kept[2] or owner
redis.call('HSET', name, 'v', version, 't', written, 'o', owner, 'x', value)
if expected == '0' then release(key) end -- of a record of this name that has expired
if hash ~= '' then
  redis.call('SET', 'bp:d:' .. hash, content)
  redis.call('SADD', 'bp:u:' .. hash, key)
  redis.call('SET', 'bp:c:' .. key, hash)
end
for i = 13, #ARGV, 4 do
  local kind, part, number, keep = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local named = 'bp:p:' .. key .. ':' .. kind
  if keep == '1' then redis.call('HSET', named, part, number) else redis.call('HDEL', named, part) end
  if not string.find(' ' .. kinds .. ' ', ' ' .. kind .. ' ', 1, true) then kinds = kinds .. ' ' .. kind end
end
redis.call('HSET', name, 'k', kinds)
local milliseconds = math.ceil(seconds * 1000)
redis.call('PEXPIRE', name, milliseconds)
for kind in string.gmatch(kinds, '%S+') do redis.call('PEXPIRE', 'bp:p:' .. key .. ':' .. kind, milliseconds) end
redis.call('ZADD', 'bp:i:' .. split(key), now, key)
redis.call('ZADD', 'bp:o:' .. owner .. ':' .. split(key), now, key)
redis.call('PEXPIRE', 'bp:o:' .. owner .. ':' .. split(key), milliseconds)
source = redis.call('HGET', 'bp:q', key) or source
if source ~= '' then
  redis.call('HSET', 'bp:q', key, source)
  redis.call('ZADD', 'bp:s:' .. source .. ':' .. split(key), now, key)
  redis.call('SADD', 'bp:S:' .. split(key), source)
end
redis.call('ZADD', 'bp:e', now + seconds, key)
return 1
"""
)
_DELETE = _NAMES + "return forget(ARGV[1])"
_SWEEP = (
    _NAMES
    + """
local keys = redis.call('ZRANGEBYSCORE', 'bp:e', '-inf', ARGV[1], 'LIMIT', 0, 500)
for _, key in ipairs(keys) do forget(key) end
return #keys
"""
)
_SOURCES = """
local found = {}
for _, source in ipairs(redis.call('SMEMBERS', 'bp:S:' .. ARGV[1])) do
  local held = redis.call('ZCARD', 'bp:s:' .. source .. ':' .. ARGV[1])
  if held == 0 then redis.call('SREM', 'bp:S:' .. ARGV[1], source) else table.insert(found, {source, held}) end
end
table.sort(found, function(one, other) return one[2] > other[2] end)
local most = {}
for i = 1, math.min(100, #found) do most[i] = found[i] end
return most
"""
_GET = """
local name = 'bp:r:' .. ARGV[1]
local found = redis.call('HMGET', name, 'v', 't', 'o', 'x')
if not found[1] then return nil end
found[2] = found[2] or ''
for i = 2, #ARGV do found[i + 3] = redis.call('HGETALL', 'bp:p:' .. ARGV[1] .. ':' .. ARGV[i]) end
return found
"""
_CONTENT = """
local hash = redis.call('GET', 'bp:c:' .. ARGV[1])
if not hash or redis.call('EXISTS', 'bp:r:' .. ARGV[1]) == 0 then return nil end
return redis.call('GET', 'bp:d:' .. hash)
"""


class RedisStore:
    """A `Store` in the Redis server at `url`."""

    def __init__(self, url: str, wait: float = 0.5) -> None:
        patience: dict[str, Any] = {"socket_timeout": wait / 2, "socket_connect_timeout": wait / 2}
        self._redis = Redis.from_url(url, max_connections=200, retry=Retry(NoBackoff(), 0), **patience)
        self._put = self._redis.register_script(_PUT)
        self._get = self._redis.register_script(_GET)
        self._delete = self._redis.register_script(_DELETE)
        self._sources = self._redis.register_script(_SOURCES)
        self._sweep = self._redis.register_script(_SWEEP)
        self._content = self._redis.register_script(_CONTENT)

    async def open(self) -> None:
        """Connect. A server that does not answer is no reason not to start: readiness will say so."""

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _ask(self, answer: Awaitable[Any] | Any) -> Any:
        try:
            return await cast(Awaitable[Any], answer)
        except OutOfMemoryError as error:
            raise StoreFull from error
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable("the store does not answer") from error

    async def _do(self, answer: Awaitable[Any] | Any) -> Any:
        """The same of what writes: without an answer nobody knows whether it was done, or still will be."""
        try:
            return await self._ask(answer)
        except StoreFull:
            raise
        except StoreUnavailable as error:
            if isinstance(error.__cause__, ResponseError):
                raise
            raise StoreUnsure(error.reason) from error.__cause__

    async def ready(self) -> None:
        """Return if a write succeeds."""
        await self._ask(self._redis.set("bp:ready", "1", ex=60))

    async def stamp(self, key: str) -> Stamp | None:
        """The stamp of a record; None if there is none."""
        version, token = await self._ask(self._redis.hmget(f"bp:r:{key}", ["v", "t"]))
        return None if version is None else _stamp(version, token)

    async def get(self, key: str, kinds: Sequence[str] = ()) -> Record | None:
        """A record with all its parts of these kinds."""
        found = await self._ask(self._get(args=[key, *kinds]))
        if found is None:
            return None
        version, token, owner, value, *flat = found
        parts = {kind: _pairs(each) for kind, each in zip(kinds, flat, strict=True)}
        return Record(_stamp(version, token), owner.decode(), value, parts)

    async def part(self, key: str, kind: str, name: str) -> bytes | None:
        """One part."""
        return cast("bytes | None", await self._ask(self._redis.hget(f"bp:p:{key}:{kind}", name)))

    async def names(self, key: str, kind: str) -> list[str]:
        """The names of a record's parts of one kind."""
        return [name.decode() for name in await self._ask(self._redis.hkeys(f"bp:p:{key}:{kind}"))]

    async def put(
        self, key: str, value: bytes, *,
        expected: Stamp = NEW, owner: str = "", source: str = "", seconds: float,
        parts: Parts | None = None, content: bytes | None = None,
    ) -> Stamp | None:  # fmt: skip
        """Write value and parts if the stamp is `expected`; if no answer comes, see whether they are there."""
        written = expected.next()
        arguments: list[Any] = [key, *expected, *written, value, owner, source, time(), seconds]
        arguments += ["", ""] if content is None else [sha256(content).hexdigest(), content]
        for kind, named in (parts or {}).items():
            for name, part in named.items():
                arguments += [kind, name, part or b"", 0 if part is None else 1]
        try:
            return written if await self._do(self._put(args=arguments)) else None
        except StoreUnsure as unsure:
            with suppress(StoreUnavailable):
                if await self.stamp(key) == written:
                    return written
            raise unsure

    async def content(self, key: str) -> bytes | None:
        """The content that a record brought."""
        return cast("bytes | None", await self._ask(self._content(args=[key])))

    async def delete(self, key: str) -> bool:
        """Remove a record and its parts."""
        return bool(await self._do(self._delete(args=[key])))

    async def owned(self, owner: str, prefix: str) -> list[tuple[str, Record]]:
        """An owner's records, the one written last first."""
        index = f"bp:o:{owner}:{prefix.rstrip(':')}"
        keys = [key.decode() for key in await self._ask(self._redis.zrevrange(index, 0, -1))]
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.hmget(f"bp:r:{key}", ["v", "t", "o", "x"])
        rows = await self._ask(pipe.execute()) if keys else []
        return [
            (key, Record(_stamp(version, token), owned_by.decode(), value))
            for key, (version, token, owned_by, value) in zip(keys, rows, strict=True)
            if version is not None
        ]

    async def count(self, prefix: str, source: str | None = None) -> int:
        """How many records have a key that begins with `prefix`, of one source or of all."""
        return int(await self._ask(self._redis.zcard(_index(prefix, source=source))))

    async def sources(self, prefix: str) -> list[tuple[str, int]]:
        """Sources and how many records each has, the one with most first."""
        return [(name.decode(), int(held)) for name, held in await self._ask(self._sources(args=[prefix.rstrip(":")]))]

    async def oldest(
        self, prefix: str, before: float, most: int, owner: str | None = None, source: str | None = None
    ) -> list[str]:
        """Keys not written since `before`, the oldest first."""
        index = _index(prefix, owner, source)
        found = await self._ask(self._redis.zrangebyscore(index, "-inf", f"({before}", start=0, num=most))
        return [key.decode() for key in found]

    async def sweep(self) -> int:
        """Remove what has expired from the indexes; the records themselves Redis expires."""
        return int(await self._ask(self._sweep(args=[time()])))


def _stamp(version: bytes, token: bytes | None) -> Stamp:
    return Stamp(int(version), (token or b"").decode())


def _pairs(flat: Sequence[bytes]) -> dict[str, bytes]:
    """name, value, name, value … as a mapping."""
    return {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}


def _index(prefix: str, owner: str | None = None, source: str | None = None) -> str:
    """The keys of one kind by time of writing: all, or those of an owner or a source."""
    kind = prefix.rstrip(":")
    if owner is not None:
        return f"bp:o:{owner}:{kind}"
    return f"bp:i:{kind}" if source is None else f"bp:s:{source}:{kind}"
