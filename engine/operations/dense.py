"""The dense layer: every unit adds up all it is given, each number times a weight of its own, and its bias."""

from collections.abc import Iterator, Sequence

from engine.activations import ACTIVATIONS
from engine.arrays import Floats
from engine.operations.base import Call, Cost, Node, Operation, Option, Parameter, Place


def _rows(node: Node, inputs: Sequence[int]) -> int:
    return int(node.option("units"))


def _matrix(node: Node, inputs: Sequence[int]) -> tuple[int, int]:
    """W with the bias as last column, which meets the inputs' row of ones."""
    return _rows(node, inputs), inputs[0] + 1


def _parameters(node: Node, inputs: Sequence[int]) -> tuple[Parameter, ...]:
    units, columns = _matrix(node, inputs)
    sources = columns - 1
    return (
        Parameter("W", (units, sources), 0, (columns, 1), is_weight=True, fan_in=sources, fan_out=units),
        Parameter("b", (units,), sources, (columns,)),
    )


def _cost(node: Node, inputs: Sequence[int]) -> Cost:
    units, columns = _matrix(node, inputs)
    return Cost(units * columns, 0)


def _forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> tuple[Call, ...]:
    return ((matrix.dot, inputs[0], out[:-1]),)


def _backward(node: Node, at: Place) -> Iterator[Call]:
    dz, (into,) = at.d_out[:-1], at.into
    yield dz.dot, at.inputs[0].T, at.gradient
    if into is not None:
        yield at.matrix.T.dot, dz, into  # with a row for the ones, so that W needs no copy without its bias


DENSE = Operation(
    "dense",
    "Dense",
    "z",
    "Every unit adds up all that reaches it, each number times its own weight, and a bias.",
    (
        Option("units", "How many units it has.", limit="units"),
        Option("activation", "What is applied to every sum.", choices=tuple(ACTIVATIONS), default="tanh"),
    ),
    _rows,
    _cost,
    _forward,
    _backward,
    _matrix,
    _parameters,
    on_x=True,
    image=lambda node: (),
)
