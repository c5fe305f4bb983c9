"""Dropout: in every step of training some of a layer's numbers are put to 0, others each time, and the rest scaled up.

The mask is drawn anew for each step and never stored; the way back goes through the very same one, so a number that
is out neither speaks nor learns. Whoever evaluates drops nothing.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from engine.arrays import Floats
from engine.equation import Tree
from engine.operations.base import Call, Cost, Node, Operation, Option, Place, Vector


def _rows(node: Node, inputs: Sequence[int]) -> int:
    return inputs[0]


def _saves(node: Node, inputs: Sequence[int]) -> dict[str, int]:
    """The mask: 0 where a number is out, else 1 / (1 - rate), so that the sums above keep their size on average."""
    return {"mask": inputs[0]}


def _cost(node: Node, inputs: Sequence[int]) -> Cost:
    return Cost(0, inputs[0])


def _forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterable[Call]:
    return ((np.multiply, inputs[0][:-1], saved[0], out[:-1]),)


def _evaluate(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterable[Call]:
    return ((np.positive, inputs[0][:-1], out[:-1]),)


def _backward(node: Node, at: Place) -> Iterator[Call]:
    (into,) = at.into
    if into is not None:
        yield np.multiply, at.d_out[:-1], at.saved[0], into[:-1]


def _equation(node: Node, inputs: Sequence[Tree]) -> Tree:
    own, mask = inputs
    return mask * own


def _drawn(node: Node, evenly: Floats) -> tuple[Vector, float]:
    rate = node.option("rate")
    return evenly >= rate, 1.0 / (1.0 - rate)


DROPOUT = Operation(
    "dropout",
    "Dropout",
    "h",
    "Puts some of a layer's numbers to 0 in every step of training, others each time, so that none may be relied upon.",
    (Option("rate", "The share that is put to 0 on average.", bounds=(0.0, 0.9), default=0.5),),
    _rows,
    _cost,
    _forward,
    _backward,
    rank=3,
    saves=_saves,
    evaluate=_evaluate,
    equation=_equation,
    drawn=_drawn,
)
