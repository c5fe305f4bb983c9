"""What keeps a run from learning is named truly, and whoever follows the advice gets further."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from app.words.health import advice
from engine import RunState, Spec, advance, evaluate, start, trace
from engine.evaluation import outputs_of
from engine.examples import examples_of, in_own_units
from engine.health import complaint

XOR: dict[str, Any] = {"dataset": "custom", "data": {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [0, 1, 1, 0]}}
SHOES: dict[str, Any] = {
    "dataset": "custom", "hidden": [4], "scaling": "none",
    "data": {"x": [[39, 181], [40, 186], [47, 217], [50, 220], [38, 190], [48, 215]], "y": [0, 0, 1, 1, 0, 1]},
}  # fmt: skip
STUCK = [
    {"W": [[-0.1269, -0.845], [-0.9357, 0.8174]], "b": [0.3965, -0.4981]},
    {"W": [[-0.5833, 0.5308]], "b": [0.2909]},
]
RNG = np.random.default_rng(5)
PLACES = RNG.uniform(-1, 1, (120, 2)).round(3).tolist()
PRICES = [[x, 1000.0 * (200 + 90 * x)] for x in np.linspace(-1, 1, 30).round(3).tolist()]
PRICED: dict[str, Any] = {
    "dataset": "custom", "data": {"x": [[x] for x, _ in PRICES], "y": [y for _, y in PRICES]}, "scaling": "none",
}  # fmt: skip
DEEP: dict[str, Any] = {"dataset": "circle", "activation": "sigmoid", "hidden": [4] * 8}


@dataclass(frozen=True)
class Case:
    """A run that gets stuck, how long it takes, what is said, and the settings that the advice comes to."""

    spec: dict[str, Any]
    steps: int
    says: str
    advice: dict[str, Any]


CASES: dict[str, Case] = {
    "inputs": Case(SHOES, 500, "The input x2 reaches 220, far from 0", {"scaling": "inputs"}),
    "inputs, relu": Case(SHOES | {"activation": "relu", "seed": 2}, 0, "Scale the inputs", {"scaling": "inputs"}),
    "targets": Case(
        PRICED | {"learning_rate": 0.0001}, 0, "The values to predict reach", {"scaling": "targets"},
    ),
    "targets, later": Case(
        PRICED | {"learning_rate": 0.0001}, 2_000, "The values to predict reach", {"scaling": "targets"},
    ),
    "saturated": Case(
        {"hidden": [4], "parameters": [
            {"W": [[90, 90]] * 4, "b": [900, -900, 900, -900]}, {"W": [[1, 1, 1, 1]], "b": [0]}]},
        300, "Try a new start with smaller weights", {"parameters": None},
    ),
    "linear": Case(
        XOR | {"hidden": [4], "activation": "identity", "output_activation": "sigmoid", "loss": "binary_cross_entropy",
               "learning_rate": 0.5, "batch_size": 4},
        3_000, "Every hidden layer is linear, so the boundary between the classes is a straight line",
        {"activation": "tanh"},
    ),
    "no hidden layer": Case(
        XOR | {"hidden": [], "learning_rate": 0.5, "batch_size": 4}, 2_000, "There is no hidden layer", {"hidden": [4]},
    ),
    "plateau": Case(
        XOR | {"hidden": [2], "activation": "sigmoid", "output_activation": "sigmoid", "learning_rate": 0.01,
               "batch_size": 1, "parameters": STUCK},
        100_000, "The loss has stopped falling on a plateau, with 75 % right. Try another start,",
        {"parameters": None, "learning_rate": 0.5},
    ),
    "regularization": Case(
        {"dataset": "circle", "regularization": "l2", "regularization_rate": 0.3}, 3_000,
        "The regularization pulls as strongly as the data", {"regularization_rate": 0.003},
    ),
    "regularization that overshoots": Case(
        {"dataset": "spiral", "hidden": [8, 8], "regularization": "l2", "regularization_rate": 10,
         "learning_rate": 0.3},
        3_000, "1 − 0.3 · 10 = -2 a step", {"regularization_rate": 0.0003},
    ),
    "regularization, L1": Case(
        {"dataset": "circle", "hidden": [4], "regularization": "l1", "regularization_rate": 1}, 1_000,
        "The regularization pulls as strongly as the data", {"regularization_rate": 0.01},
    ),
    "targets, driven": Case(PRICED | {"hidden": [4, 2]}, 300, "The values to predict reach", {"scaling": "targets"}),
    "rate": Case(
        {"dataset": "plane", "learning_rate": 1, "batch_size": 1, "noise": 0.5}, 300,
        "The learning rate 1 is too large", {"learning_rate": 0.1},
    ),
    "rate, Adam": Case(
        {"dataset": "xor", "optimizer": "adam", "learning_rate": 1}, 300, "such as 0.05", {"learning_rate": 0.05},
    ),
    "rate, momentum": Case(
        {"dataset": "xor", "optimizer": "momentum", "learning_rate": 0.5, "batch_size": 1}, 300,
        "The loss is 2 times what it was at the start", {"learning_rate": 0.05},
    ),
    "vanishing": Case(DEEP, 300, "Try ReLU or tanh in place of sigmoid", {"activation": "tanh"}),
    "vanishing, ReLU": Case(DEEP, 300, "Try ReLU or tanh in place of sigmoid", {"activation": "relu"}),
    "vanishing, fewer": Case(DEEP, 300, "or fewer layers", {"hidden": [4]}),
    "dead": Case(XOR | {"activation": "relu"}, 300, "Try tanh or ELU in its place", {"activation": "tanh"}),
    "dead, ELU": Case(XOR | {"activation": "relu"}, 300, "Try tanh or ELU in its place", {"activation": "elu"}),
    "dead, more": Case(XOR | {"activation": "relu"}, 300, "or more units a layer", {"hidden": [8, 8]}),
    "few": Case(
        {"dataset": "circle", "samples": 60, "test_share": 0.85, "hidden": [8], "noise": 0.2, "seed": 1}, 3_000,
        "there are too few", {"samples": 400, "test_share": 0.3},
    ),
}  # fmt: skip


def trained(spec: dict[str, Any], steps: int) -> RunState:
    return advance(start(Spec.make(spec)), steps).state


def worth(state: RunState) -> float:
    """How well it does, more being better: accuracy on what is tested, else on what is trained; of values to predict
    the share of their variance that is explained."""
    if state.divergence:
        return -1.0
    metrics, examples = evaluate(state), examples_of(state.spec)
    if state.spec.task == "regression":
        truth = examples.labels.reshape(examples.count, -1)
        told = in_own_units(state.spec, outputs_of(state, examples.x))
        return 1.0 - float(((told - truth) ** 2).mean() / truth.var())
    each = metrics["test"] if state.spec.test_share and state.spec.dataset != "custom" else metrics["train"]
    assert each.accuracy is not None
    return each.accuracy


@pytest.mark.parametrize("name", CASES)
def test_the_advice_helps(name: str) -> None:
    """The cause is named; with what is advised the same run gets further, on the mean of three starts."""
    case = CASES[name]
    state = trained(case.spec, case.steps)
    found = complaint(trace(state), state)
    assert found is not None
    said = advice(state.spec, found)
    assert case.says in said
    before = worth(state if case.steps >= 2_000 else advance(state, 2_000 - case.steps).state)
    followed = [worth(trained(case.spec | case.advice | {"seed": seed}, 2_000 + case.steps // 5)) for seed in range(3)]
    assert sum(followed) / 3 > before + 0.05
    assert "smaller learning rate, and a new start" not in said


def test_imbalance_is_said_with_what_guessing_is_worth() -> None:
    """Of 60 examples 2 are of the other class, nothing tells them apart: the accuracy is that of always guessing."""
    labels = [int(i in (7, 31)) for i in range(60)]
    state = trained({"dataset": "custom", "data": {"x": PLACES[:60], "y": labels}, "test_share": 0}, 300)
    found = complaint(trace(state), state)
    assert found is not None
    assert (found.name, "right in 96.7 %" in advice(state.spec, found)) == ("imbalance", True)


WELL: list[tuple[dict[str, Any], int]] = [
    ({"dataset": "spiral", "noise": 0.5}, 3_000),
    ({"dataset": "moons", "noise": 0.5}, 3_000),
    ({"dataset": "circle", "noise": 0.8}, 3_000),
    ({"dataset": "gaussian", "hidden": [], "noise": 0.5}, 3_000),
    ({"dataset": "three_blobs", "noise": 0.5}, 3_000),
    ({"dataset": "plane"}, 3_000),
    (XOR, 3_000),
    ({"dataset": "custom", "data": {"x": [[0, 0], [0, 0], [1, 1], [1, 1]], "y": [0, 1, 0, 1]}}, 3_000),
    (SHOES | {"scaling": None}, 3_000),
]


@pytest.mark.parametrize(("spec", "steps"), WELL)
def test_noise_is_no_plateau(spec: dict[str, Any], steps: int) -> None:
    """What cannot be told apart, and what still learns, gets no advice."""
    state = trained(spec, steps)
    assert complaint(trace(state), state) is None


def test_what_is_there_already_is_not_advised() -> None:
    """No Xavier where the start is Xavier, no tanh where it is tanh; one example is one; who has learned needs no
    dead unit."""
    fast = trained({"dataset": "plane", "learning_rate": 1, "batch_size": 1, "noise": 0.5}, 20)
    alone = complaint(trace(fast))  # a step by itself, without its run
    assert alone
    said = advice(fast.spec, alone)
    assert "on this one example" in said
    assert "Xavier" not in said
    deep = trained({"dataset": "xor", "optimizer": "adam", "learning_rate": 1}, 300)
    alone = complaint(trace(deep))
    assert alone
    assert "tanh" not in advice(deep.spec, alone)
    told = trained(XOR | {"activation": "relu", "seed": 1}, 1_000)
    assert complaint(trace(told), told) is None
