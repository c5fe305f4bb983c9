"""The activations a = f(z): each of the engine's table, with the mistakes that it invites."""

from collections.abc import Callable, Mapping
from math import erf, pi, sqrt
from typing import Any

import numpy as np

from engine.activations import ACTIVATIONS, LEAK, Activation
from engine.arrays import Floats
from engine.homework.base import Backward, Case, Gradients, Input, Mistake, case_of

_erf = np.vectorize(erf, otypes=[float])


def _value(of: Activation, z: Floats) -> Floats:
    """a of z, (examples, units); the engine's functions take (units, examples)."""
    rows = np.ascontiguousarray(z.T)
    a = np.empty_like(rows)
    of.forward(rows, a)
    return np.ascontiguousarray(a.T)


def _back(of: Activation, da: Floats, z: Floats) -> Floats:
    rows = np.ascontiguousarray(z.T)
    a = np.empty_like(rows)
    of.forward(rows, a)
    return np.ascontiguousarray(of.backward(np.ascontiguousarray(da.T), rows, a).T)


def _slope(of: Activation, z: Floats) -> Floats:
    return _back(of, np.ones_like(z), z)


def _dz(function: Callable[[Case], Floats]) -> tuple[Callable[[Case], Gradients], ...]:
    return (lambda case: {"dz": function(case)},)


def _sigmoid(z: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-z))


def _forgotten() -> Mistake:
    return Mistake(
        "slope_forgotten",
        "That is what comes back to a. To come to z, multiply by the activation's slope there.",
        _dz(lambda case: case.g),
    )


def _as_slope(of: Activation) -> Mistake:
    return Mistake(
        "activation_as_slope",
        "Multiplied by the activation; multiply by its slope.",
        _dz(lambda case: case.g * _value(of, case["z"])),
    )


def _at_output(of: Activation) -> Mistake:
    return Mistake(
        "slope_at_output",
        "The slope is taken at a, what comes out; take it at z, what goes in.",
        _dz(lambda case: case.g * _slope(of, _value(of, case["z"]))),
    )


def _formula_of_a(formula: Callable[[Floats], Floats]) -> Mistake:
    return Mistake(
        "formula_with_z",
        "The slope is written as a formula of a, what comes out, and z was put into it.",
        _dz(lambda case: case.g * formula(case["z"])),
    )


def _gelu_exact(z: Floats) -> Floats:
    slope: Floats = 0.5 * (1.0 + _erf(z / sqrt(2.0))) + z * np.exp(-0.5 * z * z) / sqrt(2.0 * pi)
    return slope


def _gelu_factor(z: Floats) -> Floats:
    """What z is multiplied by in gelu."""
    return 0.5 * (1.0 + np.tanh(sqrt(2.0 / pi) * z * (1.0 + 0.044715 * z * z)))


_RULE = "z times something that changes with z: by the product rule two parts add up, and here {} alone is there."


def _halves(of: Activation, factor: Callable[[Floats], Floats]) -> tuple[Mistake, ...]:
    return (
        Mistake(
            "second_part_missing",
            _RULE.format("the factor itself, without z times the factor's slope,"),
            _dz(lambda case: case.g * factor(case["z"])),
        ),
        Mistake(
            "first_part_missing",
            _RULE.format("z times the factor's slope, without the factor itself,"),
            _dz(lambda case: case.g * (_slope(of, case["z"]) - factor(case["z"]))),
        ),
    )


def _gate_mistakes() -> tuple[Mistake, ...]:
    return (
        Mistake(
            "gated_by_upstream",
            "What comes back is let through where it is itself positive; the sign of z decides.",
            _dz(lambda case: case.g * (case.g > 0)),
        ),
        Mistake(
            "other_side",
            "Let through where z is negative and blocked where it is positive: it is the other way round.",
            _dz(lambda case: case.g * (case["z"] < 0)),
        ),
    )


def _blocked(sentence: str) -> Mistake:
    return Mistake("negative_side_blocked", sentence, _dz(lambda case: case.g * (case["z"] > 0)))


_CURVED = ("sigmoid", "tanh", "elu", "gelu", "silu", "softplus")  # whose slope at a is another than at z


