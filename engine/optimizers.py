"""Optimizers: each is a few whole-vector calls on one flat parameter vector, whatever the depth of the network.

They write the parameters `p` and their own memory `slots` in place; `g` is the gradient, `t` counts steps from 1;
`rate` is a number or a 0-d array. `trial_and_error` is the odd one out: it uses no gradient, it reruns the model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from engine.arrays import Floats, Ints
from engine.equation import RATE, Equation, Ref, Tree, f, line_of, name
from engine.settings import Setting
from engine.wording import Words, said

Rate = float | Floats
Settings = Mapping[str, float]
Update = Callable[[Floats, Floats, Sequence[Floats], Floats, Rate, int, Settings], None]
P, G = name("p"), name("g")
Search = Callable[[Floats, Sequence[Floats], float, Ints, Callable[[], float]], int]


@dataclass(frozen=True)
class UpdateParts:
    """One update taken apart, elementwise: p becomes p - factor * g - memory - decay."""

    factor: Rate
    memory: Rate = 0.0
    decay: Rate = 0.0


Explain = Callable[[Floats, Floats, Sequence[Floats], float, int, Settings], UpdateParts]


@dataclass(frozen=True)
class Optimizer:
    """One update rule.

    `update(p, g, slots, scratch, rate, t, settings)` for rules that use the gradient; `search(p, slots, rate, free,
    loss)` for rules that only rerun: it moves the parameters at the indices `free` and returns how often it called
    `loss()`. `slots` names the vectors it remembers between steps, all zero at first. `steps` say the same, one after
    the other, with P for a parameter and G for its gradient; the try that a search has kept is a name. `parts(p, g,
    slots, rate, t, settings)`, all from before the update, takes it apart for people; without it the update is shown
    as one number. `how` is a sentence without its full stop, `by` who published it.
    """

    name: str
    title: Words
    steps: tuple[Equation, ...]
    how: Words
    update: Update | None = None
    search: Search | None = None
    parts: Explain | None = None
    slots: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    by: Words = ""

    @property
    def sentence(self) -> Words:
        """What it does, and whose it is."""
        how = said(self.how)
        return said("{how} ({by}).", how=how, by=said(self.by)) if self.by else said("{how}.", how=how)

    @property
    def code(self) -> tuple[str, ...]:
        """The steps as lines of NumPy in arrays `p` and `g`."""
        return tuple(map(line_of, self.steps))


def step(target: Ref, tree: Tree) -> Equation:
    """One line of a rule: the target's next value."""
    return Equation(target.quantity, tree)


def _sgd(p: Floats, g: Floats, slots: Sequence[Floats], scratch: Floats, rate: Rate, t: int, s: Settings) -> None:
    np.multiply(g, rate, scratch)
    np.subtract(p, scratch, p)


def _momentum(p: Floats, g: Floats, slots: Sequence[Floats], scratch: Floats, rate: Rate, t: int, s: Settings) -> None:
    (v,) = slots
    np.multiply(v, s["momentum"], v)
    np.add(v, g, v)
    np.multiply(v, rate, scratch)
    np.subtract(p, scratch, p)


def _nesterov(p: Floats, g: Floats, slots: Sequence[Floats], scratch: Floats, rate: Rate, t: int, s: Settings) -> None:
    (v,) = slots
    np.multiply(v, s["momentum"], v)
    np.add(v, g, v)
    np.multiply(v, s["momentum"], scratch)
    np.add(scratch, g, scratch)
    np.multiply(scratch, rate, scratch)
    np.subtract(p, scratch, p)


def _scaled_step(p: Floats, g: Floats, square: Floats, scratch: Floats, rate: Rate, epsilon: float) -> None:
    """p -= rate g / (sqrt(square) + epsilon)"""
    np.sqrt(square, scratch)
    np.add(scratch, epsilon, scratch)
    np.divide(g, scratch, scratch)
    np.multiply(scratch, rate, scratch)
    np.subtract(p, scratch, p)


def _adagrad(p: Floats, g: Floats, slots: Sequence[Floats], scratch: Floats, rate: Rate, t: int, s: Settings) -> None:
    (v,) = slots
    np.multiply(g, g, scratch)
    np.add(v, scratch, v)
    _scaled_step(p, g, v, scratch, rate, s["epsilon"])


