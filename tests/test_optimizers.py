"""Each optimizer in lockstep with its published update, written out again below, on vectors and in whole runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import sqrt

import numpy as np
import pytest
import textbook

from engine import Spec, advance, apply, examples_of, start, trace
from engine.arrays import Floats
from engine.examples import batch_order
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.settings import complete

STEPS = 100
SIZE = 12
BY_GRADIENT = [name for name, optimizer in OPTIMIZERS.items() if optimizer.update]


PUBLISHED = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")


@dataclass
class Published:
    """One published rule, a number at a time in plain Python: give it gradients, it returns the parameters."""

    name: str
    p: list[float]
    settings: dict[str, float]
    t: int = 0

    def __post_init__(self) -> None:
        self.memory = [[0.0, 0.0] for _ in self.p]  # v or m, and the sum or mean of squares

    def step(self, gradient: Floats, rate: float) -> Floats:
        """The parameters after one more update."""
        self.t += 1
        triples = zip(self.p, gradient.tolist(), self.memory, strict=True)
        self.p = [self._moved(w, g, m, rate) for w, g, m in triples]
        return np.array(self.p)

    def _moved(self, w: float, g: float, m: list[float], rate: float) -> float:
        s, name = self.settings, self.name
        if name == "sgd":
            return w - rate * g
        if name in ("momentum", "nesterov"):  # Sutskever and others 2013, as PyTorch has it
            m[0] = s["momentum"] * m[0] + g
            return w - rate * (m[0] if name == "momentum" else g + s["momentum"] * m[0])
        if name == "adagrad":  # Duchi and others 2011
            m[1] += g * g
            return w - rate * g / (sqrt(m[1]) + s["epsilon"])
        if name == "rmsprop":  # Tieleman and Hinton 2012
            m[1] = s["decay"] * m[1] + (1 - s["decay"]) * g * g
            return w - rate * g / (sqrt(m[1]) + s["epsilon"])
        # Kingma and Ba 2014, algorithm 1; Loshchilov and Hutter 2017, algorithm 2
        m[0] = s["beta1"] * m[0] + (1 - s["beta1"]) * g
        m[1] = s["beta2"] * m[1] + (1 - s["beta2"]) * g * g
        m_hat, v_hat = m[0] / (1 - s["beta1"] ** self.t), m[1] / (1 - s["beta2"] ** self.t)
        decay = rate * s["weight_decay"] * w if name == "adamw" else 0.0
        return w - decay - rate * m_hat / (sqrt(v_hat) + s["epsilon"])


@dataclass
class Printed:
    """One rule as the lines that people see, executed."""

    name: str
    p: Floats
    settings: dict[str, float]
    t: int = 0

    def __post_init__(self) -> None:
        self.names = {slot: np.zeros_like(self.p) for slot in OPTIMIZERS[self.name].slots}

    def step(self, gradient: Floats, rate: float) -> Floats:
        """The parameters after one more update."""
        self.t += 1
        names = {"np": np, "t": self.t, "g": gradient, "rate": rate, "p": self.p, **self.settings, **self.names}
        exec("\n".join(OPTIMIZERS[self.name].code), names)
        self.names = {slot: names[slot] for slot in self.names}
        self.p = names["p"]
        return self.p


def rule_of(name: str, p: Floats, settings: dict[str, float]) -> Published | Printed:
    """The published rule, or for one that is not written out above what is printed of it."""
    return Published(name, p.tolist(), settings) if name in PUBLISHED else Printed(name, p.copy(), settings)


def gradients(seed: int) -> Iterator[Floats]:
    """Noisy, of very different sizes, one always zero: what tells optimizers apart."""
    rng, sizes = np.random.default_rng(seed), np.logspace(-6, 3, SIZE)
    sizes[3] = 0.0
    return ((rng.normal(size=SIZE) + 0.5) * sizes for _ in range(STEPS))


def run(optimizer: Optimizer, p: Floats, rate: float, settings: dict[str, float], seed: int) -> Iterator[Floats]:
    slots, scratch = [np.zeros(SIZE) for _ in optimizer.slots], np.empty(SIZE)
    assert optimizer.update is not None
    for t, g in enumerate(gradients(seed), 1):
        optimizer.update(p, g, slots, scratch, np.array(rate), t, settings)
        yield p.copy()


@pytest.mark.parametrize("name", BY_GRADIENT)
@pytest.mark.parametrize("changed", [False, True], ids=["defaults", "other settings"])
def test_lockstep_with_the_published_update(name: str, changed: bool) -> None:
    """A hundred steps, equal at each to 12 digits."""
    settings = complete(OPTIMIZERS[name].settings, {})
    if changed:
        settings |= {key: value for key, value in {
            "momentum": 0.5, "decay": 0.7, "beta1": 0.6, "beta2": 0.8, "epsilon": 1e-3, "weight_decay": 0.3,
        }.items() if key in settings}  # fmt: skip
    p = np.random.default_rng(1).normal(size=SIZE)
    rule = rule_of(name, p, settings)
    for got, g in zip(run(OPTIMIZERS[name], p, 0.01, settings, 2), gradients(2), strict=True):
        np.testing.assert_allclose(got, rule.step(g, 0.01), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", BY_GRADIENT)
def test_the_printed_code_is_the_update(name: str) -> None:
    """The lines that people see, executed for twenty steps."""
    optimizer, settings = OPTIMIZERS[name], complete(OPTIMIZERS[name].settings, {})
    p = np.random.default_rng(1).normal(size=SIZE)
    rule = Printed(name, p.copy(), settings)
    for got, g in islice(zip(run(optimizer, p, 0.01, settings, 3), gradients(3), strict=True), 20):
        np.testing.assert_allclose(got, rule.step(g, 0.01), rtol=1e-11, atol=1e-14)


def test_adam_first_moves_by_the_rate() -> None:
    """Whatever the size of the gradient, the first step is the rate against its sign."""
    p = np.zeros(SIZE)
    first = next(run(OPTIMIZERS["adam"], p, 0.01, complete(OPTIMIZERS["adam"].settings, {"epsilon": 1e-16}), 4))
    g = next(gradients(4))
    np.testing.assert_allclose(first, -0.01 * np.sign(g), rtol=1e-9)


@pytest.mark.parametrize("name", BY_GRADIENT)
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_run_is_the_published_rule_on_the_gradient_of_autograd(name: str, schedule: str) -> None:
    """The whole loop, 40 steps over ten epochs: batches, the last of six, gradient, rate of the step, t, update."""
    spec = Spec.make(dataset="xor", samples=60, hidden=[3], optimizer=name, schedule=schedule, learning_rate=0.02,
                     schedule_settings={"steps": 40} if schedule == "cosine" else None, batch_size=10)  # fmt: skip
    state, examples = start(spec), examples_of(spec)
    x, y = examples.x[:-1].T, examples.targets.T
    layers = [(W.copy(), b.copy()) for W, b in spec.network.layers(state.parameters)]
    rule = rule_of(name, state.parameters, dict(spec.optimizer_settings))
    orders = (batch_order(0, epoch, examples.train) for epoch in range(10))
    batches = [order[i : i + 10] for order in orders for i in range(0, 36, 10)]
    for t, batch in enumerate(batches):
        rate = 0.02 * (0.5 * (1 + np.cos(np.pi * t / 40)) if schedule == "cosine" else 1)
        g = textbook.gradient(layers, spec.network.activation_names, spec.loss, x[batch], y[batch])
        layers = [(W.copy(), b.copy()) for W, b in spec.network.layers(rule.step(spec.network.flatten(g), rate))]
    np.testing.assert_allclose(advance(state, 40).state.parameters, spec.network.flatten(layers), rtol=1e-9)


def test_an_optimizer_chosen_in_mid_run_begins_anew() -> None:
    """Adam after 30 steps of SGD: its first step is the rate against the gradient's sign, not three times that."""
    state = apply(advance(start(Spec.make(learning_rate=0.01)), 30).state, "optimizer", "adam")
    step = trace(state)
    assert step.t == 1
    moved = state.parameters - step.parameters_next
    np.testing.assert_allclose(moved, 0.01 * np.sign(step.gradient), rtol=1e-3)
    assert (advance(state, 1).state.parameters == step.parameters_next).all()


