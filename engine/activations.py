"""Activation functions and their derivatives, one table entry each.

All of them write into `out`. Elementwise ones take arrays of any shape; softmax works down axis 0, the units.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, pi, sqrt

import numpy as np

from engine.arrays import ONE, ZERO, Floats
from engine.equation import DA, A, Equation, Number, Tree, Z, f, name, of_each, total, whole, written_out
from engine.wording import Words

LEAK = 0.01
_GELU_SCALE = sqrt(2 / pi)
_GELU_CUBIC = 0.044715
_T = name("t")
_TOP = total("m", of_each(Z, "m"), "max")
_GELU_INNER = 1.0 + 3.0 * _GELU_CUBIC * f("square", Z)


@dataclass(frozen=True)
class Activation:
    """One activation function a = f(z).

    `derivative(z, a, out)` writes f'(z) and is None where one unit's z moves other units' a (softmax): there
    `product(da, a, out)` writes dz, the Jacobian's product with da. `tree` is a and `slope` f'(z) as trees of Z and A,
    for softmax dz itself; `stable` is a again where its tree would run out of range, and `where` names parts of them.
    `range` bounds what can come out.
    """

    name: str
    title: Words
    tree: Tree
    slope: Tree
    sentence: Words
    range: tuple[float, float]
    forward: Callable[[Floats, Floats], object]
    derivative: Callable[[Floats, Floats, Floats], None] | None
    product: Callable[[Floats, Floats, Floats], None] | None = None
    stable: Tree | None = None
    where: tuple[Equation, ...] = ()

    @property
    def code(self) -> str:
        """a as NumPy in arrays `z`."""
        return whole(written_out(self.stable or self.tree, self.where))

    @property
    def derivative_code(self) -> str:
        """The slope as NumPy in arrays `z` and `a`; for softmax dz, with `da`."""
        return whole(written_out(self.slope, self.where))

    def backward(self, da: Floats, z: Floats, a: Floats) -> Floats:
        """dz = dL/dz from da = dL/da, in a new array of the same shape, (units, examples)."""
        dz = np.empty_like(da)
        if self.product is not None:
            self.product(da, a, dz)
        elif self.derivative is not None:
            self.derivative(z, a, dz)
            np.multiply(da, dz, dz)
        return dz


def _identity_derivative(z: Floats, a: Floats, out: Floats) -> None:
    out.fill(1.0)


def _sigmoid(z: Floats, out: Floats) -> None:
    # exp overflows to inf for z < -709 and 1 / inf is the right answer, 0.
    np.negative(z, out)
    np.exp(out, out)
    np.add(out, ONE, out)
    np.reciprocal(out, out)


def _sigmoid_derivative(z: Floats, a: Floats, out: Floats) -> None:
    np.subtract(ONE, a, out)
    np.multiply(out, a, out)


def _tanh_derivative(z: Floats, a: Floats, out: Floats) -> None:
    np.multiply(a, a, out)
    np.subtract(ONE, out, out)


def _relu(z: Floats, out: Floats) -> None:
    np.maximum(z, ZERO, out=out)


def _relu_derivative(z: Floats, a: Floats, out: Floats) -> None:
    # a is never negative, so its sign is the mask: 1 above zero, 0 at zero; and a NaN stays one.
    np.sign(a, out)


def _leaky_relu(z: Floats, out: Floats) -> None:
    np.multiply(z, LEAK, out)
    np.maximum(z, out, out=out)


def _leaky_relu_derivative(z: Floats, a: Floats, out: Floats) -> None:
    np.sign(z, out)
    np.maximum(out, LEAK, out=out)


def _elu(z: Floats, out: Floats) -> None:
    # expm1(z) >= z everywhere, so the larger of the two is z above zero and expm1(z) below.
    np.minimum(z, 0.0, out=out)
    np.expm1(out, out)
    np.maximum(z, out, out=out)


def _elu_derivative(z: Floats, a: Floats, out: Floats) -> None:
    np.minimum(a, 0.0, out=out)
    np.add(out, ONE, out)


def _gelu(z: Floats, out: Floats) -> None:
    np.multiply(z, z, out)
    np.multiply(out, _GELU_CUBIC, out)
    np.add(out, ONE, out)
    np.multiply(out, z, out)
    np.multiply(out, _GELU_SCALE, out)
    np.tanh(out, out)
    np.add(out, ONE, out)
    np.multiply(out, z, out)
    np.multiply(out, 0.5, out)


def _gelu_derivative(z: Floats, a: Floats, out: Floats) -> None:
    square = z * z
    t = np.tanh(_GELU_SCALE * z * (1.0 + _GELU_CUBIC * square))
    slope = _GELU_SCALE * (1.0 + 3.0 * _GELU_CUBIC * square)
    np.copyto(out, 0.5 * (1.0 + t) + 0.5 * z * (1.0 - t * t) * slope)


def _silu(z: Floats, out: Floats) -> None:
    _sigmoid(z, out)
    np.multiply(out, z, out)


def _silu_derivative(z: Floats, a: Floats, out: Floats) -> None:
    # s + z s (1 - s) = s + a (1 - s), as s (1 - a) + a.
    _sigmoid(z, out)
    np.multiply(out, 1.0 - a, out)
    np.add(out, a, out)


def _softplus(z: Floats, out: Floats) -> None:
    np.logaddexp(0.0, z, out)


def _softplus_derivative(z: Floats, a: Floats, out: Floats) -> None:
    # sigmoid(z) = 1 - exp(-softplus(z))
    np.negative(a, out)
    np.expm1(out, out)
    np.negative(out, out)


def _threshold(z: Floats, out: Floats) -> None:
    np.heaviside(z, 0.0, out)


def _threshold_derivative(z: Floats, a: Floats, out: Floats) -> None:
    out.fill(0.0)


def _softmax(z: Floats, out: Floats) -> None:
    # `reduce` rather than `max` and `sum`, which say the same and take half a microsecond longer.
    np.subtract(z, np.maximum.reduce(z, 0), out)
    np.exp(out, out)
    np.divide(out, np.add.reduce(out, 0), out)


def _softmax_product(da: Floats, a: Floats, out: Floats) -> None:
    # The Jacobian is diag(a) - a aT, so its product with da needs one weighted sum an example.
    np.multiply(da, a, out)
    np.subtract(da, np.add.reduce(out, 0), out)
    np.multiply(out, a, out)


_ENTRIES = (
    Activation(
        "identity",
        "Identity",
        Z,
        Number(1.0),
        "Passes the sum on unchanged: a network of these alone is one straight line, however deep.",
        (-inf, inf),
        np.positive,
        _identity_derivative,
    ),
    Activation(
        "sigmoid",
        "Sigmoid",
        1.0 / (1.0 + f("exp", -Z)),
        A * (1.0 - A),
        "Squeezes any sum into 0 to 1; flat at both ends, so gradients shrink to at most a quarter.",
        (0.0, 1.0),
        _sigmoid,
        _sigmoid_derivative,
    ),
    Activation(
        "tanh",
        "Tanh",
        f("tanh", Z),
        1.0 - f("square", A),
        "Squeezes any sum into -1 to +1, with slope 1 in the middle and 0 far out.",
        (-1.0, 1.0),
        np.tanh,
        _tanh_derivative,
    ),
    Activation(
        "relu",
        "ReLU",
        f("max", 0.0, Z),
        f("choose", Z, 0.0, 1.0, 0.0),
        "Passes what is positive and blocks the rest; a unit that never fires gets no gradient.",
        (0.0, inf),
        _relu,
        _relu_derivative,
    ),
    Activation(
        "leaky_relu",
        "Leaky ReLU",
        f("max", LEAK * Z, Z),
        f("choose", Z, 0.0, 1.0, LEAK),
        "A ReLU that lets a hundredth through below zero, so that no unit dies.",
        (-inf, inf),
        _leaky_relu,
        _leaky_relu_derivative,
    ),
    Activation(
        "elu",
        "ELU",
        f("choose", Z, 0.0, Z, f("expm1", Z)),
        f("choose", Z, 0.0, 1.0, A + 1.0),
        "A ReLU with a soft floor at -1 (Clevert and others, 2015).",
        (-1.0, inf),
        _elu,
        _elu_derivative,
    ),
    Activation(
        "gelu",
        "GELU",
        0.5 * Z * (1.0 + _T),
        0.5 * (1.0 + _T) + 0.5 * Z * (1.0 - f("square", _T)) * _GELU_SCALE * _GELU_INNER,
        "A smooth ReLU that dips below zero before it lets go (Hendrycks and Gimpel, 2016; their tanh form).",
        (-0.17004076, inf),
        _gelu,
        _gelu_derivative,
        where=(Equation(_T.quantity, f("tanh", _GELU_SCALE * (Z + _GELU_CUBIC * f("cube", Z)))),),
    ),
    Activation(
        "silu",
        "SiLU",
        Z * f("sigmoid", Z),
        f("sigmoid", Z) + A * (1.0 - f("sigmoid", Z)),
        "z times its own sigmoid, also called Swish (Elfwing and others, 2017).",
        (-0.27846455, inf),
        _silu,
        _silu_derivative,
    ),
    Activation(
        "softplus",
        "Softplus",
        f("softplus", Z),
        f("sigmoid", Z),
        "A ReLU with a rounded corner; its slope is the sigmoid.",
        (0.0, inf),
        _softplus,
        _softplus_derivative,
    ),
    Activation(
        "threshold",
        "Threshold",
        f("choose", Z, 0.0, 1.0, 0.0),
        Number(0.0),
        "Fires or does not. Its derivative is 0, so no gradient passes and nothing before it can learn.",
        (0.0, 1.0),
        _threshold,
        _threshold_derivative,
    ),
    Activation(
        "softmax",
        "Softmax",
        f("exp", Z) / total("i", f("exp", of_each(Z))),
        A * (DA - total("i", of_each(DA) * of_each(A))),
        "Turns the sums of a layer into shares that add up to 1: probabilities of classes.",
        (0.0, 1.0),
        _softmax,
        None,
        _softmax_product,
        f("exp", Z - _TOP) / total("i", f("exp", of_each(Z) - _TOP)),
    ),
)

ACTIVATIONS: dict[str, Activation] = {entry.name: entry for entry in _ENTRIES}
