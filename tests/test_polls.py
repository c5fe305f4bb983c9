"""Questions to a class: the engine knows the truth, and answers are counted in one spelling each."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.draw.drawing import draw
from app.draw.marks import Marks
from app.draw.pictures import surfaces
from app.explain.walkthrough import known, walkthrough
from app.learn.facts import Facts
from app.page.links import View
from app.room import polls
from app.room.polls import BadQuestion, Question
from app.room.teaching import _hiding
from engine import Quantity, RunState, Spec, advance, evaluate, start, trace

SPECS = st.fixed_dictionaries(
    {
        "dataset": st.sampled_from(["circle", "xor", "line", "three_blobs"]),
        "hidden": st.lists(st.integers(1, 4), min_size=1, max_size=3),
        "optimizer": st.sampled_from(["sgd", "momentum", "adam"]),
        "seed": st.integers(0, 50),
        "samples": st.just(40),
    }
)


@settings(max_examples=25, deadline=None)
@given(SPECS, st.integers(0, 20))
def test_the_truth_is_what_the_step_then_does(spec: dict[str, object], steps: int) -> None:
    """Direction, loss, largest gradient and delta agree with the engine's own step, whatever the optimizer."""
    state = advance(start(Spec.make(spec)), steps).state
    after, now = advance(state, 1).state, trace(state)
    address = "b1.1"
    change = after.parameters[state.spec.network.locate(address)] - state.parameters[state.spec.network.locate(address)]
    question = polls.make(Facts(state), "direction", address)
    assert polls.make(Facts(state, example=1), "direction", address) == question, "a step is one of the mini-batch"
    assert question.truth == ("up" if change > 0 else "down" if change < 0 else "stay")
    assert question.steps

    before, then = evaluate(state)["train"].loss, evaluate(after)["train"].loss
    assert before is not None
    assert then is not None
    assert polls.make(Facts(state), "loss").truth == ("down" if then < before else "up" if then > before else "stay")

    if sum(layer.W.size for layer in now.layers) > 1:
        sizes = {
            f"W{k}.{j + 1}.{i + 1}": abs(value)
            for k, layer in enumerate(now.layers, 1)
            for (j, i), value in np.ndenumerate(layer.dW)
        }
        largest = polls.make(Facts(state), "largest")
        assert sizes[str(largest.truth)] == max(sizes.values())
        assert largest.truth in largest.options
        assert len(set(largest.options)) == len(largest.options) >= 2

    delta = polls.make(Facts(state), "delta", "W1.1.1")
    alone = trace(state, delta.example)
    assert float(str(delta.truth)) == alone.layers[0].dz[0, 0]


@settings(max_examples=15, deadline=None)
@given(
    SPECS,
    st.sampled_from(["direction", "delta", "largest"]),
    st.sampled_from(polls.KINDS and ["unit", "layer", "operation"]),
)
def test_the_answer_is_not_on_the_screen_while_it_is_asked(spec: dict[str, object], kind: str, grain: str) -> None:
    """The view that a question is asked through stands at a moment at which what it asks is not computed yet."""
    state = advance(start(Spec.make(spec)), 3).state
    question = polls.make(Facts(state), kind, "W1.1.1" if kind == "direction" else "a1.1")
    view = _hiding(question, state, View(grain=grain))
    moments = walkthrough(trace(state, view.example), grain)  # type: ignore[arg-type]
    assert view.moment is not None
    so_far = known(moments, view.moment)
    asked = {"direction": "dW1.1.1", "delta": "dz1.1"}.get(kind, "dz1.1")
    assert not Quantity.parse(asked).is_in(so_far)
    assert view.example == question.example


def shown(state: RunState, question: Question) -> float:
    """What stands at the two ends of a question's weight, a × δ, read off the drawing that the class sees."""
    view = _hiding(question, state, View())
    step, marks = trace(state, view.example), Marks(select=view.select)
    drawn = draw(state.spec, step, surfaces(state), view.lens, view.example is None, marks, "m").svg
    of = Quantity.parse(question.address)

    def at(node: str, place: str, letter: str) -> float:
        part = drawn[drawn.index(f'id="{node}"') :]
        found = re.search(rf'<text class="{place}"[^>]*>{letter} ([^<]+)<', part)
        return float(found[1].replace("−", "-"))  # type: ignore[index]

    return at(f"node-{of.layer - 1}-{of.source}", "above", "a") * at(f"node-{of.layer}-{of.unit}", "below", "δ")


