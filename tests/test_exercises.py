"""Exercises: the truth is the engine's, the same seed means the same numbers, and each slip is named."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.learn.exercises import LARGEST_SEED, TYPES, exercise, exercise_by_id
from app.learn.facts import Facts
from app.learn.homework import POSES, tables
from app.learn.judging import Problem, check, parse_number
from app.learn.posing import better_problem, choice_problem, largest_problem, number_problem
from app.learn.problems import delta_problem, direction_problem, gradient_problem, new_value_problem
from engine import Spec, advance, start
from engine.homework import BACKWARD
from engine.homework.given import case_given

types = st.sampled_from(sorted(TYPES))
seeds = st.integers(0, LARGEST_SEED)
KNOWN = st.sampled_from(["sigmoid", "tanh", "relu", "softplus"])


@given(types, seeds)
def test_an_exercise_is_its_type_and_seed(type_: str, seed: int) -> None:
    """Drawing twice, or by the id, gives the same question and the same numbers."""
    one, two = exercise(type_, seed), exercise_by_id(f"{type_}-{seed}")
    assert (one.problem, one.given) == (two.problem, two.given)


def test_two_students_never_have_the_same_numbers() -> None:
    """Of 200 seeds of one type, no two draw the same givens."""
    drawn = {repr(exercise("delta", seed).given) for seed in range(200)}
    assert len(drawn) == 200


def test_types_with_one_seed_have_numbers_of_their_own() -> None:
    """So that the answer to one exercise is no help with the next."""
    assert len({repr(exercise(type_, 5).given) for type_ in TYPES}) == len(TYPES)


@given(types, seeds)
def test_the_right_answer_passes_however_it_is_written(type_: str, seed: int) -> None:
    """Also rounded to four decimals, with a true minus or a decimal comma."""
    problem = exercise(type_, seed).problem
    assert check(problem, problem.truth).correct
    if not isinstance(problem.truth, str):
        rounded = f"{problem.truth:.4f}"
        for text in (rounded, rounded.replace("-", "−"), rounded.replace(".", ","), f" {rounded} "):
            assert check(problem, text).correct


@given(types, seeds)
def test_every_slip_is_wrong_and_names_its_factor(type_: str, seed: int) -> None:
    """The numbers that known slips lead to are refused with their own factor, or with that of an equal one."""
    problem = exercise(type_, seed).problem
    for mistake in problem.mistakes:
        verdict = check(problem, mistake.value)
        same = {m.factor for m in problem.mistakes if abs(m.value - mistake.value) <= 2 * problem.tolerance}
        assert not verdict.correct
        assert verdict.factor in same
        assert verdict.message
    for wrong in set(problem.options) - {problem.truth}:
        verdict = check(problem, wrong)
        assert not verdict.correct
        assert verdict.factor
        assert verdict.message


def _own(seed: int, activation: str) -> tuple[dict[str, np.ndarray], float]:
    """The chain rule written out once more, from the givens alone: squared error, an output of the given kind."""
    given_ = exercise("new_value", seed).given
    functions = {
        "identity": (lambda z: z, np.ones_like),
        "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
        "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
        "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    }
    (x,), (y,) = np.array(given_["x"]), np.array(given_["y"])
    (W1, b1, f1), (W2, b2, f2) = (
        (np.array(layer["W"]), np.array(layer["b"]), functions[layer["activation"]]) for layer in given_["layers"]
    )
    z1 = W1 @ x + b1
    z2 = W2 @ f1[0](z1) + b2
    d2 = (f2[0](z2) - y) * f2[1](z2)
    d1 = (W2.T @ d2) * f1[1](z1)
    new1, new2 = (
        W1 - given_["learning_rate"] * np.outer(d1, x),
        W2 - given_["learning_rate"] * np.outer(d2, f1[0](z1)),
    )
    return {"new1": new1, "new2": new2, "d1": d1, "d2": d2}, given_["learning_rate"]


@pytest.mark.parametrize("seed", range(12))
def test_the_new_value_follows_from_the_givens(seed: int) -> None:
    """Whoever computes by hand from what is given comes to the engine's number."""
    problem = exercise("new_value", seed).problem
    numbers, _ = _own(seed, "")
    layer, unit, source = (int(part) for part in problem.quantity[1:].split("."))
    assert problem.truth == pytest.approx(numbers[f"new{layer}"][unit - 1, source - 1], rel=1e-9)


