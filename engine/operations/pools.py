"""Pools: of every window of a feature map its largest number, or the mean; and the mean of a whole map.

On the way back only the winner gets what comes to its window, of equals the first, row by row; of a mean all share it.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from engine.arrays import Floats
from engine.operations.base import Call, Cost, Image, Node, Operation, Option, Place
from engine.wording import Words, said

_NO_ROOM: Words = "a window of {side} x {side} does not fit into an image of {down} x {across}"


def _size(node: Node) -> int:
    return int(node.option("size"))


def _image(node: Node) -> Image:
    side, (channels, down, across) = _size(node), node.takes
    if side > min(down, across):
        raise ValueError(said(_NO_ROOM, side=side, down=down, across=across))
    return channels, down // side, across // side


def _rows(node: Node, inputs: Sequence[int]) -> int:
    return int(np.prod(_image(node)))


def _global_rows(node: Node, inputs: Sequence[int]) -> int:
    return node.takes[0]


def _cost(node: Node, inputs: Sequence[int]) -> Cost:
    return Cost(0, inputs[0])


def _parts(node: Node, block: Floats) -> list[Floats]:
    """Of an image its first numbers of all windows, its second ones, and so on, row by row."""
    side, (_, high, wide) = _size(node), _image(node)
    image = block[:-1].reshape(*node.takes, -1)
    return [image[:, i : side * high : side, j : side * wide : side] for i, j in np.ndindex(side, side)]


def _pooled(node: Node, block: Floats) -> Floats:
    """The block of what comes out, by channel and place."""
    return block[:-1].reshape(*_image(node), -1)


def _cleared(node: Node, into: Floats) -> Iterator[Call]:
    """What no window looks at gets nothing back."""
    if any(length % _size(node) for length in node.takes[1:]):
        yield into.fill, 0.0


def _max_forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterator[Call]:
    """A chain of maxima, which is three times as fast as one over two axes."""
    first, *others = _parts(node, inputs[0])
    largest = _pooled(node, out)
    if not others:
        yield np.copyto, largest, first
    for one, other in zip((first, *[largest] * len(others)), others, strict=False):
        yield partial(np.maximum, out=largest), one, other


def _max_backward(node: Node, at: Place) -> Iterator[Call]:
    (into,) = at.into
    if into is None:
        return
    largest, back = _pooled(node, at.out), _pooled(node, at.d_out)
    wins, taken = np.empty((2, *largest.shape), bool)
    yield from _cleared(node, into)
    pairs = zip(_parts(node, at.inputs[0]), _parts(node, into), strict=True)
    for n, (own, given) in enumerate(pairs):
        yield np.equal, own, largest, wins
        if n:
            yield np.greater, wins, taken, wins  # it is the largest, and none before it was
            yield np.logical_or, taken, wins, taken
        else:
            yield np.copyto, taken, wins
        yield np.multiply, back, wins, given


def _avg_forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterator[Call]:
    first, *others = _parts(node, inputs[0])
    mean = _pooled(node, out)
    yield np.copyto, mean, first
    for other in others:
        yield np.add, mean, other, mean
    yield np.multiply, mean, 1.0 / _size(node) ** 2, mean


def _avg_backward(node: Node, at: Place) -> Iterator[Call]:
    (into,) = at.into
    if into is None:
        return
    yield from _cleared(node, into)
    for given in _parts(node, into):
        yield np.multiply, _pooled(node, at.d_out), 1.0 / _size(node) ** 2, given


def _global_forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterator[Call]:
    maps, mean = inputs[0][:-1].reshape(node.takes[0], node.places, -1), out[:-1]
    yield np.add.reduce, maps, 1, None, mean
    yield np.multiply, mean, 1.0 / node.places, mean


def _global_backward(node: Node, at: Place) -> Iterator[Call]:
    (into,) = at.into
    if into is not None:
        maps = into[:-1].reshape(node.takes[0], node.places, -1)
        yield np.multiply, at.d_out[:-1][:, None], 1.0 / node.places, maps


_SIZE = Option("size", "How many numbers a window has in a row.", bounds=(2, 4), default=2, whole=True)
MAX_POOL = Operation(
    "max_pool",
    "Max pool",
    "v",
    "Of every window of a feature map only the largest number goes on, and only it gets back what comes.",
    (_SIZE,),
    _rows,
    _cost,
    _max_forward,
    _max_backward,
    rank=3,
    image=_image,
    anywhere=True,
)
AVG_POOL = Operation(
    "avg_pool",
    "Average pool",
    "v",
    "Of every window of a feature map the mean goes on, and all of its numbers share what comes back.",
    (_SIZE,),
    _rows,
    _cost,
    _avg_forward,
    _avg_backward,
    rank=3,
    image=_image,
    anywhere=True,
)
GLOBAL_POOL = Operation(
    "global_pool",
    "Global average pool",
    "v",
    "Of every feature map the mean goes on as one number, and all of its places share what comes back.",
    (),
    _global_rows,
    _cost,
    _global_forward,
    _global_backward,
    rank=3,
    image=lambda node: (),
    anywhere=True,
)
