"""The activation as a node: any entry of the table of functions, on every number or, as softmax, on a layer's whole."""

from collections.abc import Iterator, Sequence

import numpy as np

from engine.activations import ACTIVATIONS, Activation
from engine.arrays import Floats
from engine.operations.base import Call, Cost, Node, Operation, Place, Slope


def function_of(node: Node) -> Activation:
    """The entry of the table that the node applies."""
    return ACTIVATIONS[node.option("function")]


def _rows(node: Node, inputs: Sequence[int]) -> int:
    return inputs[0]


def _cost(node: Node, inputs: Sequence[int]) -> Cost:
    return Cost(0, inputs[0])


def _slope(node: Node) -> Slope | None:
    return function_of(node).derivative


def _forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> tuple[Call, ...]:
    return ((function_of(node).forward, inputs[0][:-1], out[:-1]),)


def _backward(node: Node, at: Place) -> Iterator[Call]:
    (into,), da = at.into, at.d_out[:-1]
    if into is not None:
        product = function_of(node).product
        if product:  # softmax takes its own a where others take their slope
            yield product, da, at.out[:-1], into[:-1]
        else:
            yield np.multiply, da, at.slope[:-1], into[:-1]


ACTIVATION = Operation(
    "activation",
    "Activation",
    "a",
    "Bends every sum by one function, without which a network of any depth would be a single straight line.",
    (),
    _rows,
    _cost,
    _forward,
    _backward,
    slope=_slope,
    rank=2,
)
