"""Runs that nobody has acted on yet: drawn from their links, kept in memory alone, and stored with the first deed.

Page, frames on other pages and classes share them: what a link leads to is the same for everybody, to the bit.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from app.run.cache import numbers_of
from app.run.record import Run
from engine import RunState

UNSAVED = "new"  # the id of a run that is not stored: its link stands beside it in every request
MOST_BYTES = 24 << 20


@dataclass(frozen=True)
class Draft:
    """A run at a step of its link, and states of its past worth keeping."""

    run: Run
    kept: Mapping[int, RunState] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        states = sum(state.parameters.nbytes + state.slots.nbytes for state in self.kept.values())
        return 8 * numbers_of(self.run) + states


class Drafts:
    """The drafts used last, by the digest of their link and their step, up to so many bytes in all."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most, self.size = most, 0
        self._drafts: OrderedDict[tuple[str, int], Draft] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock(self, link: str) -> asyncio.Lock:
        """One at a time carries a link on, so that a class that opens it at once waits for one and the same work."""
        return self._locks.setdefault(link, asyncio.Lock())

    def nearest(self, link: str, step: int) -> Draft | None:
        """The draft of a link that has come furthest, but not past `step`."""
        found = max((at for name, at in self._drafts if name == link and at <= step), default=None)
        if found is None:
            return None
        self._drafts.move_to_end((link, found))
        return self._drafts[link, found]

    def put(self, link: str, draft: Draft) -> None:
        """Remember a draft; those used longest ago make room."""
        key = (link, draft.run.state.step)
        if old := self._drafts.pop(key, None):
            self.size -= old.size
        self._drafts[key] = draft
        self.size += draft.size
        while self.size > self.most and len(self._drafts) > 1:
            self.size -= self._drafts.popitem(last=False)[1].size
