"""How many runs there may be, of a visitor, from an address and in all, and who makes room for another.

Nobody loses a run to somebody who has more: who has most makes room, by the one idle longest, and never by one that was
acted on within the busy time. A store that is full takes no new run, and loses none.
"""

from hashlib import sha256
from math import ceil
from time import time

from app.failures import TooMany
from app.serve.limits import CALLER, Buckets
from app.settings import Settings
from app.stores import Store
from engine.wording import Words, said

AT_ONCE = 50  # runs that make room together, so that a full house is not counted for each that comes
COUNTED_SECONDS = 5.0
KIND = "run:"


def source_of(owner: str) -> str:
    """Where a new run counts: at the address that the request came from, as a hash; at its owner without one."""
    address = CALLER.get()
    return sha256(address.encode()).hexdigest()[:16] if address else owner


class Capacity:
    """The limits on runs of one store. Its methods raise TooMany."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self._rates = Buckets(settings.runs_rate, settings.runs_burst)
        self._counted, self._count = 0.0, 0

    async def admit(self, owner: str) -> None:
        """Let one more run in, of this owner and from the address that asks; another makes room if there must be."""
        source, settings = source_of(owner), self.settings
        if seconds := self._rates.wait(source):
            raise TooMany("too many new runs from this address", ceil(seconds))
        if len(await self.store.owned(owner, KIND)) >= settings.runs_per_visitor:
            await self._let_go(
                await self._idle(1, owner=owner), settings.runs_per_visitor, "there are {limit:,} runs of one visitor"
            )
        held = await self.store.count(KIND, source)
        if held >= settings.runs_per_address:
            await self._let_go(
                await self._idle(1, source=source),
                settings.runs_per_address,
                "there are {limit:,} runs from one address",
            )
        if time() - self._counted > COUNTED_SECONDS:
            self._counted, self._count = time(), await self.store.count(KIND)
        if self._count >= settings.runs_in_all:
            await self._let_go(await self._most(source, held), settings.runs_in_all, "there are {limit:,} runs in all")
        self._count += 1

    async def _most(self, source: str, held: int) -> list[str]:
        """Runs that make room where there are too many in all: of who has most, and more than the one who asks."""
        for name, count in await self.store.sources(KIND):
            if count <= held and name != source:
                break
            if found := await self._idle(max(1, min(AT_ONCE, (count - held) // 2)), source=name):
                return found
        return []

    async def _idle(self, most: int, owner: str | None = None, source: str | None = None) -> list[str]:
        return await self.store.oldest(KIND, time() - self.settings.busy_seconds, most, owner, source)

    async def _let_go(self, keys: list[str], limit: int, there: Words) -> None:
        if not keys:
            raise TooMany(
                "{there}, as many as there may be, and none of those that could make room has been idle for "
                "{minutes:g} minutes",
                60,
                there=said(there, limit=limit),
                minutes=self.settings.busy_seconds / 60,
            )
        for key in keys:
            await self.store.delete(key)
            self._count -= 1
