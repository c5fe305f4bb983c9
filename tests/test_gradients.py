"""The gradient of whole networks against two judges that share nothing with it: reruns of the model, and autograd."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
import textbook
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import workspace
from engine.activations import ACTIVATIONS
from engine.arrays import Floats
from engine.layers import LayerItem, dense, network_of
from engine.losses import LOSSES
from engine.network import Network, with_ones
from engine.workspace import Workspace

TOLERANCE = 1e-6
CLEAR = 1e-3  # how far z, and the loss's argument, must be from a kink
KINKED = ("relu", "leaky_relu", "threshold")
PAIRS = [(loss, output) for loss in LOSSES for output in ACTIVATIONS if not LOSSES[loss].refuses(ACTIVATIONS[output])]


@dataclass(frozen=True)
class Case:
    """A network with parameters and examples: x (examples, inputs), y (examples, outputs)."""

    network: Network
    parameters: Floats
    x: Floats
    y: Floats

    def loss_and_gradient(self, parameters: Floats) -> tuple[float, Floats, Workspace]:
        """The engine's, at other parameters of the same network."""
        gradient = np.empty_like(parameters)
        passes = Workspace(self.network, parameters, gradient, len(self.x))
        passes.forward(with_ones(self.x))
        return passes.backward(with_ones(self.x), self.y.T), gradient, passes

    def is_clear_of_kinks(self) -> bool:
        """No z and no output so close to a corner that a rerun would step over it."""
        passes = self.loss_and_gradient(self.parameters)[2]
        names, a, y = self.network.activation_names, passes.a[-1], self.y.T
        corners = [z for z, name in zip(passes.z, names, strict=True) if name in KINKED]
        corners += {
            "mean_absolute_error": [a - y],
            "huber": [np.abs(a - y) - 1],
            "hinge": [1 - a * y],
        }.get(self.network.loss_name, [])
        return all((np.abs(distance) > CLEAR).all() for distance in corners)


def make_case(
    sizes: Sequence[int], names: Sequence[str], loss: str, examples: int, seed: int, shortcuts: str = ""
) -> Case:
    """A case drawn from a seed, and drawn again, ever smaller, until nothing sits on a kink.

    `shortcuts` has a digit for each hidden layer: over how many layers one leads to it, 0 for none.
    """
    items = [dense(units, name) for units, name in zip(sizes[1:-1], names[:-1], strict=True)]
    for k in reversed(range(len(shortcuts))):
        items[k + 1 : k + 1] = [LayerItem("shortcut", (("over", int(shortcuts[k])),))] * (shortcuts[k] != "0")
    network = network_of(sizes[0], tuple(items), sizes[-1], names[-1], loss)
    rng = np.random.default_rng(seed)
    for attempt in range(1000):
        x = rng.normal(size=(examples, sizes[0]))
        parameters = rng.normal(scale=0.99**attempt, size=network.size)
        case = Case(network, parameters, x, _targets(loss, (examples, sizes[-1]), rng))
        if case.is_clear_of_kinks():
            return case
    raise AssertionError(f"{network} is on a kink wherever it stands")


def _targets(loss: str, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    if loss == "cross_entropy":
        return np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    if loss == "binary_cross_entropy":
        return rng.integers(0, 2, shape) * 1.0
    return rng.choice([-1.0, 1.0], shape) if loss == "hinge" else rng.normal(size=shape)


def by_reruns(case: Case, h: float = 1e-5) -> Floats:
    """Central differences, one parameter after the other."""
    slopes = np.empty_like(case.parameters)
    for i in range(len(slopes)):
        sides = [case.parameters.copy(), case.parameters.copy()]
        sides[0][i] += h
        sides[1][i] -= h
        up, down = (case.loss_and_gradient(side)[0] for side in sides)
        slopes[i] = (up - down) / (2 * h)
    return slopes


def by_autograd(case: Case) -> tuple[float, Floats]:
    """Loss and gradient by an independent program."""
    layers = [(W.copy(), b.copy()) for W, b in case.network.layers(case.parameters)]
    network = case.network
    arguments = (layers, network.activation_names, network.loss_name, case.x, case.y, network.shortcuts)
    return float(textbook.loss(*arguments)), case.network.flatten(textbook.gradient(*arguments))


def difference(one: Floats, other: Floats) -> float:
    """Relative to the larger of the two; a gradient that is next to nothing is measured against 0.001."""
    return float(np.linalg.norm(one - other) / max(np.linalg.norm(one), np.linalg.norm(other), 1e-3))


def check(case: Case) -> None:
    """Both judges agree with the engine."""
    loss, gradient, _ = case.loss_and_gradient(case.parameters)
    expected, independent = by_autograd(case)
    assert loss == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert difference(gradient, independent) < TOLERANCE
    assert difference(gradient, by_reruns(case)) < TOLERANCE


@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize(("loss", "output"), PAIRS, ids=[f"{loss}-{output}" for loss, output in PAIRS])
def test_every_activation_with_every_loss_and_output(hidden: str, loss: str, output: str) -> None:
    """2-3-2 with each of them, five examples."""
    check(make_case((2, 3, 2), (hidden, output), loss, examples=5, seed=1))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """0 to 4 hidden layers of 1 to 5 units, each with an activation of its own."""
    loss, output = draw(st.sampled_from(PAIRS))
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=6))
    names = [draw(st.sampled_from(list(ACTIVATIONS))) for _ in sizes[1:-1]]
    return make_case(sizes, [*names, output], loss, draw(st.integers(1, 6)), draw(st.integers(0, 2**20)))


