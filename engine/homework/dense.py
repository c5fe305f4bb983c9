"""The dense layer z = x Wᵀ + b, and a shortcut round one: a value that is used twice."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.activations import ACTIVATIONS, Activation
from engine.arrays import Floats
from engine.checks import SpecError
from engine.homework.base import Backward, Case, CaseOption, Gradients, Input, Mistake, case_of
from engine.wording import Words, said

_X = Input("x", (("n", "inputs"),), "What goes in, an example a row.")
_W = Input("W", (("units", "inputs"),), "The weights, a unit a row.")
_B = Input("b", (("units",),), "The biases.")


def _forward(case: Case) -> Floats:
    z: Floats = case["x"] @ case["W"].T + case["b"]
    return z


def _backward(case: Case) -> dict[str, Floats]:
    x, W, g = case["x"], case["W"], case.g
    return {"dx": g @ W, "dW": g.T @ x, "db": g.sum(0)}


def _transposed(case: Case) -> Gradients:
    right = _backward(case)
    square = case["W"].shape[0] == case["W"].shape[1]
    return {"dW": right["dW"].T} | ({"dx": case.g @ case["W"].T} if square else {})


def _averaged(case: Case) -> Gradients:
    right = _backward(case)
    return {name: right[name] / case.n for name in ("dW", "db")}


def _parameter_as_factor(case: Case) -> Gradients:
    right = _backward(case)
    return {"dW": right["dW"] * case["W"], "db": right["db"] * case["b"]}


TRANSPOSED: Words = "The numbers stand in the transposed place: the shape of dW is that of W, and dx takes W as it is."
NOT_SUMMED = Mistake(
    "examples_not_summed",
    "One bias serves every example: its gradient is the sum over the examples, one number a unit.",
    (lambda case: {"db": case.g},),
)
_MISTAKES = (
    Mistake("transposed", TRANSPOSED, (_transposed,)),
    NOT_SUMMED,
    Mistake(
        "summed_over_units",
        "The sum runs over the units; for the bias it is to run over the examples.",
        (lambda case: {"db": case.g.sum(1)},),
    ),
    Mistake(
        "averaged",
        "Divided by the number of examples once too often: what comes back holds the 1/N of the loss already, so "
        "add up over the examples.",
        (_averaged,),
    ),
    Mistake(
        "parameter_as_factor",
        "A weight or a bias is no factor of its own gradient: a weight's other factor is its input, a bias has 1.",
        (_parameter_as_factor,),
    ),
)


def _arrays(rng: np.random.Generator, n: int, inputs: int, units: int) -> dict[str, Floats]:
    return {
        "x": rng.normal(0.0, 1.0, (n, inputs)),
        "W": rng.normal(0.0, 1.0, (units, inputs)),
        "b": rng.normal(0.0, 1.0, units),
    }


def _draw(rng: np.random.Generator, settings: Mapping[str, Any]) -> Case:
    n, inputs, units = (int(size) for size in rng.integers(2, 6, 3))
    return case_of(_forward, rng, _arrays(rng, n, inputs, units), settings)


def _cost(case: Case) -> int:
    return case.n * case["W"].size


DENSE = Backward(
    "dense",
    "Dense layer",
    "z = x Wᵀ + b: every unit sums what it is given, each with a weight of its own.",
    (_X, _W, _B),
    ("dx", "dW", "db"),
    _forward,
    _backward,
    _MISTAKES,
    _draw,
    cost=_cost,
)


# The shortcut: out = x + f(x Wᵀ + b), so that x is used twice


def _activation(case: Case) -> Activation:
    return ACTIVATIONS[case.settings["activation"]]


def _a(case: Case) -> Floats:
    z = _forward(case).T
    a = np.empty_like(z)
    _activation(case).forward(z, a)
    return a.T


def _dz(case: Case) -> Floats:
    z, a = _forward(case).T, _a(case).T
    return _activation(case).backward(np.ascontiguousarray(case.g.T), np.ascontiguousarray(z), a).T


def _around(case: Case, slope: bool = True) -> dict[str, Floats]:
    within = _backward(case.with_upstream(_dz(case) if slope else case.g))
    return within | {"dx": case.g + within["dx"]}


def _through(case: Case) -> Floats:
    return _around(case)["dx"] - case.g


def _halved(case: Case) -> Gradients:
    return {name: each / 2.0 for name, each in _around(case).items()}


def _transposed_around(case: Case) -> Gradients:
    return {"dW": _around(case)["dW"].T, "dx": case.g + _dz(case) @ case["W"].T}


_WAYS = (
    Mistake(
        "way_past_missing",
        "Only what comes back through the layer is there. x is used twice: what comes back past the layer, "
        "unchanged, is to be added.",
        (lambda case: {"dx": _through(case)},),
    ),
    Mistake(
        "way_through_missing",
        "Only what comes back past the layer is there. x is used twice: what comes back through the layer is to "
        "be added.",
        (lambda case: {"dx": case.g},),
    ),
    Mistake(
        "ways_multiplied",
        "The two ways back are multiplied; where a value is used twice, its gradients add.",
        (lambda case: {"dx": case.g * _through(case)},),
    ),
    Mistake("halved", "An addition hands what comes back to both of its sides whole, not half to each.", (_halved,)),
    Mistake(
        "slope_forgotten",
        "The way through the layer goes through its activation, too: multiply by the activation's slope.",
        (lambda case: _around(case, slope=False),),
    ),
    Mistake("transposed", TRANSPOSED, (_transposed_around,)),
    Mistake("examples_not_summed", NOT_SUMMED.sentence, (lambda case: {"db": _dz(case)},)),
)


def _draw_shortcut(rng: np.random.Generator, settings: Mapping[str, Any]) -> Case:
    n, units = (int(size) for size in rng.integers(2, 6, 2))
    drawn = {"activation": "tanh", **settings}
    return case_of(lambda case: case["x"] + _a(case), rng, _arrays(rng, n, units, units), drawn)


def _refuse(case: Case) -> SpecError | None:
    units, inputs = case["W"].shape
    if units == inputs:
        return None
    shape = said("shape ({units}, {inputs})", units=units, inputs=inputs)
    return SpecError("inputs.W", shape, "as many units as inputs, to add x")


SHORTCUT = Backward(
    "shortcut",
    "Shortcut",
    "x + f(x Wᵀ + b): what goes into a layer is added to what comes out of it.",
    (_X, _W, _B),
    ("dx", "dW", "db"),
    lambda case: case["x"] + _a(case),
    _around,
    _WAYS,
    _draw_shortcut,
    (CaseOption("activation", "The layer's activation f.", "tanh", tuple(ACTIVATIONS)),),
    refuse=_refuse,
    cost=_cost,
)
