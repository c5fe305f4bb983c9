"""The operations, one module a kind: what a network can be made of, one table entry each."""

from collections.abc import Iterable
from functools import lru_cache

from engine.operations.activation import ACTIVATION
from engine.operations.base import Operation
from engine.operations.batch_norm import BATCH_NORM
from engine.operations.conv2d import CONV2D
from engine.operations.dense import DENSE
from engine.operations.dropout import DROPOUT
from engine.operations.flatten import FLATTEN
from engine.operations.layer_norm import LAYER_NORM
from engine.operations.pools import AVG_POOL, GLOBAL_POOL, MAX_POOL
from engine.operations.shortcut import SHORTCUT

_ENTRIES = (
    DENSE,
    CONV2D,
    ACTIVATION,
    LAYER_NORM,
    BATCH_NORM,
    DROPOUT,
    SHORTCUT,
    MAX_POOL,
    AVG_POOL,
    GLOBAL_POOL,
    FLATTEN,
)

OPERATIONS: dict[str, Operation] = {entry.name: entry for entry in _ENTRIES}


def behind(kind: str) -> Operation | None:
    """The operation behind an activation that gives numbers of this kind, or gets them back: of h and dh dropout."""
    return _behind(tuple(OPERATIONS)).get(kind)


def kinds_behind() -> Iterable[str]:
    """All kinds of these."""
    return _behind(tuple(OPERATIONS))


@lru_cache(maxsize=8)
def _behind(names: tuple[str, ...]) -> dict[str, Operation]:
    found: dict[str, Operation] = {}
    for entry in (OPERATIONS[name] for name in names):
        if entry.rank > ACTIVATION.rank and entry.letter:
            for kind in (entry.letter,) if entry.passes else (entry.letter, "d" + entry.letter):
                found.setdefault(kind, entry)
    return found