def test_unknown_types_seeds_and_ids_are_refused() -> None:
    """With the allowed ones named."""
    with pytest.raises(ValueError, match="must be one of: activation"):
        exercise("riddle", 1)
    for seed in (-1, LARGEST_SEED + 1):
        with pytest.raises(ValueError, match="must be from 0"):
            exercise("delta", seed)
    for identifier in ("delta", "delta-", "delta-x", "delta-²", "-1", "delta-99999999999"):
        with pytest.raises(ValueError, match=r"must be|no exercise"):
            exercise_by_id(identifier)


@pytest.mark.parametrize(
    "text", ["", "  ", "half", "nan", "inf", "-∞", "1" * 50, "1.2.3", "1_0", "1e400", "\ud800", "__import__('os')"]
)
def test_what_is_no_number_is_told_so(text: str) -> None:
    """And is wrong, without a fault."""
    assert parse_number(text) is None
    verdict = check(exercise("delta", 3).problem, text)
    assert (verdict.correct, verdict.factor) == (False, "number")


def test_an_unknown_slip_is_told_by_sign_point_or_size() -> None:
    """The words follow the answer: opposite sign, the same digits ten times as large or small, larger, smaller. Zero
    has neither digits nor sign."""
    problem = number_problem("?", 0.5, "half", "Think.", {})
    told = {
        "-0.5": "sign", "-3": "sign", "5": "decimal point", "0.05": "decimal point", "0.0005": "decimal point",
        "0.9": "size", "0.3": "size", "0": "size", "0.003": "size", "0.02": "size", "0.057": "size",
    }  # fmt: skip
    assert {answer: check(problem, answer).factor for answer in told} == told
    for truth, answer, message in ((0.5, "0", "The size is too small."), (0.0, "-2", "The size is too large.")):
        assert check(number_problem("?", truth, "so", "", {}), answer).message.strip() == message


@given(KNOWN, st.integers(0, 10**6))
def test_direction_is_that_of_the_step_taken(activation: str, seed: int) -> None:
    """ "up" exactly where the engine's own step raises the parameter, on a whole batch too."""
    spec = Spec.make(dataset="moons", samples=20, hidden=[3, 2], activation=activation, seed=seed)
    facts = Facts(advance(start(spec), 3).state)
    after = advance(facts.state, 1).state
    for index, address in enumerate(spec.network.addresses()):
        moved = after.parameters[index] - facts.state.parameters[index]
        expected = "up" if moved > 0 else "down" if moved < 0 else "stay"
        problem = direction_problem(facts, address)
        assert problem.truth == expected
        assert all(not check(problem, o).correct for o in problem.options if o != expected)


def test_problems_work_on_deep_networks_and_biases() -> None:
    """Not on the drawn 2-2-1 alone: every unit, weight and bias of a deep one."""
    facts = Facts(start(Spec.make(dataset="circle", hidden=[3, 3, 2])), example=4)
    for layer, units in enumerate(facts.state.spec.network.sizes[1:], 1):
        for unit in range(1, units + 1):
            assert check(delta_problem(facts, layer, unit), facts[f"delta{layer}.{unit}"]).correct
    for address in facts.state.spec.network.addresses():
        assert check(gradient_problem(facts, address), facts[f"d{address}"]).correct
        assert check(new_value_problem(facts, address), facts.next(address)).correct


def test_a_sum_is_written_with_one_sign_a_term() -> None:
    """A negative product or bias is subtracted, not added with a minus; what stands there comes to z."""
    for seed in range(30):
        solution = exercise("activation", seed).problem.solution
        terms, z = re.fullmatch(r"z = (.+) = ([−\d.]+), and .*", solution).groups()  # type: ignore[union-attr]
        assert "+ −" not in terms
        value = eval(terms.replace("−", "-").replace("×", "*"))
        assert value == pytest.approx(float(z.replace("−", "-")), abs=2e-3)


def test_choices_and_comparisons() -> None:
    """better/worse and largest come from the numbers; a question without a wrong option is none."""
    assert better_problem("?", 1.0, 0.5).truth == "better"
    assert better_problem("?", 0.5, 1.0).truth == "worse"
    assert better_problem("?", 0.5, 0.5).truth == "the same"
    largest = largest_problem("?", {"a": 0.1, "b": -0.3, "c": 0.2})
    assert largest.truth == "b"
    assert check(largest, "c").factor == "size"
    with pytest.raises(ValueError, match="truth"):
        choice_problem("?", "yes", "", {"yes": "no"})


