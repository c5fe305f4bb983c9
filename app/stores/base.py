"""What every store does: keep records by key, each with a stamp, and change one only if its stamp is the expected.

A record has a value, which is rewritten at each change, and parts by (kind, name), which are written once or seldom:
the spec a run began with, sampled points, checkpoints. One `put` writes value and parts or nothing, so an idempotency
key is simply a part that is written together with the step it stands for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import NamedTuple, Protocol

Parts = Mapping[str, Mapping[str, bytes | None]]


class Stamp(NamedTuple):
    """Which write a record is: a number that counts them, and a random token, for a store that has lost its last writes
    counts up to the same numbers again."""

    version: int
    token: str

    def next(self) -> "Stamp":
        """The stamp of a write that follows on this one, and of no other."""
        return Stamp(self.version + 1, token_hex(8))


NEW = Stamp(0, "")  # of what is not there yet


@dataclass(frozen=True)
class Record:
    """One record as it was read, at one moment: parts by kind, then by name."""

    stamp: Stamp
    owner: str
    value: bytes
    parts: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)


class Store(Protocol):
    """Every method may raise StoreUnavailable, within the time the store was given to wait; one that writes raises
    StoreUnsure if it may have been done or not."""

    async def open(self) -> None:
        """Connect; may be called again after `close`."""

    async def close(self) -> None:
        """Let go of connections."""

    async def ready(self) -> None:
        """Return if a write would succeed now."""

    async def stamp(self, key: str) -> Stamp | None:
        """The stamp of a record, cheaply; None if there is none."""

    async def get(self, key: str, kinds: Sequence[str] = ()) -> Record | None:
        """A record with all its parts of these kinds, read at one moment."""

    async def part(self, key: str, kind: str, name: str) -> bytes | None:
        """One part."""

    async def names(self, key: str, kind: str) -> list[str]:
        """The names of a record's parts of one kind."""

    async def put(
        self,
        key: str,
        value: bytes,
        *,
        expected: Stamp = NEW,
        owner: str = "",
        source: str = "",
        seconds: float,
        parts: Parts | None = None,
        content: bytes | None = None,
    ) -> Stamp | None:
        """Write value and parts (None deletes one) if the stamp is `expected`; the new one, which follows on it.

        None, and nothing written, if it is another. A new record counts as one of its `source`, for good. The record
        expires after `seconds` without a write. `content`, which a new record may bring and never changes, is kept once
        for all records that bring the same, as long as one of them is there.
        """

    async def content(self, key: str) -> bytes | None:
        """The content that a record brought. It is found by a record alone: to know its hash opens nothing."""

    async def delete(self, key: str) -> bool:
        """Remove a record and its parts; False if there was none."""

    async def owned(self, owner: str, prefix: str) -> list[tuple[str, Record]]:
        """An owner's records whose key begins with `prefix`, the one written last first, without parts."""

    async def count(self, prefix: str, source: str | None = None) -> int:
        """How many records have a key that begins with `prefix`; of one source alone, if it is named."""

    async def sources(self, prefix: str) -> list[tuple[str, int]]:
        """Sources of such records and how many each has, the one with most first: at least the first twenty."""

    async def oldest(
        self, prefix: str, before: float, most: int, owner: str | None = None, source: str | None = None
    ) -> list[str]:
        """Keys not written since `before` (Unix time), the oldest first: at most `most`, of an owner or a source."""

    async def sweep(self) -> int:
        """Remove what has expired; how many records that were."""
