"""Layer normalization: each example's sums in a layer are brought to mean 0 and spread 1, whatever their size was.

It stands between the sums and their activation, which so meets numbers of one size in every layer.
"""

from collections.abc import Iterable, Iterator, Sequence

from engine.arrays import Floats
from engine.operations import normalizing
from engine.operations.base import Call, Node, Operation, Place


def _saves(node: Node, inputs: Sequence[int]) -> dict[str, int]:
    """What is normalized, and by which mean and spread: of an example all units share these."""
    return {"xhat": inputs[0], "mean": 1, "spread": 1}


def _seen(node: Node) -> normalizing.Seen:
    """Of an image all numbers are taken together; gains and shifts are one a channel."""
    return lambda block: (block, normalizing.by_unit(node, block))


def _forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterator[Call]:
    return normalizing.forward(normalizing.over_units, _seen(node), inputs, out, matrix, saved)


def _backward(node: Node, at: Place) -> Iterable[Call]:
    return normalizing.backward(normalizing.over_units, _seen(node), at)


LAYER_NORM = Operation(
    "layer_norm",
    "Layer norm",
    "n",
    "Brings each example's sums in the layer to mean 0 and spread 1 before their activation, then scales and shifts.",
    (),
    normalizing.rows,
    normalizing.cost,
    _forward,
    _backward,
    normalizing.matrix,
    normalizing.parameters,
    rank=1,
    saves=_saves,
)
