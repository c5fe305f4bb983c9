"""Questions asked by running the model again: they agree with backpropagation, and find it out when it is wrong."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from drawn import states
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine import ACTIVATIONS, RunState, Spec, SpecError, advance, apply, start, trace
from engine.arrays import Floats
from engine.probes import Model, check_all, contour, examples_for, nudge, slice_, wishes

SMOOTH = {"identity", "sigmoid", "tanh", "gelu", "silu", "softplus", "softmax"}
SMOOTH_LOSSES = {"squared_error", "mean_squared_error", "binary_cross_entropy", "cross_entropy"}


@settings(max_examples=60, deadline=None)
@given(states(), st.sampled_from([None, 3]), st.sampled_from([0.001, -0.001]))
def test_a_nudge_is_the_change_of_one_parameter(state: RunState, example: int | None, amount: float) -> None:
    """Before and after are the losses of the two models with their penalties, the gradients are the trace's, and better
    is a lower loss."""
    assume(abs(state.parameters[0]) < 9e5)  # a weight may be set to 1e6 at most
    found = nudge(state, "W1.1.1", amount, example)
    step = trace(state, example)
    moved = trace(apply(state, "W1.1.1", float(state.parameters[0]) + amount), example)
    assert (found.before, found.after) == (step.loss + step.penalty, moved.loss + moved.penalty)
    assert (found.penalty, found.gradient, found.penalty_gradient) == (
        step.penalty, step.gradient[0], step.penalty_gradient[0],
    )  # fmt: skip
    assert found.slope == (found.after - found.before) / amount
    assert found.total == found.gradient + found.penalty_gradient
    assert found.difference == found.slope - found.total
    assert found.verdict == (
        "better" if found.after < found.before else "worse" if found.after > found.before else "same"
    )
    assert found.reruns == state.spec.network.size


@settings(max_examples=60, deadline=None)
@given(states())
def test_the_gradient_agrees_with_nudges_of_every_parameter(state: RunState) -> None:
    """Of any run; where the loss has a kink, the gradient lies between its two sides."""
    found = check_all(state)
    assert found.passed
    assert found.checked == found.parameters == state.spec.network.size
    if {*state.spec.activation, state.spec.output_activation} <= SMOOTH and state.spec.loss in SMOOTH_LOSSES:
        assert found.largest <= 1e-5 * max(found.scale, 1e-3)
    assert nudge(state, "b1.1").agrees


@pytest.mark.parametrize("regularization", ["l1", "l2"])
def test_a_nudge_finds_the_slope_of_loss_and_penalty(regularization: str) -> None:
    """A rerun rises by the data's slope and the penalty's; a bias is not penalized; the check agrees everywhere."""
    state = advance(start(Spec.make(regularization=regularization, regularization_rate=0.1)), 30).state
    rate = 0.1
    for address in ("W1.1.2", "W2.1.3", "W3.1.1"):
        weight = float(state.parameters[state.spec.network.locate(address)])
        found = nudge(state, address, 1e-6)
        assert found.penalty_gradient == pytest.approx(rate * (np.sign(weight) if regularization == "l1" else weight))
        assert found.slope == pytest.approx(found.gradient + found.penalty_gradient, abs=1e-6)
        assert abs(found.slope - found.gradient) > 1e-3
        assert found.agrees
        along = slice_(state, address, width=1e-3)
        here = np.polyfit(along.values[39:42], along.losses[39:42], 2)
        assert np.polyval(np.polyder(here), along.now) == pytest.approx(along.total, rel=0.02, abs=2e-3)
    assert nudge(state, "b1.1").penalty_gradient == 0
    assert check_all(state).passed
    free = advance(start(Spec.make()), 30).state
    assert nudge(free, "W1.1.2").total == nudge(free, "W1.1.2").gradient


def test_the_corner_of_l1_is_said() -> None:
    """At a weight of 0 the slope jumps by twice the rate: training adds 0 there, and the nudge says it is a corner."""
    state = start(Spec.make(regularization="l1", regularization_rate=0.1, initializer="zeros"))
    up, down = nudge(state, "W3.1.1", 1e-6), nudge(state, "W3.1.1", -1e-6)
    assert (up.kink, up.agrees, up.penalty_gradient) == (True, True, 0.0)
    assert up.slope - down.slope == pytest.approx(0.2, abs=1e-4)
    assert down.slope < up.total < up.slope
    assert not nudge(state, "b3.1").kink
    found = check_all(state)
    assert found.passed
    assert found.kinks == int(state.spec.network.is_weight.sum())
    assert not nudge(start(Spec.make(regularization="l2", regularization_rate=0.1, initializer="zeros")), "W3.1.1").kink


def test_a_smaller_nudge_is_a_better_slope() -> None:
    """A tenth of the amount leaves about a tenth of the difference: it is the nudge's doing, not the gradient's."""
    state = advance(start(Spec.make()), 20).state
    large, small = (
        sum(abs(nudge(state, address, amount).difference) for address in state.spec.network.addresses())
        for amount in (0.01, 0.001)
    )
    assert 0.05 * large < small < 0.2 * large


def _wrong(derivative: Callable[[Floats, Floats, Floats], None]) -> Callable[[Floats, Floats, Floats], None]:
    def slightly(z: Floats, a: Floats, out: Floats) -> None:
        derivative(z, a, out)
        np.multiply(out, 1.001, out)

    return slightly


@pytest.mark.parametrize("name", ["tanh", "relu", "leaky_relu", "sigmoid"])
def test_a_wrong_derivative_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One part in a thousand is enough, and the parameter that is named lies before the wrong layer's z."""
    entry = ACTIVATIONS[name]
    assert entry.derivative
    spec = Spec.make(activation=name, seed=5, hidden=[4, 3], samples=41)
    assert check_all(start(spec)).passed
    monkeypatch.setitem(ACTIVATIONS, name, replace(entry, derivative=_wrong(entry.derivative)))
    found = check_all(start(Spec.make(activation=name, seed=5, hidden=[4, 3], samples=42)))
    assert not found.passed
    assert found.address[1] in "12"
    assert not nudge(start(Spec.make(activation=name, seed=5, hidden=[4, 3], samples=43)), found.address).agrees


