"""What the lesson on dropout and shortcuts shows: a block of one layer with dropout in it and a shortcut past it."""

from dataclasses import dataclass

from app.learn.facts import Facts
from app.learn.pieces import Series
from engine.arrays import Floats

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class ResidualBlock:
    """The units of hidden layers 1 and 2 on one example: what hidden 1 gives, `given`, goes through the block and past
    it. `mask` is 0 or 1 / (1 - rate); `sums` are what leaves, `back` comes back to them and so both ways: unchanged
    over the shortcut, as `through` over the block. Together they are `total`, and `delta` is hidden 1's δ.
    """

    given: Numbers
    a: Numbers
    mask: Numbers
    h: Numbers
    sums: Numbers
    back: Numbers
    back_a: Numbers
    delta_block: Numbers
    through: Numbers
    total: Numbers
    delta: Numbers

    @property
    def out(self) -> tuple[int, ...]:
        """The units that dropout leaves out, from 0."""
        return tuple(k for k, kept in enumerate(self.mask) if not kept)


def block(facts: Facts) -> ResidualBlock:
    """The block of the lesson's run in its next step, on the first example."""
    below, layer = facts.trace.layers[:2]
    assert layer.mask is not None
    assert layer.h is not None
    assert layer.o is not None

    def of(values: Floats) -> Numbers:
        return tuple(values[0].tolist())

    rows = (below.a, layer.a, layer.mask, layer.h, layer.o, layer.back, layer.da, layer.dz, layer.dz @ layer.W)
    return ResidualBlock(*map(of, (*rows, below.da, below.dz)))


def losses(facts: Facts, part: str, steps: int, every: int) -> Series:
    """The loss over "train" or "test" after every so many steps."""
    places = range(0, steps + 1, every)
    found = [facts.after(step).metrics[part].loss or 0.0 for step in places]
    return Series(tuple(map(float, places)), tuple(found))
