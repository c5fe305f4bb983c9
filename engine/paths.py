"""Every way from the loss back to one parameter: a chain of factors each, whose products add up to the gradient.

Written out they are as many as the units of the layers above, multiplied. Going backwards layer by layer adds up what
meets in a unit before it goes on, so each link is used once: that is why backpropagation is cheap.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from operator import mul

import numpy as np

from engine.arrays import Floats
from engine.checks import SpecError
from engine.equation import Ref
from engine.equation import value as value_of
from engine.equations import Equations
from engine.lookup import Numbers
from engine.quantity import Quantity, unit, weight
from engine.receipts import slopes
from engine.slopes import slope_of
from engine.tracing import Trace
from engine.wording import Words

WRITTEN = 16  # ways that are all written out


@dataclass(frozen=True)
class Factor:
    """One factor of a chain: the quantity that it is, its value, and the product from the loss up to here."""

    of: Quantity
    value: float
    so_far: float


@dataclass(frozen=True)
class Way:
    """One way from the loss to a parameter, its factors in that order, and their product: its share of the gradient."""

    factors: tuple[Factor, ...]
    product: float

    @property
    def links(self) -> tuple[Quantity, ...]:
        """The weights that it goes over, from the loss."""
        return tuple(factor.of for factor in self.factors if factor.of.kind == "W")


@dataclass(frozen=True)
class Paths:
    """The ways to one parameter on one example. `count` is how many there are, `links` over how few links they lead.

    `ways` are all of them, those with the largest products first, if they are at most 16; else the one with the largest
    product alone. Their products add up to `gradient`, dL/dW or dL/db, if they are all there.
    """

    address: str
    example: int
    count: int
    links: int
    ways: tuple[Way, ...]
    gradient: float


def paths(step: Trace, address: str) -> Paths:
    """The ways from the loss to the weight "W2.1.3", the bias "b2.1" or another parameter, in the trace of one example.

    SpecError for no such parameter, or a trace of several examples, whose factors are not the same.
    """
    network = step.spec.network
    try:
        index = network.locate(address)
    except ValueError:
        raise SpecError("address", address, network.address_form) from None
    if network.mixes_examples:
        allowed: Words = "a network without batch_norm: there every way goes through all examples of the batch, too"
        raise SpecError("address", address, allowed)
    if network.has_images:
        raise SpecError("address", address, "a network without convolutions: there one weight is used at many places")
    if len(step.examples) != 1:
        raise SpecError("example", None, "one example: each has factors of its own")
    of, climb = Quantity.parse(address), _Climb(step)
    k, attached = of.layer, of.kind in ("gamma", "beta")
    with np.errstate(all="ignore"):
        down = [*(climb.bent if attached else climb.down)(k, of.unit)]
        count = sum(climb.count_to_value(k, m) for m, _ in down)
        strongest = max((climb.strongest_to_value(k, m) + factor for m, factor in down), key=_size)
        chains = [*climb.over(k, down)] if count <= WRITTEN else [strongest]
        found = [_way(step, of, chain) for chain in chains]
    ways = tuple(sorted(found, key=lambda way: -abs(way.product)))
    return Paths(
        address, int(step.examples[0]), count, climb.links(of.layer, of.unit), ways, float(step.gradient[index])
    )


Link = tuple[Quantity, float]
Chain = tuple[Link, ...]


def _way(step: Trace, of: Quantity, chain: Chain) -> Way:
    """A chain from the loss to a unit's z, and what the parameter carried into that, 1 for a bias; of a gain or a shift
    to its n."""
    if of.kind == "gamma" and (norm := step.layers[of.layer - 1].norm):
        chain = (*chain, (of.like("xhat"), float(norm.xhat[0, of.unit - 1])))
    if of.source:
        kind = step.spec.network.given_kind(of.layer - 1)
        carried = float(step.inputs_of(of.layer - 1)[0, of.source - 1])
        chain = (*chain, (unit(of.layer - 1, of.source).like(kind), carried))
    products = list(accumulate((value for _, value in chain), mul))
    return Way(tuple(Factor(*link, product) for link, product in zip(chain, products, strict=True)), products[-1])


class _Climb:
    """From a unit's z up to the loss, and the factors on the way down. Not a value."""

    def __init__(self, step: Trace) -> None:
        self.network, self.layers = step.spec.network, step.layers
        self.equations, self.look = Equations.of(step), Numbers(step)
        self.last = len(step.layers)
        self.slopes: list[Floats | None] = [slopes(step, k) for k in range(1, self.last + 1)]
        self.behind: Callable[[int, int], Chain] = cache(self._behind)
        self.count: Callable[[int, int], int] = cache(self._count)
        self.count_to_value: Callable[[int, int], int] = cache(self._count_to_value)
        self.strongest: Callable[[int, int], Chain] = cache(self._strongest)
        self.strongest_to_value: Callable[[int, int], Chain] = cache(self._strongest_to_value)

    def above(self, k: int, j: int) -> Iterator[tuple[int, int, Chain]]:
        """Where a unit's value goes: into a unit above over a link, or over a shortcut unchanged; and that factor."""
        if k < self.last:
            for n, value in enumerate(self.layers[k].W[:, j - 1].tolist(), 1):
                yield k + 1, n, ((weight(k + 1, n, j), value),)
        for to in self.network.arcs(k):
            yield -to, j, ((unit(to, j).like("o"), 1.0),)

    def down(self, k: int, j: int) -> Iterator[tuple[int, Chain]]:
        """The units of layer k whose value a unit's z moves, and the factor; past a normalization that is all of them,
        each over what every unit has normalized."""
        if (norm := self.layers[k - 1].norm) is None:
            yield from self.bent(k, j)
            return
        xhat = norm.xhat[0]
        mixed = (np.arange(len(xhat)) == j - 1) - (1.0 + xhat * xhat[j - 1]) / len(xhat)
        for m, value in enumerate((norm.gamma * mixed / norm.spread[0]).tolist(), 1):
            yield from ((n, (*chain, (Quantity("norm", k, (m, j)), value))) for n, chain in self.bent(k, m))

    def bent(self, k: int, j: int) -> Iterator[tuple[int, Chain]]:
        """The units of layer k whose value is moved by what a unit's activation takes: itself, all of them where
        softmax mixes them; the factor.

        Of an output whose loss knows its z that is all from the loss to there; of the other outputs dL/da stands first.
        """
        slope, layer = self.slopes[k - 1], self.layers[k - 1]
        if k == self.last and (slope is None or self.network.joined):
            yield j, ((unit(k, j).like("dz"), float(layer.dz[0, j - 1])),)
        elif slope is None:
            a = layer.a[0]
            for m, value in enumerate((a * ((np.arange(len(a)) == j - 1) - a[j - 1])).tolist(), 1):
                yield m, (*self.behind(k, m), (Quantity("slope", k, (m, j)), value))
        else:
            begin = ((unit(k, j).like("da"), float(layer.da[0, j - 1])),) if k == self.last else ()
            yield j, (*begin, *self.behind(k, j), (unit(k, j).like("slope"), float(slope[0, j - 1])))

    def _behind(self, k: int, m: int) -> Chain:
        """The factors of what stands behind a unit's activation, such as a mask, the last of it first."""
        found = list[Link]()
        for letter in reversed(self.network.behind(k)):
            own = Quantity(self.network.before(k, letter), k, (m,), 0)
            slope = slope_of(self.equations.attached(letter, k, m, 0).tree, own)
            of = slope.quantity.at(None) if isinstance(slope, Ref) else unit(k, m).like(f"slope_{letter}")
            found.append((of, float(value_of(slope, self.look))))
        return tuple(found)

    def ways(self, k: int, j: int) -> Iterator[Chain]:
        """Every chain from the loss to the z of a unit of layer k."""
        return self.over(k, self.down(k, j))

    def over(self, k: int, down: Iterable[tuple[int, Chain]]) -> Iterator[Chain]:
        """Every chain from the loss to values of layer k, and from there on over these factors."""
        return (chain + factor for m, factor in down for chain in self._to_value(k, m))

    def _to_value(self, k: int, j: int) -> Iterator[Chain]:
        """Every chain from the loss to what a unit gives."""
        if k == self.last:
            yield ()
        for to, n, factor in self.above(k, j):
            found = self.ways(to, n) if to > 0 else self._to_value(-to, n)
            yield from (chain + factor for chain in found)

    def _count(self, k: int, j: int) -> int:
        return sum(self.count_to_value(k, m) for m, _ in self.down(k, j))

    def _count_to_value(self, k: int, j: int) -> int:
        on = (self.count(to, n) if to > 0 else self.count_to_value(-to, n) for to, n, _ in self.above(k, j))
        return sum(on, 1 if k == self.last else 0)

    def _strongest(self, k: int, j: int) -> Chain:
        """The chain with the largest product to the z of a unit: that to its value is the largest of all above."""
        return max((self.strongest_to_value(k, m) + factor for m, factor in self.down(k, j)), key=_size)

    def _strongest_to_value(self, k: int, j: int) -> Chain:
        found: list[Chain] = [] if k < self.last else [()]
        for to, n, factor in self.above(k, j):
            found.append((self.strongest(to, n) if to > 0 else self.strongest_to_value(-to, n)) + factor)
        return max(found, key=_size)

    def links(self, k: int, j: int) -> int:
        """How many links lie on some way: those out of the unit, then all that follow, and its own."""
        wide = self.network.sizes
        return 1 + sum(wide[to] * (1 if to == k + 1 else wide[to - 1]) for to in range(k + 1, self.last + 1))


def _size(chain: Chain) -> float:
    product = 1.0
    for _, value in chain:
        product *= value
    return abs(product)
