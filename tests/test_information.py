"""Mutual information by binning: against cases known by hand, and against the sums of the definition."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Spec
from engine.information import PlanePoint, binned, entropy, mutual_information, record, states
from engine.information import information_plane as plane_of

labels = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(np.array)


def test_entropy_of_known_cases() -> None:
    """One value: 0 bits; eight equally often: 3 bits; a coin of 1 in 4: 0.811 bits."""
    assert entropy(np.zeros(5, dtype=np.int64)) == 0.0
    assert entropy(np.arange(8)) == pytest.approx(3.0)
    assert entropy(np.array([0, 1, 1, 1])) == pytest.approx(0.8112781244591328)


@given(labels, st.integers(0, 2**32 - 1))
def test_mutual_information_is_the_sum_of_its_definition(one: np.ndarray, seed: int) -> None:
    """The sum over pairs of p log2(p / (p q)), term by term."""
    other = np.random.default_rng(seed).integers(0, 3, len(one))
    total = 0.0
    for s in set(one.tolist()):
        for t in set(other.tolist()):
            both = float(np.mean((one == s) & (other == t)))
            if both:
                total += both * log2(both / (float(np.mean(one == s)) * float(np.mean(other == t))))
    assert mutual_information(one, other) == pytest.approx(total, abs=1e-9)


@given(labels)
def test_what_is_known_of_itself_is_its_entropy(one: np.ndarray) -> None:
    """And of a constant nothing is known."""
    assert mutual_information(one, one) == pytest.approx(entropy(one))
    assert mutual_information(one, np.zeros_like(one)) == pytest.approx(0.0, abs=1e-12)


def test_bins_cover_the_span_and_keep_what_lies_outside() -> None:
    """Edges go up; what is below or above joins the first or the last bin."""
    values = np.array([-5.0, -1.0, -0.51, -0.5, 0.0, 0.99, 1.0, 7.0])
    assert binned(values, 4, -1.0, 1.0).tolist() == [0, 0, 0, 1, 2, 3, 3, 3]
    for bins, low, high, word in ((1, 0, 1, "bins"), (201, 0, 1, "bins"), (4, 1, 1, "low")):
        with pytest.raises(ValueError, match=word):
            binned(values, bins, low, high)


def test_states_are_equal_where_rows_are() -> None:
    """A layer's state is the whole row of its bins."""
    assert states(np.array([[1, 2], [3, 4], [1, 2], [1, 3]])).tolist() == [0, 2, 0, 1]


def spec(**more: object) -> Spec:
    return Spec.make(
        {"dataset": "circle", "samples": 200, "noise": 0, "test_share": 0, "hidden": [6, 3], "batch_size": 20,
         "loss": "binary_cross_entropy", "optimizer": "adam", "learning_rate": 0.01, **more}
    )  # fmt: skip


def information_plane(spec: Spec, epochs: list[int], bins: int) -> tuple[PlanePoint, ...]:
    return plane_of(spec, record(spec, epochs), bins)


def test_the_plane_keeps_the_laws_of_information() -> None:
    """No layer tells more of the label than of the input, nor more than there is to know; deeper never tells more.

    (Each state is a function of the input: I(X;T) is its entropy, at most log2 of the states.)
    """
    points = information_plane(spec(), [0, 5, 20], 30)
    assert {(p.epoch, p.layer) for p in points} == {(e, layer) for e in (0, 5, 20) for layer in (1, 2, 3)}
    for point in points:
        assert 0 <= point.about_label <= point.about_input + 1e-9
        assert point.about_label <= 1 + 1e-9
        assert point.about_input <= min(log2(200), log2(point.states)) + 1e-9


def test_more_bins_tell_more_of_the_input() -> None:
    """Halving every bin can only split states: the reason for the dispute."""
    coarse, fine = (
        {(p.epoch, p.layer): p.about_input for p in information_plane(spec(), [0, 10], b)} for b in (10, 20)
    )
    assert all(fine[key] >= coarse[key] - 1e-9 for key in coarse)
    assert any(fine[key] > coarse[key] + 0.1 for key in coarse)


def test_a_constant_layer_tells_nothing() -> None:
    """All weights zero: one state, no information, of the input or of the label."""
    points = information_plane(spec(initializer="zeros"), [0], 30)
    assert all((p.about_input, p.about_label, p.states) == (0.0, 0.0, 1) for p in points)


def test_relu_is_binned_up_to_its_largest_value() -> None:
    """An unbounded activation has bins all the same, and a diverging run is told as far as it got."""
    points = information_plane(spec(activation="relu"), [0, 3], 30)
    assert max(p.states for p in points) > 2
    wild = spec(
        optimizer="sgd", learning_rate=100, loss="squared_error", output_activation="identity", activation="relu"
    )
    assert {p.epoch for p in information_plane(wild, [0, 200], 30)} == {0}
