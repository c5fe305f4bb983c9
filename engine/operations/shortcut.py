"""The shortcut, or residual connection: what an earlier layer gave is added to what this one gives.

One number takes two ways, so what comes back over both of them adds up: over the shortcut as it is, which is why the
first layers of a deep network still hear from the loss.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from engine.arrays import Floats
from engine.equation import Tree
from engine.operations.base import Call, Cost, Node, Operation, Option, Place
from engine.wording import said


def _rows(node: Node, inputs: Sequence[int]) -> int:
    own, added = inputs
    if own != added:
        raise ValueError(said("{added} numbers cannot be added to {own}", added=added, own=own))
    return own


def _cost(node: Node, inputs: Sequence[int]) -> Cost:
    return Cost(0, inputs[0])


def _forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> tuple[Call, ...]:
    own, added = inputs
    return ((np.add, own[:-1], added[:-1], out[:-1]),)


def _backward(node: Node, at: Place) -> Iterable[Call]:
    return ()  # it passes on what it gets, to both


def _equation(node: Node, inputs: Sequence[Tree]) -> Tree:
    own, added = inputs
    return own + added


SHORTCUT = Operation(
    "shortcut",
    "Shortcut",
    "o",
    "Adds what an earlier layer gave, so that gradients get past the layers between unchanged.",
    (Option("over", "How many layers it leads round: 1 starts right below this layer.", limit="hidden_layers"),),
    _rows,
    _cost,
    _forward,
    _backward,
    rank=4,
    passes=True,
    equation=_equation,
)
