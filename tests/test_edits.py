"""Changes in mid-run, as values: what they do, what they refuse, and that spec + edits + step is the whole run."""

from typing import Any

import numpy as np
import pytest

from engine import Edit, RunState, Spec, SpecError, advance, apply, edits_from, replay, start, trace
from engine.edits import EXAMPLES

SPEC = Spec.make()
EDITS = (
    Edit(0, "learning_rate", 0.1),
    Edit(7, "batch_size", 25),
    Edit(7, "W1.1.2", -1.5),
    Edit(13, "optimizer", "adam"),
    Edit(20, "frozen", ["biases"]),
    Edit(31, "regularization", "l2"),
    Edit(31, "regularization_rate", 0.01),
)


def same(one: RunState, other: RunState) -> bool:
    """Equal to the last bit, in one spelling."""
    arrays = [(one.parameters, other.parameters), (one.slots, other.slots)]
    plain = [(s.spec, s.step, s.epoch, s.cursor, s.forwards, s.divergence, s.optimizer_since) for s in (one, other)]
    return plain[0] == plain[1] and all(a.tobytes() == b.tobytes() for a, b in arrays)


def test_an_edit_changes_what_it_says_and_nothing_else() -> None:
    """A live field, a weight, a bias."""
    state = advance(start(Spec.make(optimizer="momentum")), 5).state
    faster = apply(state, "learning_rate", 0.5)
    assert faster.spec.learning_rate == 0.5
    assert same(apply(faster, "learning_rate", 0.03), state)
    moved = apply(state, "W2.1.3", 4.0)
    assert np.flatnonzero(moved.parameters != state.parameters).tolist() == [state.spec.network.locate("W2.1.3")]
    assert apply(state, "b3.1", 2).parameters[state.spec.network.locate("b3.1")] == 2.0
    assert not moved.parameters.flags.writeable


def test_another_optimizer_begins_with_nothing_remembered() -> None:
    """Its slots are zero and its count begins here; the same one keeps both."""
    state = advance(start(Spec.make(optimizer="momentum")), 5).state
    changed = apply(state, "optimizer", "adam")
    assert changed.slots.shape == (2, state.spec.network.size)
    assert not changed.slots.any()
    assert changed.optimizer_since == 5
    assert same(apply(state, "optimizer", "momentum"), state)


def test_replay_is_exact_however_it_is_cut() -> None:
    """Straight through, in pieces, or step by step by hand: the same bits."""
    spec = Spec.make(samples=83)
    whole = replay(start(spec), EDITS, 50)
    by_hand = start(spec)
    while by_hand.step < 50:
        for edit in EDITS:
            if edit.step == by_hand.step:
                by_hand = apply(by_hand, edit.field, edit.value)
        by_hand = advance(by_hand).state
    assert same(by_hand, whole)
    for cut in (3, 10, 20, 40):
        first = replay(start(spec), [e for e in EDITS if e.step < cut], cut)
        assert same(replay(first, [e for e in EDITS if e.step >= cut], 50), whole)


def test_an_edit_at_the_last_step_is_made() -> None:
    """One at step 7 belongs to the run at step 7; one at 8 does not."""
    spec = Spec.make()
    assert replay(start(spec), EDITS, 7).parameters[spec.network.locate("W1.1.2")] == -1.5
    assert replay(start(spec), EDITS, 7).spec.batch_size == 25
    assert replay(start(spec), EDITS, 6).spec.batch_size == 10


def test_an_edit_mends_a_run_that_diverged() -> None:
    """After a parameter or the rate was changed the run may go on."""
    state = advance(start(Spec.make(dataset="line", learning_rate=50)), 1000).state
    assert state.divergence
    assert apply(state, "learning_rate", 0.01).divergence is None
    assert apply(state, "b1.1", 0.0).divergence is None


def test_replay_stops_in_time_and_where_the_run_diverges() -> None:
    """It returns the state it got to, before any edit that lies beyond."""
    late = [Edit(10**8, "learning_rate", 1.0)]
    state = replay(start(Spec.make()), late, 2 * 10**8, seconds=0.02)
    assert 0 < state.step < 10**8
    assert state.spec.learning_rate == 0.03
    diverged = replay(start(Spec.make(dataset="line", learning_rate=50)), late, 2 * 10**8)
    assert diverged.divergence
    assert diverged.spec.learning_rate == 50


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", "xor"),
        ("W9.1.1", 1.0),
        ("nonsense", 1.0),
        ("learning_rate", -1),
        ("learning_rate", "fast"),
        ("W1.1.1", float("nan")),
        ("W1.1.1", float("inf")),
        ("W1.1.1", 1e7),
        ("W1.1.1", True),
        ("W1.1.1", "1"),
        ("W1.1.1", None),
        ("W1.1.1", 10**400),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused(field: str, value: Any) -> None:
    """With a SpecError, and nothing changed."""
    with pytest.raises(SpecError):
        apply(start(Spec.make()), field, value)