def test_a_problem_with_a_slip_at_the_truth_is_not_clear() -> None:
    """So the drawing passes over it."""
    slips = {"sign": (0.51, "near")}
    assert not number_problem("?", 0.5, "", "", slips).clear
    assert number_problem("?", 0.5, "", "", {"sign": (-0.5, "far")}).clear
    assert Problem("?", "q", "up", "", "", options=("up", "down")).clear


def test_numbers_over_a_shortcut_close() -> None:
    """What a unit is given is what the layer below gives, with what a shortcut adds to it."""
    spec = Spec.make(layers="dense 2 tanh, dense 2 tanh, shortcut 1, dense 2 tanh", batch_size=1)
    facts = Facts(advance(start(spec), 5).state, 3)
    total = facts["b3.1"] + sum(facts[f"W3.1.{s}"] * facts.given(2, s) for s in (1, 2))
    assert total == pytest.approx(facts["z3.1"], rel=1e-12)
    assert facts.given(2, 1) == pytest.approx(facts["a2.1"] + facts["a1.1"], rel=1e-12)


# One operation by itself


@pytest.mark.parametrize("type_", POSES)
def test_the_number_asked_for_follows_from_the_givens(type_: str) -> None:
    """By a central difference on what is given, which POST /api/v1/diagnose takes, too; and the solution says it."""
    for seed in range(8):
        drawn = exercise(type_, seed)
        g = drawn.given
        of = BACKWARD[g["operation"]]
        case = case_given(of, g["inputs"], g["upstream"], g["settings"])
        name, *places = drawn.problem.quantity.removeprefix("sum of ").split(".")
        x = case[name[1:]]
        moves = [tuple(int(place) - 1 for place in places)] if places else list(np.ndindex(x.shape))
        found = 0.0
        for move in moves:
            low, high = (x.copy(), x.copy())
            low[move] -= 1e-6
            high[move] += 1e-6
            ends = [np.sum(case.g * of.forward(case.having(**{name[1:]: each}))) for each in (low, high)]
            found += float(ends[1] - ends[0]) / 2e-6
        assert drawn.problem.truth == pytest.approx(found, rel=1e-5, abs=1e-7)
        assert isinstance(drawn.problem.truth, float)
        shown = re.findall(r"−?[\d.]*\d", drawn.problem.solution)[-1].replace("−", "-")
        assert float(shown) == pytest.approx(drawn.problem.truth, rel=1e-3)
        told = {table.title for table in tables(g)}
        assert told == {*g["inputs"], "upstream"}


MADE = {
    "conv_weight": {"filter turned", "rows for columns", "places not summed", "sign"},
    "max_pool": {"gave to all", "shared by all", "value handed back", "overwritten"},
    "dropout": {"mask forgotten", "scale missing", "divided by rate", "other way round"},
    "batch_norm": {"mean way missing", "variance way missing", "both ways missing", "gamma forgotten"},
    "layer_norm": {"mean way missing", "variance way missing", "gamma at the end", "ways not averaged"},
    "shortcut": {"way past missing", "way through missing", "slope forgotten", "halved"},
}


@pytest.mark.parametrize("type_", POSES)
def test_wrong_answers_are_told_their_mistake_by_name(type_: str) -> None:
    """Those that people make: each of them comes up, and is told with the sentence that a diagnosis has for it."""
    told: set[str] = set()
    for seed in range(30):
        problem = exercise(type_, seed).problem
        for mistake in problem.mistakes:
            verdict = check(problem, mistake.value)
            assert not verdict.correct
            told.add(str(verdict.factor))
    known = {mistake.name.replace("_", " ") for mistake in BACKWARD[exercise(type_, 0).given["operation"]].known}
    assert MADE[type_] <= told <= known


@pytest.mark.parametrize("seed", [281, 436, 605, 1025])
def test_a_graph_without_a_telling_gradient_is_drawn_again(seed: int) -> None:
    """Seeds whose first formula has only gradients of 0, 1 and -1 at its inputs."""
    truth = exercise("graph", seed).problem.truth
    assert isinstance(truth, float)
    assert abs(truth) not in (0, 1)
