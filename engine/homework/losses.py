"""Softmax and cross-entropy together: the loss of the outputs' z, and how it changes with them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.homework.base import Backward, Case, CaseOption, Gradients, Input, Mistake, case_of


def _softmax(z: Floats, axis: int = 1) -> Floats:
    powers = np.exp(z - z.max(axis, keepdims=True))
    shares: Floats = powers / powers.sum(axis, keepdims=True)
    return shares


def _forward(case: Case) -> Floats:
    z, y = case["z"], case["y"]
    top = z.max(1, keepdims=True)
    logs = z - top - np.log(np.exp(z - top).sum(1, keepdims=True))
    return np.asarray(-(y * logs).sum() * _share(case))


def _share(case: Case) -> float:
    return 1.0 / case.n if case.settings["reduction"] == "mean" else 1.0


def _dz(case: Case) -> Floats:
    """Of every example by itself, without upstream and mean."""
    y = case["y"]
    difference: Floats = _softmax(case["z"]) * y.sum(1, keepdims=True) - y
    return difference


def _made(function: Callable[[Case], Floats]) -> Callable[[Case], Gradients]:
    """With upstream and mean."""
    return lambda case: {"dz": function(case) * _share(case) * case.g}


def _mean_missing(case: Case) -> Gradients:
    return {"dz": _dz(case) * case.g} if case.settings["reduction"] == "mean" else {}


def _mean_twice(case: Case) -> Gradients:
    return {"dz": _dz(case) * _share(case) * case.g / case.n}


def _divided_by_classes(case: Case) -> Floats:
    return _dz(case) / int(case["z"].shape[1])


def _target_missing(case: Case) -> Floats:
    return _softmax(case["z"])


def _logits(case: Case) -> Floats:
    return case["z"] - case["y"]


def _log_alone(case: Case) -> Floats:
    return np.asarray(case["y"] / -_softmax(case["z"]), np.float64)


def _diagonal(case: Case) -> Floats:
    return -case["y"] * (1.0 - _softmax(case["z"]))


def _slope_again(case: Case) -> Floats:
    a = _softmax(case["z"])
    return _dz(case) * a * (1.0 - a)


def _down(case: Case) -> Floats:
    return _softmax(case["z"], 0) - case["y"]


def _draw(rng: np.random.Generator, settings: Mapping[str, Any]) -> Case:
    n, classes = (int(size) for size in rng.permutation([3, 4, 5])[:2])
    z = rng.normal(0.0, 1.0, (n, classes))
    y = np.eye(classes)[rng.integers(0, classes, n)]
    return case_of(_forward, rng, {"z": z, "y": y}, {"reduction": str(rng.choice(["mean", "sum"])), **settings})


_OF_OUTPUT = "That is how the loss changes with the outputs a, not yet with z: "

SOFTMAX_CROSS_ENTROPY = Backward(
    "softmax_cross_entropy",
    "Softmax with cross-entropy",
    "The loss of a softmax's outputs, how surprised they are by the true classes, told by what goes into the softmax.",
    (
        Input("z", (("n", "classes"),), "What goes into the softmax, an example a row."),
        Input(
            "y",
            (("n", "classes"), ("n",)),
            "The true classes: a row of 0 and 1 an example, or their numbers from 0.",
            "targets",
        ),
    ),
    ("dz",),
    _forward,
    lambda case: dict(_made(_dz)(case)),
    (
        Mistake(
            "target_missing", "The shares are right, and the target is not yet subtracted.", (_made(_target_missing),)
        ),
        Mistake(
            "mean_missing",
            "The loss is the mean over the examples, so 1/N is missing.",
            (_mean_missing,),
        ),
        Mistake(
            "averaged",
            "Divided by the number of examples once too often.",
            (_mean_twice,),
        ),
        Mistake(
            "divided_by_classes",
            "Divided by the number of classes, too: the loss adds up over the classes.",
            (_made(_divided_by_classes),),
        ),
        Mistake(
            "diagonal_alone",
            "The Jacobian's diagonal alone: the z of the other classes move the true class's share, too.",
            (_made(_diagonal),),
        ),
        Mistake("softmax_missing", _OF_OUTPUT + "the way back through the softmax is missing.", (_made(_log_alone),)),
        Mistake(
            "slope_again",
            "Share minus target holds the softmax's slope already; it was multiplied once more.",
            (_made(_slope_again),),
        ),
        Mistake(
            "z_for_shares",
            "The target was subtracted from z; subtract it from the softmax of z.",
            (_made(_logits),),
        ),
        Mistake(
            "other_axis",
            "The softmax runs down the examples; it is to run over the classes of one example.",
            (_made(_down),),
        ),
    ),
    _draw,
    (CaseOption("reduction", "Whether the loss is the examples' mean or their sum.", "mean", ("mean", "sum")),),
    scalar=True,
)
