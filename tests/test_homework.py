"""The backward passes that homework is judged by: against autograd, central differences and published values."""

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
import textbook
from autograd import grad as autograd_of

from engine.arrays import Floats
from engine.homework import BACKWARD
from engine.homework.base import Case

KINKED = ("relu", "leaky_relu", "elu", "threshold")


def _norm(x: Any, case: Case, axis: int) -> Any:
    mean = anp.mean(x, axis, keepdims=True)
    spread = anp.mean((x - mean) ** 2, axis, keepdims=True)
    return (x - mean) / (spread + case.settings["eps"]) ** 0.5


def _batch_norm(case: Case, x: Any, gamma: Any, beta: Any) -> Any:
    if x.ndim == 2:
        return _norm(x, case, 0) * gamma + beta
    whole = anp.reshape(anp.moveaxis(x, 1, 3), (-1, x.shape[1]))
    n, channels, high, wide = x.shape
    return anp.moveaxis(anp.reshape(_norm(whole, case, 0) * gamma + beta, (n, high, wide, channels)), 3, 1)


def _cross_entropy(case: Case, z: Any, y: Any) -> Any:
    logs = z - anp.log(anp.sum(anp.exp(z), 1, keepdims=True))
    return -anp.sum(y * logs) / (len(z) if case.settings["reduction"] == "mean" else 1)


# Every operation written a second time, in autograd's NumPy: (case, the inputs in their order) -> the output.
AGAIN: dict[str, Callable[..., Any]] = {
    **{name: lambda case, z, name=name: textbook.forward(name, z) for name in textbook.FORWARD},
    "dense": lambda case, x, W, b: anp.dot(x, W.T) + b,
    "softmax_cross_entropy": _cross_entropy,
    "dropout": lambda case, x, mask: anp.where(mask == 1, x / (1 - case.settings["rate"]), 0.0),
    "batch_norm": _batch_norm,
    "layer_norm": lambda case, x, gamma, beta: _norm(x, case, 1) * gamma + beta,
    "shortcut": lambda case, x, W, b: x + textbook.forward(case.settings["activation"], anp.dot(x, W.T) + b),
}


def drawn(name: str, seed: int, **settings: Any) -> Case:
    return BACKWARD[name].draw(np.random.default_rng(seed), settings)


def cases(name: str) -> list[Case]:
    """Drawn ones, and those of other forms: images, other settings."""
    found = [drawn(name, seed) for seed in range(20)]
    rng = np.random.default_rng(5)
    if name == "batch_norm":
        x, g = rng.normal(size=(2, 4, 3, 3, 5))
        found.append(Case({"x": x, "gamma": rng.normal(size=3), "beta": rng.normal(size=3)}, {"eps": 1e-3}, g))
    if name == "dropout":
        x, g = rng.normal(size=(2, 4, 3, 3, 5))
        found.append(Case({"x": x, "mask": (g > 0) * 1.0}, {"rate": 0.3}, g))
    if name == "shortcut":
        found += [drawn(name, 7, activation=each) for each in textbook.FORWARD]
    return found


def gradients_of(name: str, case: Case) -> dict[str, Floats]:
    """Those of sum(g * output), by autograd."""
    of, places = BACKWARD[name], list(case.arrays)

    def whole(*arrays: Any) -> Any:
        return anp.sum(case.g * AGAIN[name](case, *arrays))

    return {
        gradient: autograd_of(whole, places.index(gradient[1:]))(*case.arrays.values()) for gradient in of.gradients
    }


