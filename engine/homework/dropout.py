"""Dropout: some numbers are put to 0, and those that are kept are made larger, so that their mean stays."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.checks import SpecError
from engine.homework.base import Backward, Case, CaseOption, Gradients, Input, Mistake, case_of
from engine.wording import said


def _scale(case: Case) -> float:
    return 1.0 / (1.0 - float(case.settings["rate"]))


def _back(case: Case) -> Floats:
    return case.g * case["mask"] * _scale(case)


def _forward(case: Case) -> Floats:
    return case["x"] * case["mask"] * _scale(case)


def _dx(function: Callable[[Case], Floats]) -> tuple[Callable[[Case], Gradients], ...]:
    return (lambda case: {"dx": function(case)},)


def _by_rate(case: Case) -> Gradients:
    rate = float(case.settings["rate"])
    return {"dx": case.g * case["mask"] / rate} if rate else {}


def _another(case: Case, given: Floats) -> Gradients:
    """With the mask that the answer seems to have used, if it is another and neither everything nor the opposite."""
    mask = (given != 0.0).astype(np.float64)
    told = (case["mask"], 1.0 - case["mask"], np.ones_like(mask))
    if mask.shape != case.g.shape or any(np.array_equal(mask, each) for each in told):
        return {}
    return {"dx": case.g * mask * _scale(case)}


def _draw(rng: np.random.Generator, settings: Mapping[str, Any]) -> Case:
    n, units = (int(size) for size in rng.integers(2, 6, 2))
    mask = (rng.random((n, units)) < 0.6).astype(np.float64)
    mask[0, 0], mask[-1, -1] = 0.0, 1.0
    arrays = {"x": rng.normal(0.0, 1.0, (n, units)), "mask": mask}
    return case_of(_forward, rng, arrays, {"rate": float(rng.choice([0.2, 0.25, 0.3, 0.4])), **settings})


def _refuse(case: Case) -> SpecError | None:
    x, mask = case["x"].shape, case["mask"].shape
    if x == mask:
        return None
    shape = said("an array of shape {shape}", shape=mask)
    return SpecError("inputs.mask", shape, "of shape {x}, as x has", x=x)


_ROWS = (("n", "units"), ("n", "channels", "height", "width"))

DROPOUT = Backward(
    "dropout",
    "Dropout",
    "x times the mask, divided by the share that is kept: what is out gives 0 and gets 0 back.",
    (
        Input("x", _ROWS, "What goes in."),
        Input("mask", _ROWS, "1 where a number is kept, 0 where it is out.", "kept"),
    ),
    ("dx",),
    _forward,
    lambda case: {"dx": _back(case)},
    (
        Mistake(
            "mask_forgotten",
            "The mask is not used on the way back: what was out forwards gets nothing back.",
            _dx(lambda case: case.g * _scale(case)),
        ),
        Mistake(
            "passed_on",
            "What comes back was passed on as it is; the same mask and the same scale work backwards.",
            _dx(lambda case: case.g),
        ),
        Mistake(
            "scale_missing",
            "The mask is right; what is kept was divided by the share that is kept, and so is its gradient.",
            _dx(lambda case: case.g * case["mask"]),
        ),
        Mistake(
            "scaled_twice", "Divided twice by the share that is kept.", _dx(lambda case: _back(case) * _scale(case))
        ),
        Mistake(
            "scaled_down",
            "Multiplied by the share that is kept; divide by it.",
            _dx(lambda case: case.g * case["mask"] / _scale(case)),
        ),
        Mistake(
            "divided_by_rate",
            "Divided by the rate, the share that is out; divide by the share that is kept.",
            (_by_rate,),
        ),
        Mistake(
            "other_way_round",
            "What is out gets the gradient, and what is kept gets none: the mask is 1 where a number is kept.",
            _dx(lambda case: case.g * (1.0 - case["mask"]) * _scale(case)),
        ),
        Mistake(
            "input_as_factor",
            "x is no factor: the output is x times a constant, and so is the gradient upstream times that.",
            _dx(lambda case: _back(case) * case["x"]),
        ),
        Mistake(
            "another_mask",
            "That is another mask: the one that was drawn forwards is to be kept and used again.",
            (),
            like=_another,
        ),
    ),
    _draw,
    (CaseOption("rate", "The share that is out.", 0.5, minimum=0.0, maximum=0.95),),
    refuse=_refuse,
)
