"""The maps of units are what `outputs_of` gives at the points that they stand for."""

import numpy as np
import pytest

from engine import DATASETS, Spec, advance, examples_of, outputs_of, start
from engine.features import apply_features
from engine.maps import unit_maps
from engine.network import layers_of, with_ones


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "elu", "gelu", "softmax"])
def test_every_unit_at_every_point(activation: str) -> None:
    """All layers, to the precision of float32; row 0 is the top, x1 grows to the right."""
    spec = Spec.make(dataset="spiral", features=["x1", "x2", "sin_x1"], hidden=[5, 3], activation=activation)
    state, n = advance(start(spec), 20).state, 9
    maps = unit_maps(state, n)
    assert [m.shape for m in maps] == [(3, n, n), (5, n, n), (3, n, n), (1, n, n)]
    assert all(m.dtype == np.float32 for m in maps)
    low, high = examples_of(spec).domain
    middles = low + (high - low) / n * (np.arange(n) + 0.5)
    for row, column in ((0, 0), (0, n - 1), (4, 7), (n - 1, 2)):
        point = np.array([[middles[column], middles[n - 1 - row]]])
        x = with_ones(apply_features(point, spec.features))
        values = [x, *(a for _, a in layers_of(spec.network, state.parameters, x))]
        for layer, value in zip(maps, values, strict=True):
            np.testing.assert_allclose(layer[:, row, column], value[:-1, 0], rtol=2e-5, atol=2e-6)


def test_one_input_gives_curves() -> None:
    """(units, resolution), with both ends of the domain."""
    state = advance(start(Spec.make(dataset="sine", hidden=[4])), 20).state
    features, hidden, output = unit_maps(state, 30)
    assert (features.shape, hidden.shape, output.shape) == ((1, 30), (4, 30), (1, 30))
    low, high = DATASETS["sine"].domain
    assert features[0, [0, -1]].tolist() == pytest.approx([low, high], rel=1e-6)
    assert (np.diff(features[0]) > 0).all()
    expected = outputs_of(state, with_ones(features.astype(float).T))
    np.testing.assert_allclose(output[0], expected[:, 0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("given", "resolution"), [({}, 1), ({}, 201), ({"dataset": "digits16"}, 50)])
def test_what_cannot_be_drawn_is_refused(given: dict[str, str], resolution: int) -> None:
    """Too coarse, too fine, or more than two inputs."""
    with pytest.raises(ValueError, match=r"resolution|inputs"):
        unit_maps(start(Spec.make(given)), resolution)