@settings(max_examples=25, deadline=None)
@given(SPECS, st.integers(0, 20))
def test_who_reasons_from_the_numbers_on_screen_is_right(spec: dict[str, object], steps: int) -> None:
    """The weight asked about goes where a × δ at its ends points; one where they mislead is asked about on one example,
    whose own numbers are shown; only the trap is about the others, and says so."""
    state = advance(start(Spec.make(spec)), steps).state
    facts = Facts(state)
    way = {"up": -1, "down": 1, "stay": 0}
    plain = polls.make(facts, "direction")
    if plain.example is None:  # an optimizer's memory may take every weight another way; the sentence then says so
        remembers = spec["optimizer"] != "sgd" and "yet with" in plain.sentence
        assert np.sign(shown(state, plain)) == (
            np.sign(facts[f"d{plain.address}"]) if remembers else way[str(plain.truth)]
        )
    for address in ("W1.1.1", "W2.1.1"):
        question = polls.make(facts, "direction", address)
        assert np.sign(shown(state, question)) == np.sign(facts.on(question.example)[f"d{address}"])
        assert question.steps == (question.example is None)
        assert ("alone" in question.prompt) != question.steps
    try:
        question = polls.make(facts, "trap")
    except BadQuestion:
        pass  # every weight's numbers point its way
    else:
        assert way[str(question.truth)] == -np.sign(shown(state, question))
        assert "misleads" in question.sentence
        assert "mean" in question.given


def test_without_an_address_the_step_itself_is_asked_about() -> None:
    """Of default runs nearly every state has a weight whose numbers agree: the liveliest of these is chosen."""
    states = [advance(start(Spec.make(seed=seed)), steps).state for seed in (1, 2, 3) for steps in (0, 7, 40)]
    questions = [polls.make(Facts(state), "direction") for state in states]
    assert all(question.example is None and question.steps for question in questions)
    assert all(question.address.startswith("W") for question in questions)


def test_a_network_of_one_weight_and_a_diverged_run_are_refused() -> None:
    """With what would be allowed."""
    one = start(Spec.make(dataset="line", hidden=[]))
    with pytest.raises(BadQuestion, match="larger than all"):
        polls.make(Facts(one), "largest")
    with pytest.raises(BadQuestion, match="one of direction"):
        polls.make(Facts(one), "riddle")
    with pytest.raises(BadQuestion, match="address"):
        polls.make(Facts(one), "direction", "W7.1.1")
    gone = advance(start(Spec.make(dataset="line", hidden=[], learning_rate=100.0, noise=1.0)), 2_000).state
    assert gone.divergence is not None
    with pytest.raises(BadQuestion, match="diverged"):
        polls.make(Facts(gone), "direction")


def test_no_question_has_two_right_answers_or_none() -> None:
    """Where all weights are alike none has the largest gradient, and the question is refused; beside a largest one no
    other is as large. A parameter that the network does not have is refused, not replaced by another."""
    alike = start(Spec.make(hidden=[4], initializer="zeros"))
    with pytest.raises(BadQuestion, match="larger than all"):
        polls.make(Facts(alike), "largest")
    layers = [{"W": [[0.3, 0.1], [0.3, 0.1]], "b": [0, 0]}, {"W": [[0.5, 0.5]], "b": [0]}]
    twins = start(Spec.make(hidden=[2], parameters=layers))
    question = polls.make(Facts(twins), "largest")
    sizes = sorted(abs(Facts(twins)[f"d{option}"]) for option in question.options)
    assert sizes[-2] < sizes[-1]
    for address in ("zz", "<b>", "W1"):
        with pytest.raises(BadQuestion, match="address"):
            polls.make(Facts(twins), "direction", address)


