"""Flatten: an image's numbers one after the other, channel by channel, row by row, as a dense layer takes them.

They stand so already, so it costs nothing, and no node is made for it.
"""

from collections.abc import Iterable, Sequence

from engine.arrays import Floats
from engine.operations.base import Call, Cost, Node, Operation, Place


def _rows(node: Node, inputs: Sequence[int]) -> int:
    return inputs[0]


def _cost(node: Node, inputs: Sequence[int]) -> Cost:
    return Cost(0, 0)


def _forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterable[Call]:
    return ()


def _backward(node: Node, at: Place) -> Iterable[Call]:
    return ()


FLATTEN = Operation(
    "flatten",
    "Flatten",
    "",
    "Gives an image on as plain numbers, row by row; a dense layer takes it so in any case.",
    (),
    _rows,
    _cost,
    _forward,
    _backward,
    rank=5,
    passes=True,
    image=lambda node: (),
)
