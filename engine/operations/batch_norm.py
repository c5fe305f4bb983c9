"""Batch normalization: what each unit sums up is brought to mean 0 and spread 1 over the examples of a mini-batch.

So in training no example stands alone: each moves the mean and the spread of all. Whoever evaluates takes the running
mean and variance in their place, which every step of training moves a little towards those of its mini-batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from engine.arrays import Floats
from engine.operations import normalizing
from engine.operations.base import Call, Node, Operation, Place

MOMENTUM = 0.1  # the share of the newest mini-batch in the running mean and variance


def over_examples(like: Floats) -> tuple[Callable[[Floats], Call], Floats]:
    """The mean of what each unit has."""
    units, examples = like.shape
    share, mean = np.full(examples, 1.0 / examples, like.dtype), np.empty(units, like.dtype)
    return lambda values: (np.dot, values, share, mean), mean[:, None]


def _saves(node: Node, inputs: Sequence[int]) -> dict[str, int]:
    """What is normalized, and by which mean and spread: of a unit all examples share these, and all places of a map."""
    units = normalizing.units_of(node, inputs)
    return {"xhat": inputs[0], "mean": units, "spread": units}


def _seen(node: Node) -> normalizing.Seen:
    return lambda block: (normalizing.by_unit(node, block),) * 2


def _forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterator[Call]:
    return normalizing.forward(over_examples, _seen(node), inputs, out, matrix, saved)


def _evaluate(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterable[Call]:
    """By the running mean and variance, which are given in place of what is saved."""
    z, n = (normalizing.by_unit(node, block[:-1]) for block in (inputs[0], out))
    (gamma, beta), (mean, variance) = matrix[:, :, None], saved
    yield np.subtract, z, mean[:, None].astype(out.dtype), n
    yield np.divide, n, np.sqrt(variance[:, None] + normalizing.EPSILON).astype(out.dtype), n
    yield np.multiply, n, gamma, n
    yield np.add, n, beta, n


def _backward(node: Node, at: Place) -> Iterable[Call]:
    return normalizing.backward(over_examples, _seen(node), at)


BATCH_NORM = Operation(
    "batch_norm",
    "Batch norm",
    "n",
    "Brings what each unit sums up over a mini-batch to mean 0 and spread 1, then scales and shifts; tests use running "
    "ones.",
    (),
    normalizing.rows,
    normalizing.cost,
    _forward,
    _backward,
    normalizing.matrix,
    normalizing.parameters,
    rank=1,
    saves=_saves,
    evaluate=_evaluate,
    running=normalizing.matrix,
)