def test_a_leaky_relu_with_slope_zero_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault of another explainer: derivative 0 below zero."""
    wrong = replace(ACTIVATIONS["leaky_relu"], derivative=ACTIVATIONS["relu"].derivative)
    monkeypatch.setitem(ACTIVATIONS, "leaky_relu", wrong)
    assert not check_all(start(Spec.make(activation="leaky_relu", samples=44))).passed


def test_a_check_is_bounded() -> None:
    """At most so many parameters, spread from the first to the last, and it says how many."""
    state = start(Spec.make(dataset="digits16", hidden=[32], samples=60))
    found = check_all(state, limit=50)
    assert found.checked == 50
    assert found.parameters == state.spec.network.size
    assert check_all(state, seconds=0.0).checked == 1


@settings(max_examples=25, deadline=None)
@given(states())
def test_a_slice_is_the_loss_along_one_parameter(state: RunState) -> None:
    """Its points are losses of the model with that parameter there; it lands where the next step does."""
    found, step = slice_(state, "b1.1"), trace(state)
    model, index = Model(state, examples_for(state, None)), state.spec.network.locate("b1.1")
    assert (found.loss, found.penalty) == (step.loss + step.penalty, step.penalty)
    assert (found.gradient, found.penalty_gradient) == (step.gradient[index], step.penalty_gradient[index])
    assert found.total == found.gradient + found.penalty_gradient
    assert found.losses[::20].tolist() == [model.loss_at(index, value) for value in found.values[::20].tolist()]
    assert found.landings[0].value == step.parameters_next[index]
    assert found.landings[0].loss == model.loss_at(index, found.landings[0].value)
    assert found.values[0] < found.now < found.values[-1]


def test_a_slice_shows_three_and_ten_times_the_rate() -> None:
    """For plain gradient descent the way is 3 and 10 times as long."""
    found = slice_(advance(start(Spec.make()), 5).state, "W3.1.1")
    ways = [landing.value - found.now for landing in found.landings]
    assert [landing.factor for landing in found.landings] == [1, 3, 10]
    np.testing.assert_allclose(ways, np.multiply([1, 3, 10], -0.03 * found.gradient), rtol=1e-9)


def test_a_contour_holds_the_path() -> None:
    """Over slope and intercept of the line: every point of the path lies inside, and the losses are the model's."""
    state = advance(start(Spec.make(dataset="line", hidden=[], samples=40)), 60).state
    path = [(0.0, 0.0), (0.4, -0.2), (float(state.parameters[0]), float(state.parameters[1]))]
    found = contour(state, "W1.1.1", "b1.1", path=path)
    assert found.path == tuple(path)
    assert all(found.x[0] < x < found.x[-1] and found.y[0] < y < found.y[-1] for x, y in path)
    model = Model(state, np.arange(found.examples))
    model.parameters[1] = found.y[3]
    assert found.losses[3, 7] == model.loss_at(0, found.x[7])
    best = np.unravel_index(found.losses.argmin(), found.losses.shape)
    assert found.losses[best] <= model.loss_at(0, found.x[0])


