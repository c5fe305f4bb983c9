"""What an operation is: one kind of node, and everything that the engine asks of it.

Arrays are feature-major blocks, (rows + 1, examples): a row for every number of an example, and last a row of ones, so
that one product with a matrix adds the bias, too. A gradient's block has that row as well, and nobody reads it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

import numpy as np

from engine.arrays import Floats
from engine.equation import Tree
from engine.wording import Words

Vector = np.ndarray[Any, np.dtype[Any]]
NOTHING: Floats = np.empty((0, 0))

Image = tuple[int, ...]  # channels, height, width; of plain numbers nothing

Call = tuple[Any, ...]  # a function, and what it is called with
Value = int | float | str  # of an option
Slope = Callable[[Floats, Floats, Floats], None]


@dataclass(frozen=True)
class Option:
    """One setting of an operation as the field `layers` spells it: by its name in JSON, by its place in the short text.

    A whole number from 1 to `limit` (a name of `Limits`), a number within `bounds`, a whole one if they are `whole`, or
    one of `choices`. `default` None: it must be given. One that is not `said` is left out of the short text where it,
    and all after it, are the default.
    """

    name: str
    sentence: Words
    limit: str = ""
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    default: Value | None = None
    whole: bool = False
    said: bool = True


@dataclass(frozen=True)
class Parameter:
    """One named array of parameters in a flat vector: where its first number stands, and how far it is to the next one
    along each of its axes.

    An operation counts from the beginning of its own matrix, and knows no layer; `placed` is the same in a network. A
    weight is drawn, with its fan-in and fan-out, and penalized; what is none, such as a bias, is `first` at first, and
    is free.
    """

    letter: str
    shape: tuple[int, ...]
    start: int
    strides: tuple[int, ...]
    is_weight: bool = False
    fan_in: int = 0
    fan_out: int = 0
    first: float = 0.0
    layer: int = 0

    def placed(self, layer: int, offset: int) -> "Parameter":
        """That of a layer whose matrix begins at the offset."""
        return replace(self, layer=layer, start=offset + self.start)

    def of(self, flat: Vector) -> Vector:
        """Its view of the flat vector, of whatever type."""
        return np.ndarray(self.shape, flat.dtype, flat, *self._in_bytes[flat.itemsize])

    @cached_property
    def _in_bytes(self) -> dict[int, tuple[int, tuple[int, ...]]]:
        """Its start and strides in bytes, by those of a number: counted once, for every step is looked at."""
        return {n: (n * self.start, tuple(n * each for each in self.strides)) for n in (1, 2, 4, 8, 16)}

    def place(self, index: Sequence[int]) -> int | None:
        """Where a number, counted from 1 along each axis, stands in the flat vector; None if there is none such."""
        if len(index) != len(self.shape) or not all(1 <= i <= end for i, end in zip(index, self.shape, strict=True)):
            return None
        return self.start + sum((i - 1) * stride for i, stride in zip(index, self.strides, strict=True))

    def index(self, place: int) -> tuple[int, ...] | None:
        """The inverse of `place`; None if what stands there is none of its numbers."""
        left, found = place - self.start, list[int]()
        for stride in self.strides:
            i, left = divmod(left, stride)
            found.append(i + 1)
        return None if left or self.place(found) is None else tuple(found)


@dataclass(frozen=True)
class Cost:
    """What a node takes for one example: multiplications in products, and numbers that are made one by one."""

    multiplications: int
    activations: int

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.multiplications + other.multiplications, self.activations + other.activations)


@dataclass(frozen=True)
class Node:
    """One operation in a network: `inputs` are the numbers of the values that it takes.

    Value 0 is x, and node n, counted from 1, gives value n. `layer`, from 1, is the one that it belongs to: a layer is
    one operation with weights, and what is attached to it. `takes` is the shape of the image that it takes, whose
    numbers stand in its rows channel by channel, row by row; where it takes plain numbers it is empty.
    """

    operation: str
    layer: int
    inputs: tuple[int, ...]
    options: tuple[tuple[str, Value], ...] = ()
    takes: Image = ()

    def option(self, name: str) -> Any:
        """The value of one of its options."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Value]:
        return dict(self.options)

    @property
    def places(self) -> int:
        """How many places one of its channels has; a plain number is a channel of one place."""
        return prod(self.takes[1:])


