"""Backpropagation written a second time, from the textbook and for reading: what the engine is held against.

Arrays are batch-first, (examples, units); W is (units, inputs). `FORWARD` and `LOSSES` are written in autograd's
NumPy, so that it can differentiate them by itself. Of the engine nothing is used but the NumPy that an entry of its
tables prints for people, and that only for one that is not written out here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import autograd.numpy as np
from autograd import grad

from engine.activations import ACTIVATIONS
from engine.losses import LOSSES as ENTRIES

Layers = list[tuple[Any, Any]]  # W and b


def _softplus(z: Any) -> Any:
    return np.maximum(z, 0) + np.log(1 + np.exp(-np.abs(z)))


def _sigmoid(z: Any) -> Any:
    return 0.5 * (1 + np.tanh(z / 2))


def _softmax(z: Any) -> Any:
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


FORWARD: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(np.where(z > 0, 0.0, z)) - 1),
    "gelu": lambda z: z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z * z * z))),
    "silu": lambda z: z * _sigmoid(z),
    "softplus": _softplus,
    "threshold": lambda z: np.where(z > 0, 1.0, 0.0) + 0.0 * z,
    "softmax": _softmax,
}

LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "squared_error": lambda a, y: np.sum((a - y) ** 2) / 2 / len(a),
    "mean_squared_error": lambda a, y: np.mean((a - y) ** 2),
    "mean_absolute_error": lambda a, y: np.mean(np.abs(a - y)),
    "huber": lambda a, y: np.mean(np.where(np.abs(a - y) <= 1, (a - y) ** 2 / 2, np.abs(a - y) - 0.5)),
    "binary_cross_entropy": lambda a, y: -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a)),
    "cross_entropy": lambda a, y: -np.sum(y * np.log(a)) / len(a),
    "hinge": lambda a, y: np.mean(np.where(y * a < 1, 1 - y * a, 0.0)),
}


def forward(name: str, z: Any) -> Any:
    """a of z (examples, units)."""
    return FORWARD[name](z) if name in FORWARD else printed(ACTIVATIONS[name].code, {"z": z})


def mean_loss(name: str, a: Any, y: Any) -> Any:
    """The loss of outputs and targets, (examples, outputs)."""
    names = {"a": a, "y": y, "n": len(a), "outputs": a.shape[1]}
    return LOSSES[name](a, y) if name in LOSSES else printed(ENTRIES[name].code, names)


def printed(code: str, names: Mapping[str, Any]) -> Any:
    """What a line that people are shown computes, in autograd's NumPy."""
    return eval(code, {"np": np, **names})


def outputs(
    layers: Layers,
    activations: Sequence[str],
    x: Any,
    shortcuts: Mapping[int, int] = {},
    masks: Mapping[int, Any] = {},
    norms: Mapping[int, str] = {},
    gains: Mapping[int, Any] = {},
) -> Any:
    """The network's outputs for x (examples, inputs); `shortcuts` has by layer the one below whose values are added,
    `masks` by what dropout multiplies (examples, units) before that, `norms` which normalization stands before an
    activation, and `gains` its gamma and beta."""
    given = [x]
    for k, ((W, b), name) in enumerate(zip(layers, activations, strict=True), 1):
        z = np.dot(given[-1], W.T) + b
        a = forward(name, normalized(norms[k], z, *gains[k]) if k in norms else z)
        a = masks[k] * a if k in masks else a
        given.append(a + given[shortcuts[k]] if k in shortcuts else a)
    return given[-1]


def normalized(name: str, z: Any, gamma: Any, beta: Any) -> Any:
    """What a normalization makes of z (examples, units)."""
    axis = 1 if name == "layer_norm" else 0
    centred = z - np.mean(z, axis=axis, keepdims=True)
    return gamma * centred / np.sqrt(np.mean(centred**2, axis=axis, keepdims=True) + 1e-5) + beta


def loss(
    layers: Layers, activations: Sequence[str], name: str, x: Any, y: Any, shortcuts: Mapping[int, int] = {}
) -> Any:
    """The mean loss over the examples."""
    return mean_loss(name, outputs(layers, activations, x, shortcuts), y)


gradient = grad(loss)  # dW and db of every layer, by autograd: nothing of it knows the chain rule as the engine has it


def backpropagation(W1: Any, b1: Any, W2: Any, b2: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    """Five lines: dW1, db1, dW2, db2 of half the squared error of x -> tanh -> tanh, the mean over examples."""
    a1 = np.tanh(x @ W1.T + b1)
    a2 = np.tanh(a1 @ W2.T + b2)
    dz2 = (a2 - y) / len(x) * (1 - a2**2)
    dz1 = dz2 @ W2 * (1 - a1**2)
    return dz1.T @ x, dz1.sum(0), dz2.T @ a1, dz2.sum(0)