@settings(max_examples=40, deadline=None)
@given(states())
def test_the_wishes_of_the_examples_have_the_batchs_gradient_as_their_mean(state: RunState) -> None:
    """And each is the gradient of the trace on that example alone; cosines are between -1 and 1."""
    found = wishes(state)
    np.testing.assert_allclose(found.gradients.mean(axis=0), found.mean, rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(found.mean, trace(state).gradient)
    assert found.examples.tolist() == trace(state).examples.tolist()
    np.testing.assert_array_equal(found.gradients[0], trace(state, int(found.examples[0])).gradient)
    finite = found.cosines[np.isfinite(found.cosines)]
    assert (np.abs(finite) <= 1).all()
    if len(found.examples) == 1 and len(finite):
        assert finite[0] == pytest.approx(1.0)


def test_wishes_are_bounded() -> None:
    """Of a batch that is too large only the first examples are told; the mean stays the whole batch's."""
    state = start(Spec.make(batch_size=100))
    found = wishes(state, values=50)
    assert found.gradients.shape == (2, 25)
    assert found.batch == 100
    np.testing.assert_array_equal(found.mean, trace(state).gradient)


@pytest.mark.parametrize(
    ("field", "ask"),
    [
        ("address", lambda s: nudge(s, "W9.1.1")),
        ("amount", lambda s: nudge(s, "W1.1.1", 0.0)),
        ("amount", lambda s: nudge(s, "W1.1.1", float("nan"))),
        ("amount", lambda s: nudge(s, "W1.1.1", 11.0)),
        ("example", lambda s: nudge(s, "W1.1.1", example=200)),
        ("example", lambda s: check_all(s, -1)),
        ("width", lambda s: slice_(s, "W1.1.1", width=0.0)),
        ("address", lambda s: slice_(s, "a1.1")),
        ("x", lambda s: contour(s, "a1.1", "b1.1")),
        ("y", lambda s: contour(s, "b1.1", "b1.1")),
    ],
)
def test_what_cannot_be_asked(field: str, ask: Callable[[RunState], object]) -> None:
    """Is named by field, value and what is allowed."""
    with pytest.raises(SpecError) as caught:
        ask(start(Spec.make()))
    assert caught.value.field == field
    assert caught.value.allowed


def test_asking_changes_nothing() -> None:
    """The state is the same value before and after every question."""
    state = advance(start(Spec.make()), 3).state
    before = state.parameters.tobytes()
    for ask in (lambda: nudge(state, "W1.1.1"), lambda: check_all(state), lambda: slice_(state, "W1.1.1"),
                lambda: contour(state, "W1.1.1", "b1.1"), lambda: wishes(state)):  # fmt: skip
        ask()
    assert state.parameters.tobytes() == before
    assert not state.parameters.flags.writeable