def test_trial_and_error_never_makes_its_batch_worse() -> None:
    """Each parameter is moved by the rate or not at all, and the loss of the batch never rises."""
    spec = Spec.make(optimizer="trial_and_error", learning_rate=0.1, batch_size=200, samples=100)
    state = start(spec)
    for _ in range(20):
        before = trace(state)
        moved = before.parameters_next - before.parameters
        assert set(np.round(np.abs(moved), 12)) <= {0.0, 0.1}
        progress = advance(state)
        state = progress.state
        assert trace(state).loss <= progress.losses[0]
    assert trace(state).loss < trace(start(spec)).loss


def test_trial_and_error_turns_round_and_counts_its_reruns() -> None:
    """A step that did not help is tried the other way round; each try is one rerun of the model."""
    spec = Spec.make(optimizer="trial_and_error", dataset="line", hidden=[], learning_rate=0.25, batch_size=200,
                     samples=50, noise=0, parameters=[{"W": [[-3.0]], "b": [9.0]}])  # fmt: skip
    state = advance(start(spec)).state
    assert state.parameters.tolist() == [-2.75, 8.75]  # W up at the first try, b down at the second
    assert state.forwards == 1 + 1 + 1 + 2  # for the gradients, the loss before, one try, two tries
    assert state.slots.tolist() == [[0.25, -0.25]]
    again = advance(state).state
    assert again.parameters.tolist() == [-2.5, 8.5]
    assert again.forwards - state.forwards == 1 + 1 + 1 + 1  # both directions are remembered


def test_trial_and_error_leaves_frozen_parameters_alone() -> None:
    """It does not even try them."""
    spec = Spec.make(optimizer="trial_and_error", frozen=["biases", "W1.1.1"])
    state = advance(start(spec), 5).state
    held = [spec.network.locate("W1.1.1"), *np.flatnonzero(spec.network.is_weight == 0)]
    assert (state.parameters[held] == start(spec).parameters[held]).all()
    assert (state.parameters != start(spec).parameters).any()


def test_trial_and_error_minds_the_penalty() -> None:
    """What it lowers is the loss with regularization: with a huge rate weights shrink to nothing."""
    spec = Spec.make(optimizer="trial_and_error", learning_rate=0.05, regularization="l1", regularization_rate=10)
    state = advance(start(spec), 60).state
    weights = state.parameters[spec.network.is_weight == 1]
    assert np.abs(weights).max() <= 0.05
