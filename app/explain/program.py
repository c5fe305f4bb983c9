"""One step as a short NumPy program: running its text reproduces the loss, every gradient and the new parameters.

The lines come of the tables' own `code`, with the layer's number put to each name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine import ACTIVATIONS, LOSSES, OPTIMIZERS, PENALTIES, Trace
from engine.losses import FromLogits
from engine.optimizers import Optimizer
from engine.session import frozen_mask

Line = tuple[str, str]  # the quantity that the line computes, "" for none; and the line


@dataclass(frozen=True)
class Program:
    """The lines, and the arrays and numbers that are given to them.

    `places` says which line (from 1) computes a quantity: "x", "z2", "a2", "loss", "penalty", "da2", "dz2", "dW2",
    "db2", "gW2" (with the penalty's), "W2_next", "b2_next"; trial and error has "try" in place of these last.
    """

    lines: tuple[str, ...]
    namespace: dict[str, Any]
    places: dict[str, int]

    @property
    def text(self) -> str:
        """The program as one text, ready to run where NumPy is `np` and the namespace is given."""
        return "\n".join(self.lines) + "\n"

    def line_of(self, *quantities: str) -> int:
        """The line that computes the first of these quantities that has one; 1 if none has."""
        return next((self.places[name] for name in quantities if name in self.places), 1)

    def run(self) -> dict[str, Any]:
        """Everything that the program has computed, by name."""
        names = dict(self.namespace)
        with np.errstate(all="ignore"):
            exec(compile(self.text, "<one step>", "exec"), names)  # our own text, no user's word in it
        return names


def program(trace: Trace) -> Program:
    """The whole step of a trace as a program, with its own numbers."""
    lines, places = _text(_shape_of(trace))
    return Program(lines, _namespace(trace), places)


@dataclass(frozen=True)
class _Shape:
    """What the text depends on: no numbers, so that runs which look alike share it."""

    activations: tuple[str, ...]
    loss: str
    optimizer: str
    regularization: str  # "" for none
    held: bool
    classes: bool  # every row of y adds up to 1


def _shape_of(trace: Trace) -> _Shape:
    spec = trace.spec
    classes = bool((trace.y.sum(axis=1) == 1.0).all())
    return _Shape(
        spec.network.activation_names, spec.loss, spec.optimizer, spec.regularization if spec.penalized else "",
        bool(spec.frozen), classes
    )  # fmt: skip


@lru_cache(maxsize=256)
def _text(shape: _Shape) -> tuple[tuple[str, ...], dict[str, int]]:
    lines: list[Line] = [("x", "n = len(x)  # x, y and W1, b1, … are given")]
    lines += [("", ""), ("", "# forward"), *_forward(shape), *_loss(shape)]
    unused = ", to compare: trial and error uses no gradient" if OPTIMIZERS[shape.optimizer].search else ""
    lines += [("", ""), ("", "# backward" + unused), *_backward(shape)]
    lines += [("", ""), ("", "# update"), *_update(shape)]
    places = {name: number for number, (name, _) in enumerate(lines, 1) if name}
    return tuple(line for _, line in lines), places


def _named(code: str, **names: str) -> str:
    """Code with its single-letter names made the program's: z as z2."""
    return re.sub(r"\b[a-zA-Z_]\w*\b", lambda match: names.get(match[0], match[0]), code)


def _layers(shape: _Shape) -> range:
    return range(1, len(shape.activations) + 1)


def _forward(shape: _Shape, suffix: str = "") -> Iterator[Line]:
    for k, name in enumerate(shape.activations, 1):
        below = f"a{k - 1}" if k > 1 else "x"
        yield f"z{k}", f"z{k} = {below} @ W{k}{suffix}.T + b{k}{suffix}"
        yield f"a{k}", f"a{k} = " + _named(ACTIVATIONS[name].code, z=f"z{k}")


def _joined(shape: _Shape) -> FromLogits | None:
    return LOSSES[shape.loss].from_logits.get(shape.activations[-1])


def _loss(shape: _Shape, suffix: str = "") -> Iterator[Line]:
    last, joined = len(shape.activations), _joined(shape)
    code = joined.code if joined else LOSSES[shape.loss].code
    yield "loss", "loss = " + _named(code, z=f"z{last}", a=f"a{last}")
    if shape.regularization:
        code = PENALTIES[shape.regularization].code
        total = " + ".join(_named(code, w=f"W{k}{suffix}") for k in _layers(shape))
        yield "penalty", f"penalty = regularization_rate * ({total})"


def _backward(shape: _Shape) -> Iterator[Line]:
    last, joined = len(shape.activations), _joined(shape)
    for k in reversed(_layers(shape)):
        a, z = f"a{k}", f"z{k}"
        activation = ACTIVATIONS[shape.activations[k - 1]]
        if k == last and joined:
            code = (shape.classes and joined.dz_code_for_classes) or joined.dz_code
            yield f"dz{k}", f"dz{k} = " + _named(code, a=a, z=z)
        else:
            if k == last:
                yield f"da{k}", f"da{k} = " + _named(LOSSES[shape.loss].gradient_code, a=a)
            slope = _named(activation.derivative_code, a=a, z=z, da=f"da{k}")
            product = slope if activation.product else f"da{k} * ({slope})"
            yield f"dz{k}", f"dz{k} = {product}"
        yield f"dW{k}", f"dW{k} = dz{k}.T @ {f'a{k - 1}' if k > 1 else 'x'}"
        yield f"db{k}", f"db{k} = dz{k}.sum(axis=0)"
        if k > 1:
            yield f"da{k - 1}", f"da{k - 1} = dz{k} @ W{k}"


def _update(shape: _Shape) -> Iterator[Line]:
    optimizer = OPTIMIZERS[shape.optimizer]
    if optimizer.search:
        yield from _trial_and_error(shape)
        return
    if shape.regularization:
        pull = PENALTIES[shape.regularization].gradient_code
        for k in _layers(shape):
            yield f"gW{k}", f"gW{k} = dW{k} + regularization_rate * {_named(pull, w=f'W{k}')}"
    if len(optimizer.code) > 1:
        slots = ", ".join(("p", *optimizer.slots))
        yield "", f"def {optimizer.name}_step({', '.join(('p', 'g', *optimizer.slots))}):"
        yield from (("", "    " + line) for line in optimizer.code)
        yield "", f"    return {slots}"
    for k in _layers(shape):
        gradient = f"gW{k}" if shape.regularization else f"dW{k}"
        for parameter, g in ((f"W{k}", gradient), (f"b{k}", f"db{k}")):
            yield f"{parameter}_next", _one_update(optimizer, parameter, g)
            if shape.held:
                yield "", f"{parameter}_next = np.where({parameter}_frozen, {parameter}, {parameter}_next)"


def _one_update(optimizer: Optimizer, parameter: str, gradient: str) -> str:
    if len(optimizer.code) == 1:
        _, right = optimizer.code[0].split(" = ", 1)
        return f"{parameter}_next = " + _named(right, p=parameter, g=gradient)
    slots = [f"{slot}_{parameter}" for slot in optimizer.slots]
    left, given = ", ".join([f"{parameter}_next", *slots]), ", ".join([parameter, gradient, *slots])
    return f"{left} = {optimizer.name}_step({given})"


def _trial_and_error(shape: _Shape) -> Iterator[Line]:
    """The search as it is: parameter by parameter, unit by unit, a rerun for every try."""
    for k in _layers(shape):
        yield "", f"W{k}_next, b{k}_next = W{k}.copy(), b{k}.copy()"
    yield "", "def rerun():"
    for _, line in (*_forward(shape, "_next"), *_loss(shape, "_next")):
        yield "", "    " + line
    yield "", "    return loss" + (" + penalty" if shape.regularization else "")
    yield "", "places = []"
    yield "", "for W, b, sW, sb, fW, fb in ("
    for k in _layers(shape):
        yield "", f"    (W{k}_next, b{k}_next, direction_W{k}, direction_b{k}, W{k}_frozen, b{k}_frozen),"
    yield "", "):"
    yield "", "    for i in range(len(b)):"
    yield "", "        places += [(W, sW, (i, j)) for j in range(W.shape[1]) if not fW[i, j]]"
    yield "", "        places += [(b, sb, i)] * (not fb[i])"
    yield from (("try" if line == _TRY else "", line) for line in _SEARCH)


_TRY = "        p[i] = old + step"
_SEARCH = (
    "best = rerun()",
    "for p, direction, i in places:",
    "    old = p[i]",
    "    first = -rate if direction[i] < 0 else rate",
    "    for step in (first, -first):",
    _TRY,
    "        now = rerun()",
    "        if now < best:",
    "            best, direction[i] = now, step",
    "            break",
    "    else:",
    "        p[i] = old",
)


def _namespace(trace: Trace) -> dict[str, Any]:
    """Every name that the text reads; arrays are copies, so that running it changes nothing of the trace."""
    spec, network = trace.spec, trace.spec.network
    names: dict[str, Any] = {"np": np, "x": trace.x.copy(), "y": trace.y.copy(), "rate": trace.learning_rate}
    names |= dict(spec.optimizer_settings)
    names |= {"t": trace.t, "regularization_rate": spec.regularization_rate}
    frozen = frozen_mask(spec)
    for k, layer in enumerate(trace.layers, 1):
        names |= {f"W{k}": layer.W.copy(), f"b{k}": layer.b.copy()}
    for slot, values in zip(OPTIMIZERS[spec.optimizer].slots, trace.slots, strict=True):
        for k, (W, b) in enumerate(network.layers(values), 1):
            names |= {f"{slot}_W{k}": W.copy(), f"{slot}_b{k}": b.copy()}
    for k, (W, b) in enumerate(network.layers(frozen), 1):
        names |= {f"W{k}_frozen": W.copy(), f"b{k}_frozen": b.copy()}
    return names
