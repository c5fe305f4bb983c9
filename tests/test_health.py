"""What goes wrong in training is named in one sentence: what, where, what to try; and what goes well is left alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn import traces
from hypothesis import given, settings

from app.words.health import advice, advised
from engine import ACTIVATIONS, LayerTrace, Spec, Trace, advance, start, trace
from engine.health import complaint, health, spread

WELL = [
    ({}, 0), ({}, 50), ({}, 1000), ({"dataset": "line", "hidden": []}, 500),
    ({"dataset": "digits16", "hidden": [32], "loss": "cross_entropy", "learning_rate": 0.1}, 50),
    ({"dataset": "spiral", "activation": "relu", "hidden": [8, 8]}, 300),
    ({"initializer": "zeros", "hidden": []}, 0),
]  # fmt: skip
WRONG = [
    ("zero", 1, {"initializer": "zeros"}, 0, ("Every weight of hidden 1 is 0", "Xavier")),
    ("alike", 1, {"hidden": [2], "parameters": [{"W": [[0.5, 0.5]] * 2, "b": [0, 0]}, {"W": [[1, 1]], "b": [0]}]}, 0,
     ("hidden 1 are alike", "random")),
    ("threshold", 2, {"activation": ["tanh", "threshold"]}, 5, ("no gradient passes hidden 2", "sigmoid")),
    ("dead", 1, {"activation": "relu", "hidden": [2],
                 "parameters": [{"W": [[0.1, 0.1], [0.2, 0.1]], "b": [-9, -9]}, {"W": [[1, 1]], "b": [0]}]}, 0,
     ("All 2 units of hidden 1", "dead ReLU", "new start")),
    ("vanishing", 1, {"activation": "sigmoid", "hidden": [4] * 8}, 0, ("vanish", "hidden 1", "ReLU")),
    ("exploding", 1, {"activation": "identity", "hidden": [20] * 4, "output_activation": "identity",
                      "initializer": "normal", "loss": "squared_error"}, 1, ("smaller learning rate",)),
    ("saturated", 1, {"hidden": [2], "parameters": [{"W": [[9, 9], [9, -9]], "b": [30, 30]},
                                                    {"W": [[0.1, 0.1]], "b": [0]}]}, 0,
     ("hidden 1 is saturated", "Tanh")),
    ("diverged", 0, {"dataset": "line", "hidden": [], "learning_rate": 10.0}, 400, ("smaller learning rate",)),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "steps"), WELL)
def test_what_goes_well_is_left_alone(spec: dict[str, object], steps: int) -> None:
    """No sentence."""
    state = advance(start(Spec.make(spec)), steps).state
    assert advised(trace(state), state) == ""


@pytest.mark.parametrize(("name", "layer", "spec", "steps", "words"), WRONG, ids=[case[0] for case in WRONG])
def test_what_goes_wrong_is_named(
    name: str, layer: int, spec: dict[str, object], steps: int, words: tuple[str, ...]
) -> None:
    """What it is, in which layer, and what to try."""
    state = advance(start(Spec.make(spec)), steps).state
    found = complaint(trace(state), state)
    assert found
    assert found.name == name
    if name != "exploding":
        assert found.layer == layer
    said = advice(state.spec, found)
    assert all(word in said for word in words), said


@settings(max_examples=60, deadline=None)
@given(traces())
def test_measures_are_what_they_say(step: Trace) -> None:
    """Each layer's measures are those that its own arrays give, one by one; a histogram is NumPy's."""
    for layer, told in zip(step.layers, health(step), strict=True):
        assert told.gradient_norm == pytest.approx(np.linalg.norm(np.append(layer.dW.ravel(), layer.db)))
        assert told.gradient_size == pytest.approx(np.sqrt(np.mean(layer.dW**2)))
        weights = np.linalg.norm(layer.W)
        assert told.update_ratio == pytest.approx(np.linalg.norm(layer.W_next - layer.W) / weights if weights else 0)
        slopes = slopes_of(layer)
        assert told.dead_share == (0 if slopes is None else np.mean([not unit.any() for unit in slopes.T]))
        assert 0 <= told.saturated_share <= 1
        if layer.activation in ("sigmoid", "tanh") and slopes is not None:
            assert told.saturated_share == pytest.approx(np.mean(slopes < 0.05 * slopes_at_zero(layer.activation)))
        if told.dead_share == 1:
            assert not layer.dW.any() or step.spec.network.joined
        counts, edges = spread(layer)
        expected, same = np.histogram(layer.a, 20, (edges[0], edges[-1]))
        assert counts.tolist() == expected.tolist()
        assert edges == pytest.approx(same, abs=1e-12)


def slopes_of(layer: LayerTrace) -> Any:
    derivative, out = ACTIVATIONS[layer.activation].derivative, np.empty_like(layer.z)
    if derivative is None:
        return None
    derivative(layer.z, layer.a, out)
    return out


def slopes_at_zero(activation: str) -> float:
    return {"sigmoid": 0.25, "tanh": 1.0}[activation]


def test_a_histogram_leaves_out_what_is_not_finite() -> None:
    """NaN and infinity are in no bin, values on an edge in the bin above, and none at all is no failure."""
    layer = trace(start(Spec.make(activation="tanh"))).layers[0]
    values = np.array([[-1.0, -0.7, 0.5, 1.0, np.nan, np.inf, -np.inf]])
    counts, edges = spread(replace(layer, a=values))
    assert counts.tolist() == np.histogram(values[np.isfinite(values)], 20, (-1, 1))[0].tolist()
    assert (edges[0], edges[-1], counts.sum()) == (-1, 1, 4)
    assert spread(replace(layer, a=np.full((2, 2), np.nan)))[0].tolist() == [0] * 20


def test_a_dead_unit_is_counted() -> None:
    """One of four ReLUs that never fires on the batch is a share of a quarter, and no complaint."""
    W = [[0.5, 0.5], [0.5, -0.5], [-0.5, 0.5], [0.1, 0.1]]
    spec = Spec.make(
        activation="relu",
        hidden=[4],
        parameters=[{"W": W, "b": [3, 3, 3, -9]}, {"W": [[0.1, 0.2, 0.3, 0.4]], "b": [0]}],
    )
    step = trace(start(spec))
    assert health(step)[0].dead_share == 0.25
    assert advised(step) == ""


def test_a_saturated_output_is_not_told_to_become_another_relu() -> None:
    """The only unit of a tanh output, driven to its end: no talk of 1 of 1 units, nor of leaky ReLU."""
    spec = Spec.make({"hidden": [], "features": ["x1"], "parameters": [{"W": [[0.0]], "b": [1000.0]}]})
    told = advised(trace(start(spec)))
    assert told.startswith("The only unit of the output layer gives slope 0")
    assert "ReLU" not in told