def _common(of: Activation) -> tuple[Mistake, ...]:
    """The mistakes that can be made with most of them."""
    return (
        *(() if of.name == "identity" else (_forgotten(),)),
        *(() if of.name == "softmax" else (_as_slope(of),)),
        *((_at_output(of),) if of.name in _CURVED else ()),
    )


def _own(of: Activation) -> tuple[Mistake, ...]:
    """The mistakes that only one activation, or a few, invite."""
    made: dict[str, tuple[Mistake, ...]] = {
        "sigmoid": (_formula_of_a(lambda a: a * (1.0 - a)),),
        "tanh": (_formula_of_a(lambda a: 1.0 - a * a),),
        "relu": _gate_mistakes(),
        "leaky_relu": (_blocked(f"Where z is negative, nothing comes through; a leaky ReLU's slope is {LEAK} there."),),
        "elu": (_blocked("Where z is negative, nothing comes through; ELU's slope is a + 1 there."),),
        "gelu": (
            Mistake(
                "exact_form",
                "The slope is that of the exact GELU, with erf; here it is the form with tanh.",
                _dz(lambda case: case.g * _gelu_exact(case["z"])),
            ),
            *_halves(of, _gelu_factor),
        ),
        "silu": _halves(of, _sigmoid),
        "softplus": (
            Mistake(
                "slope_of_sigmoid",
                "That is the sigmoid's own slope. Softplus has the sigmoid itself for its slope.",
                _dz(lambda case: case.g * _sigmoid(case["z"]) * (1.0 - _sigmoid(case["z"]))),
            ),
        ),
        "softmax": _softmax_mistakes(of),
    }
    return made.get(of.name, ())


def _softmax_mistakes(of: Activation) -> tuple[Mistake, ...]:
    def a(case: Case) -> Floats:
        return _value(of, case["z"])

    def inner(case: Case, axis: int = 1) -> Floats:
        total: Floats = (case.g * a(case)).sum(axis, keepdims=True)
        return total

    return (
        Mistake(
            "diagonal_alone",
            "The Jacobian's diagonal alone: every z moves every share, so the other rows of the Jacobian count, too.",
            _dz(lambda case: case.g * a(case) * (1.0 - a(case))),
        ),
        Mistake(
            "sum_forgotten",
            "The sum of upstream times share is to be subtracted: if one share grows, the others shrink.",
            _dz(lambda case: case.g * a(case)),
        ),
        Mistake(
            "sum_added",
            "The sum of upstream times share is added; it is to be subtracted.",
            _dz(lambda case: a(case) * (case.g + inner(case))),
        ),
        Mistake(
            "summed_over_examples",
            "The sum runs over the examples; it is to run over the units of one example.",
            _dz(lambda case: a(case) * (case.g - inner(case, 0))),
        ),
        Mistake(
            "upstream_forgotten",
            "That is the diagonal of the Jacobian; it is to be multiplied with what comes back from above.",
            (
                lambda case: {"dz": a(case) * (1.0 - a(case))},
                lambda case: {"dz": np.zeros_like(case.g)},
            ),
        ),
    )


def _draw(of: Activation) -> Callable[[np.random.Generator, Mapping[str, Any]], Case]:
    def drawn(rng: np.random.Generator, settings: Mapping[str, Any]) -> Case:
        n, units = (int(size) for size in rng.integers(2, 5, 2))
        z = rng.uniform(0.2, 2.0, (n, units)) * rng.choice([-1.0, 1.0], (n, units))
        z[:2, 0], z[:2, 1] = np.abs(z[:2, 0]), -np.abs(z[:2, 1])  # both sides of 0, and either sign comes back to both
        case = case_of(lambda case: _value(of, case["z"]), rng, {"z": z}, settings)
        signs = np.sign(case.g)
        signs[0, :2], signs[1, :2] = 1.0, -1.0
        return case.with_upstream(np.abs(case.g) * signs)

    return drawn


def _entry(of: Activation) -> Backward:
    return Backward(
        of.name,
        of.title,
        of.sentence,
        (Input("z", (("n", "units"),), "The sums that go in, an example a row."),),
        ("dz",),
        lambda case: _value(of, case["z"]),
        lambda case: {"dz": _back(of, case.g, case["z"])},
        (*_common(of), *_own(of)),
        _draw(of),
        without=("sign", "upstream_forgotten") if of.name == "threshold" else (),
    )


ENTRIES = tuple(_entry(activation) for activation in ACTIVATIONS.values())
