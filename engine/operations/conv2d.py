"""Convolution: one small kernel for each pair of channels, laid over every place of an image, as it is, not turned.

All that the places look at stands side by side in one matrix, a column a place and example, so that one product gives
every sum: a row a channel, which is the block of what comes out. A weight is used at every place, so what comes back
to it is the sum over them all; a number of the image is looked at from several places, so what they hand back adds up.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from engine.activations import ACTIVATIONS
from engine.arrays import Floats
from engine.operations.base import Call, Cost, Image, Node, Operation, Option, Parameter, Place
from engine.wording import Words, said

SIDES = {"1x1": 1, "3x3": 3, "5x5": 5}

_NO_ROOM: Words = "a kernel of {side} x {side} does not fit into an image of {down} x {across}"


def side_of(node: Node) -> int:
    """How many numbers a kernel has in a row."""
    return SIDES[node.option("kernel")]


def padding_of(node: Node) -> int:
    """How many zeros are thought round each image."""
    return side_of(node) // 2 if node.option("padding") == "same" else 0


def _image(node: Node) -> Image:
    k, around, stride = side_of(node), 2 * padding_of(node), int(node.option("stride"))
    _, down, across = node.takes
    if k > min(down, across) + around:
        raise ValueError(said(_NO_ROOM, side=k, down=down, across=across))
    return int(node.option("channels")), (down + around - k) // stride + 1, (across + around - k) // stride + 1


def windows(node: Node) -> Iterator[tuple[int, int, slice, slice, slice, slice]]:
    """For every place of the kernel, from 0: the places in the output whose window has it inside the image, down and
    across, and where in the image these find it."""
    k, pad, stride = side_of(node), padding_of(node), int(node.option("stride"))
    (_, down, across), (_, high, wide) = node.takes, _image(node)
    for i, j in np.ndindex(k, k):
        down_there, across_there = _inside(i - pad, stride, high, down), _inside(j - pad, stride, wide, across)
        if down_there and across_there:
            yield i, j, down_there[0], across_there[0], down_there[1], across_there[1]


def _inside(shift: int, stride: int, places: int, length: int) -> tuple[slice, slice] | None:
    first = max(0, -(shift // stride))  # the smallest place with place * stride + shift >= 0
    last = min(places - 1, (length - 1 - shift) // stride)
    if last < first:  # a place of the kernel that lies outside wherever it is laid
        return None
    begin = first * stride + shift
    return slice(first, last + 1), slice(begin, begin + (last - first) * stride + 1, stride)


def _rows(node: Node, inputs: Sequence[int]) -> int:
    return int(np.prod(_image(node)))


def _matrix(node: Node, inputs: Sequence[int]) -> tuple[int, int]:
    """A row a channel that comes out: its kernels, and the bias as last column, which meets a row of ones."""
    return int(node.option("channels")), node.takes[0] * side_of(node) ** 2 + 1


def _parameters(node: Node, inputs: Sequence[int]) -> tuple[Parameter, ...]:
    (channels, columns), k, sources = _matrix(node, inputs), side_of(node), node.takes[0]
    shape, strides = (channels, sources, k, k), (columns, k * k, k, 1)
    return (
        Parameter("W", shape, 0, strides, True, fan_in=columns - 1, fan_out=channels * k * k),
        Parameter("b", (channels,), columns - 1, (columns,)),
    )


def _places(node: Node) -> int:
    _, high, wide = _image(node)
    return high * wide


def _cost(node: Node, inputs: Sequence[int]) -> Cost:
    channels, columns = _matrix(node, inputs)
    return Cost(channels * columns * _places(node), columns * _places(node))


def _saves(node: Node, inputs: Sequence[int]) -> dict[str, int]:
    """What every place looks at, and a row of ones."""
    return {"cols": _matrix(node, inputs)[1] * _places(node)}


def _columns(node: Node, flat: Floats) -> tuple[Floats, Floats]:
    """A block of such columns as the matrix of the product, and by channel, place of the kernel, and place."""
    columns, (_, high, wide) = _matrix(node, ())[1], _image(node)
    k, examples = side_of(node), flat.shape[-1]
    matrix = flat.reshape(columns, -1)
    return matrix, matrix[:-1].reshape(node.takes[0], k, k, high, wide, examples)


def _forward(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterator[Call]:
    """Copy what the places look at, kernel place by kernel place; what lies outside stays the 0 that it is from the
    beginning. Then one product."""
    cols, by_place = _columns(node, saved[0])
    cols[:-1], cols[-1] = 0.0, 1.0
    image = inputs[0][:-1].reshape(*node.takes, -1)
    for i, j, rows, columns, their_rows, their_columns in windows(node):
        yield np.copyto, by_place[:, i, j, rows, columns], image[:, their_rows, their_columns]
    yield matrix.dot, cols, out[:-1].reshape(len(matrix), -1)


def _backward(node: Node, at: Place) -> Iterator[Call]:
    cols, _ = _columns(node, at.saved[0])
    dz, (into,) = at.d_out[:-1].reshape(len(at.matrix), -1), at.into
    yield dz.dot, cols.T, at.gradient
    if into is None:
        return
    dcols, by_place = _columns(node, np.empty_like(at.saved[0]))
    dimage = into[:-1].reshape(*node.takes, -1)
    yield at.matrix.T.dot, dz, dcols  # with a row for the ones, so that W needs no copy without its bias
    yield into.fill, 0.0
    for i, j, rows, columns, their_rows, their_columns in windows(node):
        mine = dimage[:, their_rows, their_columns]
        yield np.add, mine, by_place[:, i, j, rows, columns], mine


CONV2D = Operation(
    "conv2d",
    "Convolution",
    "z",
    "Lays small kernels over every place of an image; the same few weights look at all of them.",
    (
        Option("channels", "How many channels, or feature maps, it gives.", limit="units"),
        Option("kernel", "How large each kernel is.", choices=tuple(SIDES), default="3x3"),
        Option(
            "activation",
            "What is applied to every sum.",
            choices=tuple(name for name, entry in ACTIVATIONS.items() if entry.product is None),
            default="relu",
        ),
        Option(
            "padding",
            "Whether zeros round the image keep its size, or kernels stay inside it.",
            choices=("same", "valid"),
            default="same",
            said=False,
        ),
        Option(
            "stride",
            "How many places it moves on at a time.",
            bounds=(1, 2),
            default=1,
            whole=True,
            said=False,
        ),
    ),
    _rows,
    _cost,
    _forward,
    _backward,
    _matrix,
    _parameters,
    saves=_saves,
    image=_image,
)
