"""The equations of feature maps: what a number at one place of an image is made of, and what comes back to it.

One kernel looks at every place, so a sum forwards goes over its window, a weight's gradient over all places where the
weight was used, and what comes back to a number over all windows that it was in. What lies outside an image is left
out by the sums' ranges. Layers, channels, rows and columns count from 1, examples from 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import add
from typing import TYPE_CHECKING

import numpy as np

from engine.equation import Equation, Look, Number, Over, Tree, f, mapped, total, totals, tree
from engine.operations.base import Node
from engine.operations.conv2d import padding_of, side_of
from engine.quantity import Index, Quantity, Shifted

if TYPE_CHECKING:
    from engine.equations import Equations

Spot = tuple[Index, Index, Index]  # channel, row, column


@dataclass(frozen=True)
class MapEquations:
    """The equations of a step's feature maps, beside those of all else."""

    of: "Equations"

    def has(self, layer: int) -> bool:
        """Whether a layer's sums are feature maps."""
        return layer > 0 and bool(self.of.network.image(layer))

    def image(self, layer: int, letter: str = "") -> tuple[int, ...]:
        """The shape that numbers of a layer have, as whoever takes them sees them."""
        return self.of.network.image(layer, letter)

    def node(self, layer: int) -> Node:
        """The convolution of a layer."""
        return next(node for node in self.of.network.nodes if (node.layer, node.operation) == (layer, "conv2d"))

    def product(self, layer: int, channel: int, source: int, place: Sequence[int], n: Index) -> Equation:
        """What the window of a channel below gives at a place, or to a unit the number at that place of the channel."""
        if not self.has(layer):
            weight = tree(Quantity("W", layer, (channel, self.flat(layer - 1, (source, *place)))))
            made = weight * self.of.given(layer - 1, (source, place[0], place[1]), n)
            return Equation(Quantity("p", layer, (channel, source, *place), n), made)
        over = self.over_window(layer, (channel, place[0], place[1]), n)
        return Equation(Quantity("p", layer, (channel, source, *place), n), _of_one(over, source))

    def product_back(self, layer: int, to: int, source: int, place: Sequence[int], n: Index) -> Equation:
        """What a channel, or a unit above, sends back to a place of one below: from every window of its that had it."""
        over = self.from_above(layer - 1, (source, *place), n)
        return Equation(Quantity("q", layer, (to, source, *place), n), _of_one(over, to))

    def over_window(self, layer: int, spot: tuple[Index, ...], n: Index) -> Tree:
        """The sum over a window of all channels below, each number times the kernel's weight that lies over it."""
        node, (channel, *place) = self.node(layer), spot
        begins = [int(node.option("stride")) * (int(str(at)) - 1) - padding_of(node) for at in place]
        (sources, *lengths), side = node.takes, side_of(node)
        inside = [
            [i for i in range(1, side + 1) if 1 <= begin + i <= length]
            for begin, length in zip(begins, lengths, strict=True)
        ]
        i, j = (Shifted(((1, letter),), begin) for letter, begin in zip("ij", begins, strict=True))
        weight = tree(Quantity("W", layer, (channel, "c", "i", "j")))
        carried = weight * self.of.given(layer - 1, ("c", i, j), n)
        return totals(("c", range(1, sources + 1)), ("i", inside[0]), ("j", inside[1]), body=carried)

    def dW(self, layer: int, index: tuple[int, int, int, int]) -> Equation:
        """A weight's gradient: at every place what the weight met times what comes back there, over all examples."""
        node, (channel, source, i, j) = self.node(layer), index
        stride, pad = int(node.option("stride")), padding_of(node)
        _, high, wide = self.image(layer)
        shifts = [at - 1 - pad for at in (i, j)]  # from a place, from 0, times the stride
        ranges = [
            [y for y in range(1, places + 1) if 0 <= stride * (y - 1) + shift < length]
            for places, shift, length in zip((high, wide), shifts, node.takes[1:], strict=True)
        ]
        if not all(ranges):  # it lies outside wherever the kernel is laid
            return Equation(Quantity("dW", layer, index), Number(0.0))
        y, x = (Shifted(((stride, letter),), shift + 1 - stride) for letter, shift in zip("yx", shifts, strict=True))
        met = tree(Quantity("dz", layer, (channel, "y", "x"), "n")) * self.of.given(layer - 1, (source, y, x), "n")
        body = totals(("n", range(self.of.count)), ("y", ranges[0]), ("x", ranges[1]), body=met)
        return Equation(Quantity("dW", layer, index), body)

    def back(self, layer: int, spot: tuple[int, ...], n: Index) -> Tree:
        """What comes back to what a layer gives at a place: from every window that it was in, or from all units of a
        dense layer above; and over every shortcut."""
        ways = [self.from_above(layer, spot, n)]
        arcs = self.of.network.arcs(layer)
        ways += [tree(Quantity(self.of.network.joint_kind(to), to, spot, n)) for to in arcs]
        return reduce(add, ways)

    def flat(self, layer: int, spot: Sequence[int]) -> int:
        """Which of the plain numbers, from 1, that a layer's maps are to whoever takes them so, stands at a place."""
        image = self.image(layer, self.of.network.given_kind(layer))
        return int(np.ravel_multi_index([at - 1 for at in spot], image)) + 1

    def to_number(self, layer: int, unit: int, n: Index) -> Tree:
        """What comes back to a plain number that a convolution above reads as a place of a square image."""
        place = np.unravel_index(unit - 1, self.node(layer + 1).takes)
        channel, row, column = (int(at) + 1 for at in place)
        return self.from_above(layer, (channel, row, column), n)

    def from_above(self, layer: int, spot: tuple[int, ...], n: Index) -> Tree:
        """The same without what comes over shortcuts."""
        above = layer + 1
        if not self.has(above):
            image = self.image(layer, self.of.network.given_kind(layer))
            flat = self.flat(layer, spot) if image else spot[0]
            carried = tree(Quantity("W", above, ("j", flat))) * tree(Quantity("dz", above, ("j",), n))
            return total("j", carried, values=self.of.units(above))
        node, (source, *at) = self.node(above), spot
        stride, pad, side = int(node.option("stride")), padding_of(node), side_of(node)
        channels, *lengths = self.image(above)
        reaches = [place - 1 + pad for place in at]  # the kernel's place, from 0, is that less stride × the window's
        ranges = [
            [y for y in range(1, length + 1) if 0 <= reach - stride * (y - 1) < side]
            for reach, length in zip(reaches, lengths, strict=True)
        ]
        if not all(ranges):
            return Number(0.0)  # no window looks at it
        i, j = (Shifted(((-stride, letter),), reach + 1 + stride) for letter, reach in zip("yx", reaches, strict=True))
        carried = tree(Quantity("W", above, ("f", source, i, j))) * tree(Quantity("dz", above, ("f", "y", "x"), n))
        return totals(("f", range(1, channels + 1)), ("y", ranges[0]), ("x", ranges[1]), body=carried)

    def window(self, layer: int, spot: tuple[int, ...]) -> list[Spot]:
        """The places that a number of a pool is made of."""
        node = self.of.network.pools[layer]
        if node.operation == "global_pool":
            return [(spot[0], y + 1, x + 1) for y, x in np.ndindex(*node.takes[1:])]
        side, (channel, row, column) = int(node.option("size")), spot
        return [(channel, side * (row - 1) + i + 1, side * (column - 1) + j + 1) for i, j in np.ndindex(side, side)]

    def v(self, layer: int, spot: tuple[int, ...], n: Index) -> Equation:
        """What a pool gives: the largest number of its window, or the mean."""
        network = self.of.network
        letter, pool = network.before(layer, "v"), network.pools[layer]
        seen = [tree(Quantity(letter, layer, each, n)) for each in self.window(layer, spot)]
        target = Quantity("v", layer, spot, n)
        if pool.operation == "max_pool":
            return Equation(target, reduce(lambda one, other: f("max", one, other), seen))
        if pool.operation == "avg_pool":
            return Equation(target, reduce(add, seen) / len(seen))
        _, high, wide = pool.takes
        body = tree(Quantity(letter, layer, (spot[0], "y", "x"), n))
        return Equation(target, totals(("y", range(1, high + 1)), ("x", range(1, wide + 1)), body=body) / len(seen))

    def read_by(self, layer: int, spot: tuple[int, ...]) -> tuple[int, ...] | None:
        """The number of a layer's pool that a place is in the window of; None for one that no window has."""
        pool = self.of.network.pools[layer]
        if pool.operation == "global_pool":
            return spot[:1]
        side = int(pool.option("size"))
        found = (spot[0], *((at - 1) // side + 1 for at in spot[1:]))
        inside = all(at <= length for at, length in zip(found, self.image(layer, "v"), strict=True))
        return found if inside else None

    def through_pool(self, layer: int, spot: tuple[int, ...], n: Index, look: Look | None) -> Tree:
        """What comes back to a place through the layer's pool."""
        into = self.read_by(layer, spot)
        if into is None:
            return Number(0.0)
        back, window = tree(Quantity("dv", layer, into, n)), self.window(layer, into)
        if self.of.network.pools[layer].operation != "max_pool":
            return back / len(window)
        assert look is not None
        return back if self.winner(layer, into, n, look) == spot else Number(0.0)

    def winner(self, layer: int, into: tuple[int, ...], n: Index, look: Look) -> Spot:
        """The place of a window whose number goes on: the largest, of equals the first."""
        window, letter = self.window(layer, into), self.of.network.before(layer, "v")
        return window[int(np.argmax([look(Quantity(letter, layer, each, n), {}) for each in window]))]

    def pixels(self, layer: int) -> Iterator[tuple[int, int, int]]:
        """Every place of a layer's sums."""
        channels, high, wide = self.image(layer)
        return product(range(1, channels + 1), range(1, high + 1), range(1, wide + 1))


def _of_one(of: Tree, channel: int) -> Tree:
    """What a sum over channels has for one of them."""
    if not isinstance(of, Over):
        return of
    return mapped(of.body, lambda q: q.bind({of.letter: channel}))
