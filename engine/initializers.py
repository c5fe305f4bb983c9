"""Starting weights: one table entry per published rule. Biases start at zero.

A rule gets a random generator, the fan-in, the fan-out and the shape of W, which is (fan_out, fan_in) if none is given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from engine.arrays import Floats
from engine.wording import Words

Rule = Callable[[np.random.Generator, int, int, tuple[int, ...]], Floats]


@dataclass(frozen=True)
class Initializer:
    """One rule for starting weights; `draw(rng, fan_in, fan_out, shape)` returns W."""

    name: str
    title: Words
    formula: str
    sentence: Words
    rule: Rule

    def draw(self, rng: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...] = ()) -> Floats:
        """The weights of a layer."""
        return self.rule(rng, fan_in, fan_out, shape or (fan_out, fan_in))


def _zeros(rng: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]) -> Floats:
    return np.zeros(shape)


def _uniform(rng: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]) -> Floats:
    return rng.uniform(-0.5, 0.5, shape)


def _normal(rng: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]) -> Floats:
    return rng.normal(0.0, 0.5, shape)


def _xavier_uniform(rng: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]) -> Floats:
    bound = sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, shape)


def _xavier_normal(rng: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]) -> Floats:
    return rng.normal(0.0, sqrt(2 / (fan_in + fan_out)), shape)


def _he_uniform(rng: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]) -> Floats:
    bound = sqrt(6 / fan_in)
    return rng.uniform(-bound, bound, shape)


def _he_normal(rng: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]) -> Floats:
    return rng.normal(0.0, sqrt(2 / fan_in), shape)


_ENTRIES = (
    Initializer(
        "zeros",
        "All zero",
        r"W = 0",
        "Every unit of a layer computes the same and gets the same gradient: they can never differ.",
        _zeros,
    ),
    Initializer(
        "uniform",
        "Uniform",
        r"W \sim U(-0.5, 0.5)",
        "Evenly between -0.5 and 0.5, whatever the width.",
        _uniform,
    ),
    Initializer(
        "normal",
        "Normal",
        r"W \sim N(0, 0.5^2)",
        "Bell-shaped with standard deviation 0.5, whatever the width.",
        _normal,
    ),
    Initializer(
        "xavier_uniform",
        "Xavier, uniform",
        r"W \sim U(-r, r),\ r = \sqrt{6/(n_{in} + n_{out})}",
        "Keeps signals and gradients of one size through tanh layers (Glorot and Bengio, 2010).",
        _xavier_uniform,
    ),
    Initializer(
        "xavier_normal",
        "Xavier, normal",
        r"W \sim N(0, 2/(n_{in} + n_{out}))",
        "The same with a bell curve (Glorot and Bengio, 2010).",
        _xavier_normal,
    ),
    Initializer(
        "he_uniform",
        "He, uniform",
        r"W \sim U(-r, r),\ r = \sqrt{6/n_{in}}",
        "Keeps signals of one size through ReLU layers, which block half of them (He and others, 2015).",
        _he_uniform,
    ),
    Initializer(
        "he_normal",
        "He, normal",
        r"W \sim N(0, 2/n_{in})",
        "The same with a bell curve (He and others, 2015).",
        _he_normal,
    ),
)

INITIALIZERS: dict[str, Initializer] = {entry.name: entry for entry in _ENTRIES}
