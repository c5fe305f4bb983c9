"""Regularization: what is added to the loss and its gradient to keep weights small. Biases are free."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.arrays import Floats


@dataclass(frozen=True)
class Penalty:
    """One kind of regularization, before its rate: `value(w)` is added to the loss, `gradient(w)` to the gradient.

    `formula` is the whole penalty, `gradient_formula` the slope at one weight w before its rate. `code` and
    `gradient_code` are NumPy in an array `w`, written so that they can stand as a term and as a factor. `costly` is
    what costs, in a sentence.
    """

    name: str
    title: str
    formula: str
    gradient_formula: str
    code: str
    gradient_code: str
    costly: str
    sentence: str
    value: Callable[[Floats], float]
    gradient: Callable[[Floats], Floats]


_ENTRIES = (
    Penalty(
        "none",
        "None",
        r"R = 0",
        "0",
        "0.0",
        "np.zeros_like(w)",
        "weights",
        "Nothing is added to the loss.",
        lambda w: 0.0,
        np.zeros_like,
    ),
    Penalty(
        "l1",
        "L1",
        r"R = \lambda \sum |w|",
        r"\operatorname{sign}(w)",
        "np.abs(w).sum()",
        "np.sign(w)",
        "weights",
        "Adds rate times the sum of |w|: pulls every weight towards zero with equal force, many to exactly zero.",
        lambda w: float(np.abs(w).sum()),
        np.sign,
    ),
    Penalty(
        "l2",
        "L2",
        r"R = \tfrac{\lambda}{2} \sum w^2",
        "w",
        "0.5 * (w**2).sum()",
        "w",
        "large weights",
        "Adds rate / 2 times the sum of w squared: pulls large weights most, leaves small ones small.",
        lambda w: 0.5 * float(w @ w),
        np.positive,
    ),
)

PENALTIES: dict[str, Penalty] = {entry.name: entry for entry in _ENTRIES}
