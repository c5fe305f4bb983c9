"""The operations, one module a kind: what a network can be made of, one table entry each."""

from engine.operations.activation import ACTIVATION
from engine.operations.base import Operation
from engine.operations.batch_norm import BATCH_NORM
from engine.operations.dense import DENSE
from engine.operations.dropout import DROPOUT
from engine.operations.layer_norm import LAYER_NORM
from engine.operations.shortcut import SHORTCUT

OPERATIONS: dict[str, Operation] = {
    entry.name: entry for entry in (DENSE, ACTIVATION, LAYER_NORM, BATCH_NORM, DROPOUT, SHORTCUT)
}