class Place(NamedTuple):
    """Where a node works: the blocks that it takes and gives, and its matrix and that one's gradient if it has one.

    Backwards it reads `d_out` and writes its contribution for each input into `into`, None where nobody asks for it.
    `slope` holds an elementwise node's derivative, which is taken before its own calls; `saved` is what the node keeps
    from its way forward.
    """

    inputs: Sequence[Floats]
    out: Floats
    matrix: Floats
    gradient: Floats
    d_out: Floats
    into: Sequence[Floats | None]
    slope: Floats
    saved: Sequence[Floats] = ()


Forward = Callable[[Node, Sequence[Floats], Floats, Floats, Sequence[Floats]], Iterable[Call]]
Backward = Callable[[Node, Place], Iterable[Call]]
Drawn = Callable[[Node, Floats], tuple[Vector, float]]


@dataclass(frozen=True)
class Operation:
    """One kind of node.

    `letter` names what it gives, at its layer's stage: z, n, a, h, o. `rank` is 0 for what begins a layer; what is
    attached to one stands in the order of its rank. `rows(node, inputs)` is how many numbers that is for an example,
    from how many it takes. `matrix` is the shape of its parameters, and `parameters` what is in them by name, where it
    has some; those of what is attached to a layer stand after those of all layers. `saves` is what it keeps on its way
    forward for its way back, or is given for both, such as a mask: blocks of so many rows by name. `forward(node,
    inputs, out, matrix, saved)` and `backward(node, place)` are the calls of both passes; `evaluate` those of a forward
    pass that is not training, where they are others. `running` is the shape of what training keeps for that, means
    above and variances below, which `evaluate` is given as `saved`.

    `on_x` says that x itself, which is another array in every step, may be its input: its two calls that meet x are
    `matrix.dot(x, out)` and `d_out.dot(x.T, gradient)`, and these are left open. `slope` is the derivative of an
    elementwise operation, f(in, out, result), which neighbours share. `image` is the shape that it gives, of an image;
    as a rule the one that it takes. `anywhere`: it may stand at any place after its layer's activation. `passes`: what
    comes back at its output is the contribution for each of its inputs, as it is, and nothing is computed for them.
    `equation(node, inputs)` is what
    one of its numbers is made of: those of its inputs, and what it saves, in the same place; what comes back is made of
    it by the chain rule. What has none looks at more than one place: the equations of layers, activations and
    normalizations are in `engine.equations`, those of pools in `engine.feature_maps`. `drawn(node, evenly)` is what it
    is given anew in every step as the first that it saves, from numbers spread evenly from 0 to 1, and what that is
    multiplied by; whoever leaves chance out gives it 1.
    """

    name: str
    title: Words
    letter: str
    sentence: Words
    options: tuple[Option, ...]
    rows: Callable[[Node, Sequence[int]], int]
    cost: Callable[[Node, Sequence[int]], Cost]
    forward: Forward
    backward: Backward
    matrix: Callable[[Node, Sequence[int]], tuple[int, int]] | None = None
    parameters: Callable[[Node, Sequence[int]], tuple[Parameter, ...]] | None = None
    on_x: bool = False
    slope: Callable[[Node], Slope | None] = lambda node: None
    passes: bool = False
    equation: Callable[[Node, Sequence[Tree]], Tree] | None = None
    rank: float = 0
    saves: Callable[[Node, Sequence[int]], dict[str, int]] = lambda node, inputs: {}
    evaluate: Forward | None = None
    drawn: Drawn | None = None
    running: Callable[[Node, Sequence[int]], tuple[int, int]] | None = None
    image: Callable[[Node], Image] = lambda node: node.takes
    anywhere: bool = False