def test_what_the_step_does_is_told_in_digits_that_differ() -> None:
    """From 0.50012 to 0.50012 explains nothing."""
    slow = start(Spec.make(learning_rate=1e-6))
    for kind in ("direction", "loss"):
        told = polls.make(Facts(slow), kind).sentence
        before, after = re.search(r"from (\S+) to ([^\s:]+)", told).groups()  # type: ignore[union-attr]
        assert before != after.rstrip(".")


def test_a_frozen_weight_stays_because_it_is_frozen() -> None:
    """Whatever its gradient."""
    question = polls.make(Facts(start(Spec.make(frozen=["W1.1.1"]))), "direction", "W1.1.1")
    assert question.truth == "stay"
    assert "yet it is frozen, so it stays" in question.sentence


def test_a_step_that_diverges_is_not_asked_about() -> None:
    """There is no loss after it."""
    state = start(Spec.make(dataset="line", hidden=[], learning_rate=100.0, noise=1.0))
    state = advance(state, advance(state, 5_000).state.step - 1).state
    while Facts(state).after().step > state.step:
        state = advance(state, 1).state
    if state.divergence is None:
        with pytest.raises(BadQuestion, match="diverge"):
            polls.make(Facts(state), "loss")


def test_delta_can_be_worked_out_from_what_is_given() -> None:
    """The example is named, and weights, deltas and slope are told whose product it is."""
    question = polls.make(Facts(start(Spec.make()), example=3), "delta", "a2.1")
    assert question.prompt.endswith(", on example 3?")
    weight, above, slope = (float(t.replace("−", "-")) for t in re.findall(r"= ([+−]?[\d.]+)", question.given))
    assert weight * above * slope == pytest.approx(float(str(question.truth)), rel=1e-3)


def test_answers_have_one_spelling() -> None:
    """Options by value or label in any case; numbers with comma, true minus or exponent; nothing else."""
    choice = Question(1, "x", "?", ("W1.1.1", "W1.1.2"), ("W₁,₁,₁: one", "W₁,₁,₂: two"))
    assert polls.canonical(choice, "w₁,₁,₂: TWO") == "W1.1.2"
    number = Question(1, "x", "?", truth="-0.25", tolerance=0.01)
    for spelling in ("-0.25", "−0,25", " -2.5e-1 ", -0.25):
        assert polls.canonical(number, spelling) == "-0.25"
    assert polls.canonical(number, "-0") == polls.canonical(number, "0") == "0.0"
    for wrong in ("", "a lot", "nan", "inf", "1e400", True, None, [1], "1" * 100):
        with pytest.raises(BadQuestion):
            polls.canonical(number, wrong)
        with pytest.raises(BadQuestion):
            polls.canonical(choice, wrong)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), max_size=40), st.booleans())
def test_a_distribution_of_numbers_counts_each_answer_once(values: list[float], told: bool) -> None:
    """However they are grouped; the truth's own group appears only when it is told."""
    question = Question(1, "x", "?", truth="0.5", tolerance=0.01)
    answers = {str(i): polls.canonical(question, value) for i, value in enumerate(values)}
    bars = polls.distribution(question, answers, told)
    assert sum(bar.count for bar in bars) == len(values)
    assert len(bars) <= polls.GROUPS + 2
    assert any(bar.true for bar in bars) == told
    if told:
        assert bars[0].count == sum(abs(v - 0.5) <= 0.01 for v in values)
    else:
        assert all(bar.true is None for bar in bars)


def test_own_questions_are_checked_and_may_have_a_truth() -> None:
    """2 to 6 different options or none; the truth must be one of them."""
    question = polls.own(" Which <b>fruit</b>?\n", ["apple", "pear"], "Pear")
    assert question.prompt == "Which <b>fruit</b>?"
    assert question.truth == "pear"
    assert polls.is_right(question, "pear")
    assert polls.own("How many?", (), "4").truth == "4.0"
    assert polls.is_right(polls.own("Guess", ()), "1.0") is None
    for prompt, options, truth in (
        ("", ["a", "b"], None), ("q", ["a"], None), ("q", ["a", "a"], None), ("q", list("abcdefg"), None),
        ("q", ["a", "\u200b"], None), ("q", ["a", "b"], "c"), ("q", [], "many"),
    ):  # fmt: skip
        with pytest.raises(BadQuestion):
            polls.own(prompt, options, truth)
