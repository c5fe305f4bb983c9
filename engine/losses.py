"""Loss functions and their gradients, one table entry each, on (outputs, examples) arrays.

The 1/N of the mean over the batch lives here, as `scale` (a number or a 0-d array), and nowhere else in the engine.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from engine.activations import Activation
from engine.arrays import Floats
from engine.equation import COUNT, OUTPUTS, A, Tree, Y, f, name, numpy_of, of_each, total, whole
from engine.wording import Words

Scale = float | Floats

# The losses with a logarithm stay finite when an output is exactly 0 or 1. With the matching activation nothing meets
# this bound: the loss and its gradients are taken from z (see FromLogits).
TINY = 1e-12

_AK, _YK, _ZK, _ZI = (name(letter, unit, example="n") for letter, unit in ("ak", "yk", "zk", "zi"))
_DISTANCE = f("abs", _AK - _YK)
_SURPRISE = _YK * f("softplus", -_ZK) + (1.0 - _YK) * f("softplus", _ZK)
_HUBER = f("choose", _DISTANCE, 1.0, _DISTANCE - 0.5, 0.5 * f("square", _AK - _YK))


@dataclass(frozen=True)
class FromLogits:
    """A loss joined with the output activation it belongs to, computed from z and so exact at any |z|.

    `value_and_dz(z, a, y, scale, out)` returns the loss and writes dL/dz into `out`. `da` writes dL/da, which a step
    does not need, unclipped: not finite only where a, or 1 - a, is less than any number above 0. `slope(z, a, y)` is
    the activation's, to the digits that dz has, so that da times it is dz; None where units are mixed. `tree` and `dz`
    say the same; `dz_of_classes` is shorter and holds where every row of y adds up to 1.
    """

    value_and_dz: Callable[[Floats, Floats, Floats, Scale, Floats], float]
    da: Callable[[Floats, Floats, Floats, Scale, Floats], None]
    slope: Callable[[Floats, Floats, Floats], Floats] | None
    tree: Tree
    dz: Tree
    dz_of_classes: Tree | None = None

    @property
    def code(self) -> str:
        """The loss as NumPy in arrays `z` and `y`."""
        return numpy_of(self.tree)


@dataclass(frozen=True)
class Loss:
    """One loss L(a, y).

    `value_and_gradient(a, y, scale, out)` returns the loss and writes dL/da into `out`; `scale(outputs, examples)`
    is the factor of the mean. `tree` is L of every output k of every example n, `slope` dL/da of one output.
    `refuses(activation)` says why an output activation makes no sense with it, or "". `output` is
    the activation that goes with it where none is asked for, "" for the task's own; `targets` is where a loss that
    judges classes takes targets given as plain numbers, None for anywhere.
    """

    name: str
    title: Words
    tree: Tree
    slope: Tree
    sentence: Words
    scale: Callable[[int, int], float]
    value_and_gradient: Callable[[Floats, Floats, Scale, Floats], float]
    refuses: Callable[[Activation], Words] = lambda activation: ""
    from_logits: dict[str, FromLogits] = field(default_factory=dict)
    output: str = ""
    targets: tuple[float, float] | None = None

    @property
    def code(self) -> str:
        """The loss as NumPy in batch-first arrays `a` and `y`, `n` examples and `outputs`."""
        return numpy_of(self.tree)

    @property
    def gradient_code(self) -> str:
        """dL/da as NumPy."""
        return whole(self.slope)


def _each_example(outputs: int, examples: int) -> float:
    return 1.0 / examples


def _each_element(outputs: int, examples: int) -> float:
    return 1.0 / (outputs * examples)


def _total(terms: Floats, scale: Scale) -> float:
    """The scale times the sum of the terms: beyond any number only where it is, and not where the sum alone is."""
    total = float(scale) * float(terms.sum())
    return total if isfinite(total) else float((scale * terms).sum())


def _squared_error(a: Floats, y: Floats, scale: Scale, out: Floats) -> float:
    np.subtract(a, y, out)
    loss = 0.5 * float(scale) * float(np.vdot(out, out))
    if not isfinite(loss):  # the sum of squares may be beyond any number where their mean is not
        shares = out * np.sqrt(0.5 * scale)
        loss = float(np.vdot(shares, shares))
    np.multiply(out, scale, out)
    return loss


def _mean_squared_error(a: Floats, y: Floats, scale: Scale, out: Floats) -> float:
    return _squared_error(a, y, 2.0 * scale, out)


def _mean_absolute_error(a: Floats, y: Floats, scale: Scale, out: Floats) -> float:
    np.subtract(a, y, out)
    loss = _total(np.abs(out), scale)
    np.sign(out, out)
    np.multiply(out, scale, out)
    return loss


def _huber(a: Floats, y: Floats, scale: Scale, out: Floats) -> float:
    residual = a - y
    np.clip(residual, -1.0, 1.0, out=out)
    # clipped * (r - clipped / 2) is r^2 / 2 inside and |r| - 1/2 outside.
    loss = _total(out * (residual - 0.5 * out), scale)
    np.multiply(out, scale, out)
    return loss


def _binary_cross_entropy(a: Floats, y: Floats, scale: Scale, out: Floats) -> float:
    p = np.clip(a, TINY, 1.0 - TINY)
    loss = -scale * (y * np.log(p) + (1.0 - y) * np.log1p(-p)).sum()
    np.divide(p - y, p * (1.0 - p), out)
    np.multiply(out, scale, out)
    return float(loss)


def _sigmoid_cross_entropy(z: Floats, a: Floats, y: Floats, scale: Scale, out: Floats) -> float:
    # Each side from its own softplus: no digits are lost where the output is sure and right.
    loss = _total(y * np.logaddexp(0.0, -z) + (1.0 - y) * np.logaddexp(0.0, z), scale)
    np.subtract(a, y, out)
    np.multiply(out, scale, out)
    return loss


def _sigmoid_rest(z: Floats, a: Floats, y: Floats) -> Floats:
    """1 - a: at y = 1 as dz = a - y has it, elsewhere from z, as a itself is near 1 where there is little left."""
    return np.where(y == 1.0, 1.0 - a, 1.0 / (1.0 + np.exp(z)))


def _sigmoid_cross_entropy_da(z: Floats, a: Floats, y: Floats, scale: Scale, out: Floats) -> None:
    rest = _sigmoid_rest(z, a, y)
    between = (a - y) / (a * rest)  # what of a or of the rest is 0 must not meet 0 / 0 where a class is sure
    np.multiply(np.where(y == 1.0, -1.0 / a, np.where(y == 0.0, 1.0 / rest, between)), scale, out)


def _sigmoid_slope(z: Floats, a: Floats, y: Floats) -> Floats:
    return a * _sigmoid_rest(z, a, y)


def _cross_entropy(a: Floats, y: Floats, scale: Scale, out: Floats) -> float:
    p = np.maximum(a, TINY)
    loss = -scale * (y * np.log(p)).sum()
    np.divide(y, p, out)
    np.multiply(out, -scale, out)
    return float(loss)


def _softmax_cross_entropy(z: Floats, a: Floats, y: Floats, scale: Scale, out: Floats) -> float:
    total = np.add.reduce(y, 0)  # 1 for classes, and need not be for targets given by hand
    np.multiply(a, total, out)
    np.subtract(out, y, out)
    np.multiply(out, scale, out)
    # log a = (z - top) - log sum exp(z - top), which is in range for any z; and a of the top z is 1 / that sum.
    logs = np.subtract(z, np.maximum.reduce(z, 0))
    np.multiply(logs, y, logs)
    loss = -float(scale) * float(np.add.reduce(logs, None) + total.dot(np.log(np.maximum.reduce(a, 0))))
    return loss + 0.0  # -0.0 is 0.0


def _softmax_cross_entropy_da(z: Floats, a: Floats, y: Floats, scale: Scale, out: Floats) -> None:
    out.fill(0.0)
    np.divide(y, a, out, where=y != 0.0)
    np.multiply(out, -scale, out)
    np.add(out, 0.0, out)  # -0.0 is 0.0


def _hinge(a: Floats, y: Floats, scale: Scale, out: Floats) -> float:
    margin = np.maximum(1.0 - y * a, 0.0)
    loss = _total(margin, scale)
    np.multiply(np.sign(margin), y, out)
    np.multiply(out, -scale, out)
    return loss


def _wants_sigmoid(activation: Activation) -> str:
    if activation.name == "sigmoid":
        return ""
    if activation.name == "softmax":
        return "softmax outputs are shares of one whole and this loss judges each output alone; use cross_entropy"
    return "it takes the logarithm of a and of 1 - a, so a must lie strictly between 0 and 1: use sigmoid"


def _wants_softmax(activation: Activation) -> Words:
    if activation.name == "softmax":
        return ""
    return "it reads the outputs as probabilities that add up to 1: use softmax"


def _wants_both_signs(activation: Activation) -> Words:
    low, high = activation.range
    if low <= -1.0 and high >= 1.0:
        return ""
    return "its targets are -1 and +1 and these outputs cannot reach both: use tanh or identity"


_ENTRIES = (
    Loss(
        "squared_error",
        "Squared error",
        0.5 * total("n", total("k", f("square", _AK - _YK))) / COUNT,
        (A - Y) / COUNT,
        "Half the squared difference, summed over outputs: twice as far off costs four times as much.",
        _each_example,
        _squared_error,
    ),
    Loss(
        "mean_squared_error",
        "Mean squared error",
        total("n", total("k", f("square", _AK - _YK))) / (COUNT * OUTPUTS),
        2.0 * (A - Y) / (COUNT * OUTPUTS),
        "The squared difference, averaged over every output of every example.",
        _each_element,
        _mean_squared_error,
    ),
    Loss(
        "mean_absolute_error",
        "Mean absolute error",
        total("n", total("k", f("abs", _AK - _YK))) / (COUNT * OUTPUTS),
        f("sign", A - Y) / (COUNT * OUTPUTS),
        "The plain distance: outliers pull no harder than others.",
        _each_element,
        _mean_absolute_error,
    ),
    Loss(
        "huber",
        "Huber",
        total("n", total("k", _HUBER)) / (COUNT * OUTPUTS),
        f("max", -1.0, f("min", 1.0, A - Y)) / (COUNT * OUTPUTS),
        "Squared near the target, plain distance far away (Huber, 1964).",
        _each_element,
        _huber,
    ),
    Loss(
        "binary_cross_entropy",
        "Binary cross-entropy",
        -total("n", total("k", _YK * f("ln", _AK) + (1.0 - _YK) * f("ln", 1.0 - _AK))) / (COUNT * OUTPUTS),
        (A - Y) / (A * (1.0 - A)) / (COUNT * OUTPUTS),
        "How surprised the output is by the truth, for yes or no; being sure and wrong costs most.",
        _each_element,
        _binary_cross_entropy,
        _wants_sigmoid,
        {
            "sigmoid": FromLogits(
                _sigmoid_cross_entropy,
                _sigmoid_cross_entropy_da,
                _sigmoid_slope,
                total("n", total("k", _SURPRISE)) / (COUNT * OUTPUTS),
                (A - Y) / (COUNT * OUTPUTS),
            )
        },
        "sigmoid",
        (0.0, 1.0),
    ),
    Loss(
        "cross_entropy",
        "Cross-entropy",
        -total("n", total("k", _YK * f("ln", _AK))) / COUNT,
        -Y / A / COUNT,
        "How surprised the outputs are by the true class, as probabilities of several.",
        _each_example,
        _cross_entropy,
        _wants_softmax,
        {
            "softmax": FromLogits(
                _softmax_cross_entropy,
                _softmax_cross_entropy_da,
                None,
                -total("n", total("k", _YK * (_ZK - total("i", _ZI, "logsumexp")))) / COUNT,
                (A * total("i", of_each(Y)) - Y) / COUNT,
                (A - Y) / COUNT,
            )
        },
        "softmax",
        (0.0, 1.0),
    ),
    Loss(
        "hinge",
        "Hinge",
        total("n", total("k", f("max", 0.0, 1.0 - _YK * _AK))) / (COUNT * OUTPUTS),
        f("choose", 1.0, Y * A, -Y, 0.0) / (COUNT * OUTPUTS),
        "Asks for the right sign with a margin of 1, then asks no more.",
        _each_element,
        _hinge,
        _wants_both_signs,
        output="tanh",
        targets=(-1.0, 1.0),
    ),
)

LOSSES: dict[str, Loss] = {entry.name: entry for entry in _ENTRIES}
