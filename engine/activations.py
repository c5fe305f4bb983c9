"""Activation functions and their derivatives, one table entry each.

All of them write into `out`. Elementwise ones take arrays of any shape; softmax works down axis 0, the units.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, pi, sqrt

import numpy as np

from engine.arrays import ONE, ZERO, Floats

LEAK = 0.01
_GELU_SCALE = sqrt(2 / pi)
_GELU_CUBIC = 0.044715


@dataclass(frozen=True)
class Activation:
    """One activation function a = f(z).

    `derivative(z, a, out)` writes f'(z) and is None where one unit's z moves other units' a (softmax): there
    `product(da, a, out)` writes dz, the Jacobian's product with da. `code` and `derivative_code` are NumPy
    expressions in `z` and `a`, batch-first, that say the same. `range` bounds what can come out.
    """

    name: str
    title: str
    formula: str
    derivative_formula: str
    code: str
    derivative_code: str
    sentence: str
    range: tuple[float, float]
    forward: Callable[[Floats, Floats], object]
    derivative: Callable[[Floats, Floats, Floats], None] | None
    product: Callable[[Floats, Floats, Floats], None] | None = None

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
        r"a = z",
        r"a' = 1",
        "z",
        "np.ones_like(z)",
        "Passes the sum on unchanged: a network of these alone is one straight line, however deep.",
        (-inf, inf),
        np.positive,
        _identity_derivative,
    ),
    Activation(
        "sigmoid",
        "Sigmoid",
        r"a = \frac{1}{1 + e^{-z}}",
        r"a' = a\,(1 - a)",
        "1 / (1 + np.exp(-z))",
        "a * (1 - a)",
        "Squeezes any sum into 0 to 1; flat at both ends, so gradients shrink to at most a quarter.",
        (0.0, 1.0),
        _sigmoid,
        _sigmoid_derivative,
    ),
    Activation(
        "tanh",
        "Tanh",
        r"a = \tanh z",
        r"a' = 1 - a^2",
        "np.tanh(z)",
        "1 - a**2",
        "Squeezes any sum into -1 to +1, with slope 1 in the middle and 0 far out.",
        (-1.0, 1.0),
        np.tanh,
        _tanh_derivative,
    ),
    Activation(
        "relu",
        "ReLU",
        r"a = \max(0, z)",
        r"a' = 1 \text{ if } z > 0 \text{ else } 0",
        "np.maximum(z, 0)",
        "(z > 0) * 1.0",
        "Passes what is positive and blocks the rest; a unit that never fires gets no gradient.",
        (0.0, inf),
        _relu,
        _relu_derivative,
    ),
    Activation(
        "leaky_relu",
        "Leaky ReLU",
        r"a = \max(0.01\,z, z)",
        r"a' = 1 \text{ if } z > 0 \text{ else } 0.01",
        "np.maximum(0.01 * z, z)",
        "np.where(z > 0, 1.0, 0.01)",
        "A ReLU that lets a hundredth through below zero, so that no unit dies.",
        (-inf, inf),
        _leaky_relu,
        _leaky_relu_derivative,
    ),
    Activation(
        "elu",
        "ELU",
        r"a = z \text{ if } z > 0 \text{ else } e^{z} - 1",
        r"a' = 1 \text{ if } z > 0 \text{ else } a + 1",
        "np.where(z > 0, z, np.expm1(np.minimum(z, 0)))",
        "np.minimum(a, 0) + 1",
        "A ReLU with a soft floor at -1 (Clevert and others, 2015).",
        (-1.0, inf),
        _elu,
        _elu_derivative,
    ),
    Activation(
        "gelu",
        "GELU",
        r"a = \tfrac{z}{2}\left(1 + \tanh\left(\sqrt{2/\pi}\,(z + 0.044715\,z^3)\right)\right)",
        r"a' = \tfrac{1 + t}{2} + \tfrac{z}{2}(1 - t^2)\sqrt{2/\pi}\,(1 + 0.134145\,z^2)",
        "0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))",
        "0.5 * (1 + (th := np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))))"
        " + 0.5 * z * (1 - th**2) * np.sqrt(2 / np.pi) * (1 + 0.134145 * z**2)",
        "A smooth ReLU that dips below zero before it lets go (Hendrycks and Gimpel, 2016; their tanh form).",
        (-0.17004076, inf),
        _gelu,
        _gelu_derivative,
    ),
    Activation(
        "silu",
        "SiLU",
        r"a = z\,\sigma(z)",
        r"a' = \sigma(z) + a\,(1 - \sigma(z))",
        "z / (1 + np.exp(-z))",
        "a + (1 - a) / (1 + np.exp(-z))",
        "z times its own sigmoid, also called Swish (Elfwing and others, 2017).",
        (-0.27846455, inf),
        _silu,
        _silu_derivative,
    ),
    Activation(
        "softplus",
        "Softplus",
        r"a = \ln(1 + e^{z})",
        r"a' = \sigma(z)",
        "np.logaddexp(0, z)",
        "1 / (1 + np.exp(-z))",
        "A ReLU with a rounded corner; its slope is the sigmoid.",
        (0.0, inf),
        _softplus,
        _softplus_derivative,
    ),
    Activation(
        "threshold",
        "Threshold",
        r"a = 1 \text{ if } z > 0 \text{ else } 0",
        r"a' = 0",
        "(z > 0) * 1.0",
        "np.zeros_like(z)",
        "Fires or does not. Its derivative is 0, so no gradient passes and nothing before it can learn.",
        (0.0, 1.0),
        _threshold,
        _threshold_derivative,
    ),
    Activation(
        "softmax",
        "Softmax",
        r"a_i = \frac{e^{z_i}}{\sum_j e^{z_j}}",
        r"\frac{\partial a_i}{\partial z_j} = a_i\,(\delta_{ij} - a_j)",
        "(e := np.exp(z - z.max(axis=1, keepdims=True))) / e.sum(axis=1, keepdims=True)",
        "a * (da - (da * a).sum(axis=1, keepdims=True))",
        "Turns the sums of a layer into shares that add up to 1: probabilities of classes.",
        (0.0, 1.0),
        _softmax,
        None,
        _softmax_product,
    ),
)

ACTIVATIONS: dict[str, Activation] = {entry.name: entry for entry in _ENTRIES}
