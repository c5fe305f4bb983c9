"""The operations, one module a kind: what a network can be made of, one table entry each."""

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


def behind() -> tuple[Operation, ...]:
    """What may stand behind an activation, and gives numbers of its own."""
    return tuple(entry for entry in OPERATIONS.values() if entry.rank > ACTIVATION.rank and entry.letter)


def letters_behind() -> dict[str, None]:
    """What these give and get back, by letter."""
    return dict.fromkeys(
        name for each in behind() for name in (each.letter, *([] if each.passes else ["d" + each.letter]))
    )
