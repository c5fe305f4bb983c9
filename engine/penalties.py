"""Regularization: what is added to the loss and its gradient to keep weights small. Biases are free."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.arrays import Floats
from engine.equation import WEIGHT, Number, Tree, f, mapped, numpy_of, quantities, total
from engine.quantity import Quantity
from engine.wording import Words


@dataclass(frozen=True)
class Penalty:
    """One kind of regularization, before its rate: `value(w)` is added to the loss, `gradient(w)` to the gradient.

    `tree` is what one weight W adds, `slope` its derivative. `costly` is what costs, in a sentence.
    """

    name: str
    title: Words
    tree: Tree
    slope: Tree
    costly: Words
    sentence: Words
    value: Callable[[Floats], float]
    gradient: Callable[[Floats], Floats]

    @property
    def code(self) -> str:
        """What weights `W` cost, before the rate, in NumPy."""
        each = mapped(self.tree, lambda w: Quantity(w.kind, 0, ("j", "i")))
        return numpy_of(total("j", total("i", each)) if quantities(self.tree) else self.tree)

    @property
    def gradient_code(self) -> str:
        """The slope in NumPy."""
        return numpy_of(self.slope)


_ENTRIES = (
    Penalty(
        "none",
        "None",
        Number(0.0),
        Number(0.0),
        "weights",
        "Nothing is added to the loss.",
        lambda w: 0.0,
        np.zeros_like,
    ),
    Penalty(
        "l1",
        "L1",
        f("abs", WEIGHT),
        f("sign", WEIGHT),
        "weights",
        "Adds rate times the sum of |w|: pulls every weight towards zero with equal force, many to exactly zero.",
        lambda w: float(np.abs(w).sum()),
        np.sign,
    ),
    Penalty(
        "l2",
        "L2",
        0.5 * f("square", WEIGHT),
        WEIGHT,
        "large weights",
        "Adds rate / 2 times the sum of w squared: pulls large weights most, leaves small ones small.",
        lambda w: 0.5 * float(w @ w),
        np.positive,
    ),
)

PENALTIES: dict[str, Penalty] = {entry.name: entry for entry in _ENTRIES}