@settings(max_examples=150, deadline=None)
@given(cases())
def test_any_architecture(case: Case) -> None:
    """Whatever the depth, the widths and the mixture of activations."""
    check(case)


@pytest.mark.parametrize(("loss", "output"), PAIRS, ids=[f"{loss}-{output}" for loss, output in PAIRS])
def test_shortcuts_with_every_loss_and_output(loss: str, output: str) -> None:
    """Inputs and layers that are used twice and three times, from the inputs on, over one, two and four layers."""
    names = ("tanh", "softmax", "gelu", "elu", output)
    check(make_case((3, 3, 3, 3, 3, 2), names, loss, examples=5, seed=1, shortcuts="1121"))
    check(make_case((3, 3, 3, 3, 3, 2), names, loss, examples=4, seed=2, shortcuts="0234"))


@st.composite
def shortcut_cases(draw: st.DrawFn) -> Case:
    """1 to 6 hidden layers of 2 or 3 units, and shortcuts wherever two widths are equal."""
    loss, output = draw(st.sampled_from(PAIRS))
    sizes = draw(st.lists(st.integers(2, 3), min_size=3, max_size=8))
    names = [draw(st.sampled_from(list(ACTIVATIONS))) for _ in sizes[1:-1]]
    shortcuts = ""
    for k in range(1, len(sizes) - 1):
        equal = [over for over in range(1, k + 1) if sizes[k - over] == sizes[k]]
        shortcuts += str(draw(st.sampled_from([0, *equal])))
    return make_case(sizes, [*names, output], loss, draw(st.integers(1, 6)), draw(st.integers(0, 2**20)), shortcuts)


@settings(max_examples=150, deadline=None)
@given(shortcut_cases())
def test_any_shortcuts(case: Case) -> None:
    """However many lead from one layer and round each other."""
    check(case)


def test_a_shortcut_that_does_not_add_on_the_way_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient of a value used twice that has but one of its two parts fails this check."""
    monkeypatch.setattr(workspace, "_brought", lambda *_: iter(()))
    with pytest.raises(AssertionError):
        check(make_case((2, 3, 3, 2), ("tanh", "tanh", "identity"), "squared_error", 5, seed=1, shortcuts="01"))


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "gelu", "softmax"])
def test_a_wrong_derivative_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A derivative that is one per cent too large in one activation fails this check: the checker checks."""
    right = ACTIVATIONS[name]

    def wrong(z: Floats, a: Floats, out: Floats) -> None:
        assert right.derivative is not None
        right.derivative(z, a, out)
        out *= 1.01

    def wrong_product(da: Floats, a: Floats, out: Floats) -> None:
        assert right.product is not None
        right.product(da, a, out)
        out *= 1.01

    planted = replace(right, product=wrong_product) if right.product else replace(right, derivative=wrong)
    monkeypatch.setitem(ACTIVATIONS, name, planted)
    with pytest.raises(AssertionError):
        check(make_case((2, 3, 2), (name, "identity"), "squared_error", examples=5, seed=1))


def test_a_wrong_loss_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """So does a loss whose gradient forgot its 2."""
    right = LOSSES["mean_squared_error"]

    def wrong(a: Floats, y: Floats, scale: float | Floats, out: Floats) -> float:
        loss = right.value_and_gradient(a, y, scale, out)
        out /= 2
        return loss

    monkeypatch.setitem(LOSSES, "mean_squared_error", replace(right, value_and_gradient=wrong))
    with pytest.raises(AssertionError):
        check(make_case((2, 3, 2), ("tanh", "identity"), "mean_squared_error", examples=5, seed=1))


@pytest.mark.parametrize("seed", range(5))
def test_the_fast_passes_are_the_five_line_textbook(seed: int) -> None:
    """Two layers of tanh: the loop over prebuilt calls and five lines of NumPy give the same gradient."""
    case = make_case((3, 6, 2), ("tanh", "tanh"), "squared_error", examples=9, seed=seed)
    (W1, b1), (W2, b2) = case.network.layers(case.parameters)
    dW1, db1, dW2, db2 = textbook.backpropagation(W1, b1, W2, b2, case.x, case.y)
    _, gradient, _ = case.loss_and_gradient(case.parameters)
    np.testing.assert_allclose(gradient, case.network.flatten([(dW1, db1), (dW2, db2)]), rtol=1e-12, atol=1e-16)


def test_da_and_dz_of_every_layer() -> None:
    """Not only dW and db: dL/dz of each unit is what the loss gains when that unit's bias, for that example, moves."""
    case = make_case((2, 3, 3, 1), ("gelu", "softmax", "tanh"), "huber", examples=1, seed=2)
    _, gradient, passes = case.loss_and_gradient(case.parameters)
    for (dW, db), dz, (below, above) in zip(
        case.network.layers(gradient), passes.dz, pairwise([case.x.T, *passes.a]), strict=True
    ):
        np.testing.assert_allclose(dz[:, 0], db, rtol=1e-12)  # with one example dz is db
        np.testing.assert_allclose(np.outer(dz[:, 0], below[:, 0]), dW, rtol=1e-12)
        assert above.shape == dz.shape
    for (W, _), da, dz in zip(case.network.layers(case.parameters)[1:], passes.da[:-1], passes.dz[1:], strict=True):
        np.testing.assert_allclose(da, W.T @ dz, rtol=1e-12)
