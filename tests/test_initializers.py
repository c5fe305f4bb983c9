"""Starting weights have the published mean, spread and bounds."""

from math import sqrt

import numpy as np
import pytest

from engine import Spec, start
from engine.initializers import INITIALIZERS

FAN_IN, FAN_OUT = 300, 200
SPREAD = {  # standard deviations as published; a uniform on (-r, r) has r / sqrt(3)
    "zeros": 0.0,
    "uniform": 0.5 / sqrt(3),
    "normal": 0.5,
    "xavier_uniform": sqrt(2 / (FAN_IN + FAN_OUT)),
    "xavier_normal": sqrt(2 / (FAN_IN + FAN_OUT)),
    "he_uniform": sqrt(2 / FAN_IN),
    "he_normal": sqrt(2 / FAN_IN),
}
BOUND = {"uniform": 0.5, "xavier_uniform": sqrt(6 / (FAN_IN + FAN_OUT)), "he_uniform": sqrt(6 / FAN_IN)}
ALL = pytest.mark.parametrize("name", INITIALIZERS)


@ALL
def test_mean_and_spread_are_the_published_ones(name: str) -> None:
    """Over 60,000 weights: the mean within 5 standard errors of 0, the spread within 2 %."""
    W = INITIALIZERS[name].draw(np.random.default_rng(7), FAN_IN, FAN_OUT)
    spread = SPREAD.get(name, W.std())  # of a new rule until it is written out above, its own
    assert W.shape == (FAN_OUT, FAN_IN)
    assert abs(W.mean()) <= 5 * spread / sqrt(W.size)
    assert W.std() == pytest.approx(spread, rel=0.02)


@ALL
def test_a_uniform_start_fills_its_interval_and_a_normal_one_has_tails(name: str) -> None:
    """Uniform ones reach their bound and never pass it; normal ones have 4.55 % beyond two deviations."""
    W = INITIALIZERS[name].draw(np.random.default_rng(8), FAN_IN, FAN_OUT)
    if name in BOUND:
        assert 0.999 * BOUND[name] < np.abs(W).max() <= BOUND[name]
        assert np.histogram(W, 10)[0] == pytest.approx(W.size / 10, rel=0.05)
    elif name.endswith("normal") and name in SPREAD:
        assert (np.abs(W) > 2 * SPREAD[name]).mean() == pytest.approx(0.0455, abs=0.004)


@ALL
def test_a_run_starts_from_it(name: str) -> None:
    """Every layer with its own fan-in and fan-out, biases at zero, another seed other weights."""
    spec = Spec.make(initializer=name, hidden=[64, 32], features=["x1", "x2", "x1x2"])
    state = start(spec)
    for (W, b), (inputs, units) in zip(
        spec.network.layers(state.parameters), [(3, 64), (64, 32), (32, 1)], strict=True
    ):
        assert W.shape == (units, inputs)
        assert (b == 0).all()
        if name in BOUND:
            bound = {"uniform": 0.5, "xavier_uniform": sqrt(6 / (inputs + units)), "he_uniform": sqrt(6 / inputs)}[name]
            assert 0.5 * bound < np.abs(W).max() <= bound
    other = start(Spec.make(initializer=name, hidden=[64, 32], features=["x1", "x2", "x1x2"], seed=1))
    assert (state.parameters == other.parameters).all() == (name == "zeros")