def test_edits_through_json() -> None:
    """`to_dict` and `edits_from` are each other's inverse."""
    assert edits_from([edit.to_dict() for edit in EDITS]) == EDITS
    assert edits_from([]) == ()


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        "edits",
        [1],
        [{"step": 1, "field": "x"}],
        [{"step": -1, "field": "x", "value": 1}],
        [{"step": True, "field": "x", "value": 1}],
        [{"step": 1.5, "field": "x", "value": 1}],
        [{"step": float("inf"), "field": "x", "value": 1}],
        [{"step": 10**400, "field": "x", "value": 1}],
        [{"step": 1, "field": 7, "value": 1}],
        [{"step": 2, "field": "x", "value": 1}, {"step": 1, "field": "x", "value": 1}],
        [{"step": 1, "field": "x", "value": 1}] * 1001,
    ],
)
def test_edits_that_are_none_are_refused(given: Any) -> None:
    """With a SpecError that names where."""
    with pytest.raises(SpecError, match=r"^edits"):
        edits_from(given)


def test_a_step_may_be_taken_on_chosen_examples() -> None:
    """It is the step that their trace tells, in place of the mini-batch: the epoch goes on as if that had been used."""
    for optimizer in ("sgd", "adam", "trial_and_error"):
        state = advance(start(Spec.make(optimizer=optimizer)), 7).state
        usual = advance(state, 1).state
        chosen = apply(state, EXAMPLES, [8])
        told = trace(state, 8)
        assert np.array_equal(chosen.parameters, told.parameters_next)
        assert np.array_equal(chosen.slots, told.slots_next)
        assert not np.array_equal(chosen.parameters, usual.parameters)
        assert (chosen.step, chosen.epoch, chosen.cursor) == (usual.step, usual.epoch, usual.cursor)
    state = start(SPEC)
    while state.epoch == 0:
        state = apply(state, EXAMPLES, [8])
    usual = advance(start(SPEC), state.step).state
    assert (usual.epoch, usual.cursor, state.cursor) == (1, 0, 0)


def test_a_step_on_chosen_examples_is_replayed() -> None:
    """As an edit at the step before it; a replay to that step has not taken it yet."""
    edits = edits_from([
        {"step": 3, "field": "learning_rate", "value": 0.1},
        {"step": 3, "field": EXAMPLES, "value": [8, 1]},
        {"step": 4, "field": EXAMPLES, "value": [8]},
        {"step": 5, "field": "b1.1", "value": 0.5},
    ])  # fmt: skip
    by_hand = apply(advance(start(SPEC), 3).state, "learning_rate", 0.1)
    assert np.array_equal(replay(start(SPEC), edits, 3).parameters, by_hand.parameters)
    by_hand = apply(by_hand, EXAMPLES, [8, 1])
    assert np.array_equal(replay(start(SPEC), edits, 4).parameters, by_hand.parameters)
    by_hand = advance(apply(apply(by_hand, EXAMPLES, [8]), "b1.1", 0.5), 4).state
    replayed = replay(start(SPEC), edits, 9)
    assert (replayed.step, replayed.cursor) == (9, by_hand.cursor)
    assert np.array_equal(replayed.parameters, by_hand.parameters)


def test_a_chosen_step_that_overflows_is_told() -> None:
    """The run stays at its last finite step, with what grew beyond any number."""
    state = start(Spec.make(dataset="plane", hidden=[], learning_rate=100))
    while not state.divergence:
        state = apply(state, EXAMPLES, [3])
    assert np.isfinite(state.parameters).all()
    assert apply(state, EXAMPLES, [3]) is state


@pytest.mark.parametrize("value", [[], [-1], [500], [1, 1], 8, "8", [1.5], [True], None, list(range(101))])
def test_chosen_examples_are_rows_of_the_data(value: Any) -> None:
    """Each once; whatever else is refused."""
    with pytest.raises(SpecError, match="examples"):
        apply(start(SPEC), EXAMPLES, value)


def test_nothing_is_changed_before_a_chosen_step_is_over() -> None:
    """An edit of the step that it leads away from would come too late."""
    chosen = {"step": 2, "field": EXAMPLES, "value": [8]}
    for later in ({"step": 2, "field": "learning_rate", "value": 0.1}, chosen):
        with pytest.raises(SpecError, match="edits"):
            edits_from([chosen, later])
