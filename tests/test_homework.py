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


def _slices(x: Any, size: tuple[int, int], stride: int) -> dict[tuple[int, int], Any]:
    """By place in the window, what all windows have there."""
    down, across = ((length - side) // stride + 1 for length, side in zip(x.shape[2:], size, strict=True))
    return {
        (i, j): x[:, :, i : i + stride * (down - 1) + 1 : stride, j : j + stride * (across - 1) + 1 : stride]
        for i, j in np.ndindex(*size)
    }


def _convolution(case: Case, x: Any, W: Any, b: Any) -> Any:
    pad = {"same": W.shape[2] // 2, "valid": 0}.get(case.settings["padding"], case.settings["padding"])
    padded = anp.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    parts = _slices(padded, W.shape[2:], case.settings["stride"])
    return sum(anp.einsum("ncyx,fc->nfyx", part, W[:, :, i, j]) for (i, j), part in parts.items()) + b[:, None, None]


def _pool(case: Case, x: Any) -> Any:
    size = case.settings["size"]
    parts = _slices(x, (size, size), case.settings["stride"] or size)
    return anp.concatenate([part[None] for part in parts.values()])


# Every operation written a second time, in autograd's NumPy: (case, the inputs in their order) -> the output.
AGAIN: dict[str, Callable[..., Any]] = {
    **{name: lambda case, z, name=name: textbook.forward(name, z) for name in textbook.FORWARD},
    "dense": lambda case, x, W, b: anp.dot(x, W.T) + b,
    "softmax_cross_entropy": _cross_entropy,
    "dropout": lambda case, x, mask: anp.where(mask == 1, x / (1 - case.settings["rate"]), 0.0),
    "batch_norm": _batch_norm,
    "layer_norm": lambda case, x, gamma, beta: _norm(x, case, 1) * gamma + beta,
    "conv2d": _convolution,
    "max_pool": lambda case, x: anp.max(_pool(case, x), 0),
    "avg_pool": lambda case, x: anp.mean(_pool(case, x), 0),
    "global_pool": lambda case, x: anp.mean(anp.mean(x, 3), 2),
    "flatten": lambda case, x: anp.reshape(x, (len(x), -1)),
    "shortcut": lambda case, x, W, b: x + textbook.forward(case.settings["activation"], anp.dot(x, W.T) + b),
}


def drawn(name: str, seed: int, **settings: Any) -> Case:
    return BACKWARD[name].draw(np.random.default_rng(seed), settings)


def other_filter(size: tuple[int, int], **settings: Any) -> Case:
    """A convolution with a filter of that form."""
    rng = np.random.default_rng(9)
    arrays = {"x": rng.normal(size=(2, 3, 6, 7)), "W": rng.normal(size=(2, 3, *size)), "b": rng.normal(size=2)}
    case = Case(arrays, settings, np.zeros(()))
    return case.with_upstream(rng.normal(size=BACKWARD["conv2d"].forward(case).shape))


def cases(name: str) -> list[Case]:
    """Drawn ones, and those of other forms: images, other settings."""
    found = [drawn(name, seed) for seed in range(20)]
    rng = np.random.default_rng(5)
    if name == "batch_norm":
        x, g = rng.normal(size=(2, 4, 3, 3, 5))
        found.append(Case({"x": x, "gamma": rng.normal(size=3), "beta": rng.normal(size=3)}, {"eps": 1e-3}, g))
    if name == "conv2d":
        found += [drawn(name, 3, stride=2, padding=each) for each in ("valid", 1)]
        found.append(other_filter((3, 3), stride=2, padding="same"))
        found.append(other_filter((2, 4), stride=1, padding=1))
    if name.endswith("_pool") and not name.startswith("global"):
        found += [drawn(name, 3, size=3, stride=each) for each in (0, 1, 4)]
        # Of two equal ones the slope is not one number.
        found = [case.having(x=case["x"] + rng.normal(0.0, 0.1, case["x"].shape)) for case in found]
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


def test_published_values_of_convolution_and_pool() -> None:
    """conv_forward_naive and max_pool_forward_naive."""
    inputs = {"x": spread(-0.1, 0.5, 2, 3, 4, 4), "W": spread(-0.2, 0.3, 3, 3, 4, 4), "b": spread(-0.1, 0.2, 3)}
    published = [
        [
            [[-0.08759809, -0.10987781], [-0.18387192, -0.2109216]],
            [[0.21027089, 0.21661097], [0.22847626, 0.23004637]],
            [[0.50813986, 0.54309974], [0.64082444, 0.67101435]],
        ],
        [
            [[-0.98053589, -1.03143541], [-1.19128892, -1.24695841]],
            [[0.69108355, 0.66880383], [0.59480972, 0.56776003]],
            [[2.36270298, 2.36904306], [2.38090835, 2.38247847]],
        ],
    ]
    assert difference(output("conv2d", inputs, stride=2, padding=1), published) < 3e-8
    published = [
        [
            [[-0.26315789, -0.24842105], [-0.20421053, -0.18947368]],
            [[-0.14526316, -0.13052632], [-0.08631579, -0.07157895]],
            [[-0.02736842, -0.01263158], [0.03157895, 0.04631579]],
        ],
        [
            [[0.09052632, 0.10526316], [0.14947368, 0.16421053]],
            [[0.20842105, 0.22315789], [0.26736842, 0.28210526]],
            [[0.32631579, 0.34105263], [0.38526316, 0.4]],
        ],
    ]
    assert difference(output("max_pool", {"x": spread(-0.3, 0.4, 2, 3, 4, 4)}, size=2, stride=2), published) < 5e-8


_SHAPES: dict[str, tuple[dict[str, tuple[int, ...]], tuple[int, ...], dict[str, Any]]] = {
    "dense": ({"x": (10, 6), "W": (5, 6), "b": (5,)}, (10, 5), {}),
    "relu": ({"z": (10, 10)}, (10, 10), {}),
    "batch_norm": ({"x": (4, 5), "gamma": (5,), "beta": (5,)}, (4, 5), {"eps": 1e-5}),
    "layer_norm": ({"x": (4, 5), "gamma": (5,), "beta": (5,)}, (4, 5), {"eps": 1e-5}),
    "dropout": ({"x": (10, 10)}, (10, 10), {"rate": 0.8}),
    "conv2d": ({"x": (4, 3, 5, 5), "W": (2, 3, 3, 3), "b": (2,)}, (4, 2, 5, 5), {"stride": 1, "padding": 1}),
    "max_pool": ({"x": (3, 2, 8, 8)}, (3, 2, 4, 4), {"size": 2, "stride": 2}),
}


@pytest.mark.parametrize("name", _SHAPES)
def test_the_checks_of_the_notebooks_pass(name: str) -> None:
    """Their shapes and seed: the error that is asked for is 1e-8 or less, here against autograd."""
    rng, (shapes, back, settings) = np.random.RandomState(231), _SHAPES[name]
    arrays = {key: rng.randn(*shape) for key, shape in shapes.items()}
    if name.endswith("norm"):
        arrays["x"] = 5 * arrays["x"] + 12
    if name == "dropout":
        arrays["mask"] = (rng.rand(10, 10) < 0.2) * 1.0
    case = Case(arrays, settings, rng.randn(*back))
    other = gradients_of(name, case)
    for gradient, numbers in BACKWARD[name].backward(case).items():
        assert difference(numbers, other[gradient]) < 1e-8


def test_of_equal_winners_the_first_gets_it() -> None:
    """Row by row, in every window by itself."""
    x = np.array([[[[1.0, 3, 2, 2], [3, 3, 0, 2]]]])
    told = BACKWARD["max_pool"].backward(Case({"x": x}, {"size": 2, "stride": 2}, np.array([[[[5.0, 7.0]]]])))["dx"]
    assert told.tolist() == [[[[0, 5, 7, 0], [0, 0, 0, 0]]]]