def _rmsprop(p: Floats, g: Floats, slots: Sequence[Floats], scratch: Floats, rate: Rate, t: int, s: Settings) -> None:
    (v,) = slots
    np.multiply(v, s["decay"], v)
    np.multiply(g, g, scratch)
    np.multiply(scratch, 1.0 - s["decay"], scratch)
    np.add(v, scratch, v)
    _scaled_step(p, g, v, scratch, rate, s["epsilon"])


def _adam(p: Floats, g: Floats, slots: Sequence[Floats], scratch: Floats, rate: Rate, t: int, s: Settings) -> None:
    m, v = slots
    beta1, beta2 = s["beta1"], s["beta2"]
    np.subtract(g, m, scratch)
    np.multiply(scratch, 1.0 - beta1, scratch)
    np.add(m, scratch, m)
    np.multiply(g, g, scratch)
    np.subtract(scratch, v, scratch)
    np.multiply(scratch, 1.0 - beta2, scratch)
    np.add(v, scratch, v)
    # Both bias corrections, moved out of the vectors: sqrt(v / c) + e = (sqrt(v) + e sqrt(c)) / sqrt(c).
    root = sqrt(1.0 - beta2**t)
    _scaled_step(p, m, v, scratch, float(rate) * root / (1.0 - beta1**t), s["epsilon"] * root)


def _adamw(p: Floats, g: Floats, slots: Sequence[Floats], scratch: Floats, rate: Rate, t: int, s: Settings) -> None:
    np.multiply(p, 1.0 - rate * s["weight_decay"], p)
    _adam(p, g, slots, scratch, rate, t, s)


def _trial_and_error(p: Floats, slots: Sequence[Floats], rate: float, free: Ints, loss: Callable[[], float]) -> int:
    (direction,) = slots
    best = loss()
    reruns = 1
    for i in free.tolist():
        start = p[i]
        first = -rate if direction[i] < 0 else rate
        for step in (first, -first):
            p[i] = start + step
            now = loss()
            reruns += 1
            if now < best:
                best = now
                direction[i] = step
                break
        else:
            p[i] = start
    return reruns


def _sgd_parts(p: Floats, g: Floats, slots: Sequence[Floats], rate: float, t: int, s: Settings) -> UpdateParts:
    return UpdateParts(rate)


def _momentum_parts(p: Floats, g: Floats, slots: Sequence[Floats], rate: float, t: int, s: Settings) -> UpdateParts:
    return UpdateParts(rate, rate * s["momentum"] * slots[0])


def _nesterov_parts(p: Floats, g: Floats, slots: Sequence[Floats], rate: float, t: int, s: Settings) -> UpdateParts:
    return UpdateParts(rate * (1 + s["momentum"]), rate * s["momentum"] ** 2 * slots[0])


def _adagrad_parts(p: Floats, g: Floats, slots: Sequence[Floats], rate: float, t: int, s: Settings) -> UpdateParts:
    return UpdateParts(rate / (np.sqrt(slots[0] + g * g) + s["epsilon"]))


def _rmsprop_parts(p: Floats, g: Floats, slots: Sequence[Floats], rate: float, t: int, s: Settings) -> UpdateParts:
    square = s["decay"] * slots[0] + (1 - s["decay"]) * g * g
    return UpdateParts(rate / (np.sqrt(square) + s["epsilon"]))


def _adam_parts(p: Floats, g: Floats, slots: Sequence[Floats], rate: float, t: int, s: Settings) -> UpdateParts:
    m, v = slots
    square = s["beta2"] * v + (1 - s["beta2"]) * g * g
    each = rate / (1 - s["beta1"] ** t) / (np.sqrt(square / (1 - s["beta2"] ** t)) + s["epsilon"])
    return UpdateParts((1 - s["beta1"]) * each, s["beta1"] * each * m)


def _adamw_parts(p: Floats, g: Floats, slots: Sequence[Floats], rate: float, t: int, s: Settings) -> UpdateParts:
    return replace(_adam_parts(p, g, slots, rate, t, s), decay=rate * s["weight_decay"] * p)