@pytest.mark.parametrize("name", BACKWARD)
def test_right_gradients_are_autograds(name: str) -> None:
    """With uneven numbers coming back: with even ones a normalization's right answer is 0."""
    of = BACKWARD[name]
    for case in cases(name):
        assert np.allclose(AGAIN[name](case, *case.arrays.values()), of.forward(case), rtol=1e-12, atol=1e-12)
        mine, other = of.backward(case), gradients_of(name, case)
        assert tuple(mine) == of.gradients
        for gradient, numbers in mine.items():
            assert numbers.shape == case[gradient[1:]].shape
            assert np.allclose(numbers, other[gradient], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", BACKWARD)
def test_right_gradients_are_central_differences(name: str) -> None:
    """Of the operation's own forward pass, number by number."""
    of, step = BACKWARD[name], 1e-5
    for case in cases(name)[::7]:
        for gradient, numbers in of.backward(case).items():
            x = case[gradient[1:]]
            for place in np.ndindex(x.shape):
                moved = [x.copy(), x.copy()]
                moved[0][place] -= step
                moved[1][place] += step
                low, high = (np.sum(case.g * of.forward(case.having(**{gradient[1:]: each}))) for each in moved)
                assert numbers[place] == pytest.approx((high - low) / (2 * step), rel=2e-5, abs=2e-6)


# Stanford CS231n, assignments 1 and 2: the check values that the notebooks print beside the layers.


def spread(low: float, high: float, *shape: int) -> Floats:
    return np.linspace(low, high, int(np.prod(shape))).reshape(shape)


def output(name: str, arrays: dict[str, Floats], **settings: Any) -> Floats:
    return BACKWARD[name].forward(Case(arrays, settings, np.zeros(())))


def difference(one: Floats, other: Any) -> float:
    """The relative error of CS231n: the largest, number by number."""
    other = np.array(other)
    return float(np.max(np.abs(one - other) / np.maximum(1e-8, np.abs(one) + np.abs(other))))


def test_published_values_of_the_dense_layer_and_relu() -> None:
    """affine_forward and relu_forward; their W is (inputs, units)."""
    inputs = {"x": spread(-0.1, 0.5, 2, 120), "W": spread(-0.2, 0.3, 120, 3).T, "b": spread(-0.3, 0.1, 3)}
    published = [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]]
    assert difference(output("dense", inputs), published) < 1e-8
    published = [[0, 0, 0, 0], [0, 0, 0.04545455, 0.13636364], [0.22727273, 0.31818182, 0.40909091, 0.5]]
    assert difference(output("relu", {"z": spread(-0.5, 0.5, 3, 4)}), published) < 5e-8


@pytest.mark.parametrize(("name", "axis"), [("batch_norm", 0), ("layer_norm", 1)])
def test_published_statistics_of_the_normalizations(name: str, axis: int) -> None:
    """Means are beta and deviations gamma; theirs are of four examples of three features."""
    rng = np.random.RandomState(231)
    a = np.maximum(0, rng.randn(200, 50) @ rng.randn(50, 60)) @ rng.randn(60, 3)
    x = a if axis == 0 else a.T
    size = x.shape[1]
    told = output(name, {"x": x, "gamma": np.ones(size), "beta": np.zeros(size)}, eps=1e-5)
    assert np.abs(told.mean(axis)).max() < 1e-13
    assert np.abs(told.std(axis) - 1).max() < 1e-6
    gamma, beta = (
        (np.array([1.0, 2, 3]), np.array([11.0, 12, 13])) if axis == 0 else (np.full(size, 3.0), np.full(size, 5.0))
    )
    told = output(name, {"x": x, "gamma": gamma, "beta": beta}, eps=1e-5)
    assert np.abs(told.mean(axis) - (beta if axis == 0 else 5)).max() < 1e-12
    assert np.abs(told.std(axis) - (gamma if axis == 0 else 3)).max() < 1e-5


def test_a_softmax_of_many_classes_starts_as_published() -> None:
    """CS231n's sanity check: with small weights the loss is about log of ten classes, 2.3, and dz is right to 1e-7."""
    rng = np.random.RandomState(231)
    z, y = 0.001 * rng.randn(50, 10), np.eye(10)[rng.randint(10, size=50)]
    case = Case({"z": z, "y": y}, {"reduction": "mean"}, np.ones(()))
    assert BACKWARD["softmax_cross_entropy"].forward(case) == pytest.approx(2.3, abs=0.01)
    numbers = BACKWARD["softmax_cross_entropy"].backward(case)["dz"]
    assert difference(numbers, gradients_of("softmax_cross_entropy", case)["dz"]) < 1e-7
