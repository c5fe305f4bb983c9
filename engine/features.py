"""The features: what the first layer is fed, each a formula of the raw inputs.
They are the seven of TensorFlow Playground, with x in the units of the dataset and no scaling.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Floats
from engine.wording import Words


@dataclass(frozen=True)
class Feature:
    """One feature: how it is called, and its value for each example."""

    title: Words
    formula: str
    """LaTeX, one line."""
    inputs: int
    """How many raw inputs the dataset must have: 1 or 2."""
    value: Callable[[Floats], Floats]
    """Raw x (n, inputs) -> (n,)."""


FEATURES: dict[str, Feature] = {
    "x1": Feature("x₁", "x_1", 1, lambda x: x[:, 0]),
    "x2": Feature("x₂", "x_2", 2, lambda x: x[:, 1]),
    "x1_squared": Feature("x₁²", "x_1^2", 1, lambda x: x[:, 0] * x[:, 0]),
    "x2_squared": Feature("x₂²", "x_2^2", 2, lambda x: x[:, 1] * x[:, 1]),
    "x1x2": Feature("x₁x₂", "x_1 x_2", 2, lambda x: x[:, 0] * x[:, 1]),
    "sin_x1": Feature("sin(x₁)", r"\sin(x_1)", 1, lambda x: np.sin(x[:, 0])),
    "sin_x2": Feature("sin(x₂)", r"\sin(x_2)", 2, lambda x: np.sin(x[:, 1])),
}


def features_for(inputs: int) -> tuple[str, ...]:
    """The names allowed for a dataset with this many raw inputs.

    One input allows the three features of x1, two inputs all seven; anything else (pixels) is fed
    as it is and has none.
    """
    if inputs not in (1, 2):
        return ()
    return tuple(name for name, feature in FEATURES.items() if feature.inputs <= inputs)


def apply_features(x: Floats, names: Sequence[str]) -> Floats:
    """The columns `names` of raw x (n, inputs), in that order: a new array (n, len(names)).

    No names: x itself, not a copy. Raises ValueError for a name that x's inputs do not allow.
    """
    if not names:
        return x
    allowed = features_for(x.shape[1])
    for name in names:
        if name not in allowed:
            choices = ", ".join(allowed) or "(none)"
            raise ValueError(f"unknown feature {name!r}, must be one of: {choices}")
    return np.column_stack([FEATURES[name].value(x) for name in names])
