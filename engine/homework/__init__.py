"""What a diagnosis knows: every operation by name."""

from engine.homework import activations
from engine.homework.base import Backward
from engine.homework.convolution import CONV2D
from engine.homework.dense import DENSE, SHORTCUT
from engine.homework.dropout import DROPOUT
from engine.homework.losses import SOFTMAX_CROSS_ENTROPY
from engine.homework.norms import BATCH_NORM, LAYER_NORM
from engine.homework.pools import AVG_POOL, FLATTEN, GLOBAL_POOL, MAX_POOL

BACKWARD: dict[str, Backward] = {
    entry.name: entry
    for entry in (
        DENSE,
        *activations.ENTRIES,
        SOFTMAX_CROSS_ENTROPY,
        DROPOUT,
        BATCH_NORM,
        LAYER_NORM,
        CONV2D,
        MAX_POOL,
        AVG_POOL,
        GLOBAL_POOL,
        FLATTEN,
        SHORTCUT,
    )
}