_MOMENTUM = Setting("momentum", 0.9, 0.0, 0.999, "share of the last velocity that is kept")
_EPSILON = Setting("epsilon", 1e-8, 1e-16, 1.0, "keeps the division from blowing up near zero")
_BETAS = (
    Setting("beta1", 0.9, 0.0, 0.9999, "how long the mean of gradients remembers"),
    Setting("beta2", 0.999, 0.0, 0.99999, "how long the mean of squares remembers"),
    _EPSILON,
)
_V, _M, _MU, _RHO, _SMALL = name("v"), name("m"), name("momentum"), name("decay"), name("epsilon")
_BETA1, _BETA2, _T, _M_HAT, _V_HAT = name("beta1"), name("beta2"), name("t"), name("m_hat"), name("v_hat")
_ADAM_STEPS = (
    step(_M, _BETA1 * _M + (1.0 - _BETA1) * G),
    step(_V, _BETA2 * _V + (1.0 - _BETA2) * f("square", G)),
    step(_M_HAT, _M / (1.0 - f("power", _BETA1, _T))),
    step(_V_HAT, _V / (1.0 - f("power", _BETA2, _T))),
    step(P, P - RATE * _M_HAT / (f("sqrt", _V_HAT) + _SMALL)),
)

_ENTRIES = (
    Optimizer(
        "sgd",
        "SGD",
        (step(P, P - RATE * G),),
        "A step against the slope, as long as the slope is steep",
        _sgd,
        parts=_sgd_parts,
    ),
    Optimizer(
        "momentum",
        "Momentum",
        (step(_V, _MU * _V + G), step(P, P - RATE * _V)),
        "A ball that keeps rolling: past slopes carry on",
        _momentum,
        by="Polyak, 1964; written as in PyTorch",
        parts=_momentum_parts,
        slots=("v",),
        settings=(_MOMENTUM,),
    ),
    Optimizer(
        "nesterov",
        "Nesterov",
        (step(_V, _MU * _V + G), step(P, P - RATE * (G + _MU * _V))),
        "Momentum that looks one step ahead",
        _nesterov,
        by="Nesterov, 1983; Sutskever and others, 2013",
        parts=_nesterov_parts,
        slots=("v",),
        settings=(_MOMENTUM,),
    ),
    Optimizer(
        "adagrad",
        "AdaGrad",
        (step(_V, _V + f("square", G)), step(P, P - RATE * G / (f("sqrt", _V) + _SMALL))),
        "Parameters that moved much move less from now on",
        _adagrad,
        by="Duchi and others, 2011",
        parts=_adagrad_parts,
        slots=("v",),
        settings=(_EPSILON,),
    ),
    Optimizer(
        "rmsprop",
        "RMSProp",
        (step(_V, _RHO * _V + (1.0 - _RHO) * f("square", G)), step(P, P - RATE * G / (f("sqrt", _V) + _SMALL))),
        "As AdaGrad, but it forgets, so that it never grinds to a halt",
        _rmsprop,
        by="Tieleman and Hinton, 2012",
        parts=_rmsprop_parts,
        slots=("v",),
        settings=(
            Setting("decay", 0.99, 0.0, 0.9999, "how long the mean of squares remembers"),
            _EPSILON,
        ),
    ),
    Optimizer(
        "adam",
        "Adam",
        _ADAM_STEPS,
        "Momentum m divided by √v, the size gradients usually have here",
        _adam,
        by="Kingma and Ba, 2014",
        parts=_adam_parts,
        slots=("m", "v"),
        settings=_BETAS,
    ),
    Optimizer(
        "adamw",
        "AdamW",
        (step(P, P - RATE * name("weight_decay") * P), *_ADAM_STEPS),
        "As Adam, and shrinks every parameter a little at each step",
        _adamw,
        by="Loshchilov and Hutter, 2017",
        parts=_adamw_parts,
        slots=("m", "v"),
        settings=(
            *_BETAS,
            Setting("weight_decay", 0.01, 0.0, 1.0, "how much each step shrinks a parameter"),
        ),
    ),
    Optimizer(
        "trial_and_error",
        "Trial and error",
        (step(P, P + name("trial")),),
        "The article's own way: a step along each coefficient, rerun; if worse, turn round; keep the better",
        search=_trial_and_error,
        slots=("direction",),
    ),
)

OPTIMIZERS: dict[str, Optimizer] = {entry.name: entry for entry in _ENTRIES}
