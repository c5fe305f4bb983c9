"""A receipt as lines for people: where the next value of a parameter comes from, or how a unit came to its numbers."""

from dataclasses import dataclass

import numpy as np

from app.draw.diagram import layer_name, unit_name
from app.draw.maths import mathml
from app.draw.numbers import given, signed
from engine import OPTIMIZERS, Spec, Trace
from engine.arrays import Floats
from engine.receipts import ParameterReceipt, UnitReceipt, parameter_receipt, unit_receipt

SHOWN = 6


@dataclass(frozen=True)
class Line:
    """One line: what, how much, and the colour of what it is. `select` is where a further click leads."""

    label: str
    value: str
    role: str = "plain"
    select: str = ""
    total: bool = False


@dataclass(frozen=True)
class Ledger:
    """A receipt to read: `title` as MathML, `where` in words, `says` in one sentence, lines, and a line of NumPy."""

    address: str
    title: str
    where: str
    says: str
    lines: tuple[Line, ...]
    more: tuple[Line, ...]
    more_title: str
    code: str
    value: str
    frozen: bool
    is_parameter: bool


def ledger(trace: Trace, address: str, batch: bool) -> Ledger | None:
    """The receipt of an address in this trace; None for an input, which nothing computes. SpecError for no address."""
    if address.startswith("a0."):
        return None
    if address.startswith("a"):
        return _unit(trace, unit_receipt(trace, address), batch)
    return _parameter(trace, parameter_receipt(trace, address), batch)


def place_of(spec: Spec, address: str) -> str:
    """An address in words."""
    layers = len(spec.network.sizes) - 1
    layer, unit, source = ([int(part) for part in address[1:].split(".")] + [0])[:3]
    if address[0] == "W":
        return f"{unit_name(layer - 1, source, layers)} → {unit_name(layer, unit, layers)}"
    return ("bias of " if address[0] == "b" else "") + unit_name(layer, unit, layers)


def _subscripts(address: str) -> str:
    layer, *rest = address[1:].split(".")
    return f"{address[0]}^{{{layer}}}_{{{','.join(rest) if any(len(r) > 1 for r in rest) else ''.join(rest)}}}"


_PARTS = {
    "penalty": "regularization", "memory": "momentum so far", "decay": "weight decay", "trial": "trial and error",
    "step": "the optimizer's step",
}  # fmt: skip


def _parameter(trace: Trace, told: ParameterReceipt, batch: bool) -> Ledger:
    spec, is_weight = trace.spec, told.address[0] == "W"
    carried = f"a{told.layer - 1}.{told.source}"
    factors = "δ × a" if is_weight else "δ"
    lines = [Line("now", signed(told.now, 4))]
    lines.append(Line(f"gradient, {'Σ ' if batch else ''}{factors}", signed(told.gradient, 5), "backward"))
    if spec.regularization != "none":
        lines.append(Line(f"{spec.regularization.upper()} adds", signed(told.penalty_gradient, 5), "backward"))
    for part in told.parts:
        label = f"− rate {given(round(told.learning_rate, 10))} × gradient" if part.name == "gradient" else ""
        lines.append(
            Line(
                label if label and spec.optimizer == "sgd" else _step_label(part.name, spec),
                signed(part.value, 5),
                "update",
            )
        )
    lines.append(Line("next", signed(told.next, 4), total=True))
    return Ledger(
        told.address, str(mathml(_subscripts(told.address))), place_of(spec, told.address), _why(told, batch),
        tuple(lines), _factors(told, carried, is_weight, batch), "Where the gradient comes from",
        _code(told, spec), given(round(told.now, 6)), told.frozen, True,
    )  # fmt: skip


def _step_label(name: str, spec: Spec) -> str:
    return f"{OPTIMIZERS[spec.optimizer].title} step" if name == "gradient" else _PARTS[name]


def _why(told: ParameterReceipt, batch: bool) -> str:
    if told.frozen:
        return "Frozen: training leaves it as it is."
    if told.gradient == 0:
        return "Its gradient is 0: a small change of it would not change the loss."
    way, change = ("down", "lower") if told.gradient > 0 else ("up", "raise")
    return f"The loss falls if it goes {way}, so the step will {change} it."


def _factors(told: ParameterReceipt, carried: str, is_weight: bool, batch: bool) -> tuple[Line, ...]:
    """The products that the gradient is the sum of; of many examples the largest, and the rest in one line."""
    delta = f"a{told.layer}.{told.unit}"
    if not batch and len(told.deltas) == 1:
        lines = [Line("δ of the receiving unit", signed(float(told.deltas[0]), 5), "backward", delta)]
        if is_weight:
            lines.append(Line("a that the link carried", signed(float(told.carried[0]), 4), "forward", carried))
        return tuple(lines)
    products = told.deltas * told.carried
    order = np.argsort(-np.abs(products), kind="stable")
    lines = [
        Line(
            f"example {told.examples[i]}: {signed(float(told.deltas[i]), 4)}"
            + (f" × {signed(float(told.carried[i]), 2)}" if is_weight else ""),
            signed(float(products[i]), 5),
            "backward",
        )
        for i in order[:SHOWN].tolist()
    ]
    if len(order) > SHOWN:
        lines.append(
            Line(
                f"the other {len(order) - SHOWN} together", signed(float(products[order[SHOWN:]].sum()), 5), "backward"
            )
        )
    return tuple(lines)


def _code(told: ParameterReceipt, spec: Spec) -> str:
    k, j = told.layer, told.unit - 1
    name = f"W{k}[{j}, {told.source - 1}]" if told.source else f"b{k}[{j}]"
    slope = (
        f"dz{k}[:, {j}] @ {'x' if k == 1 else f'a{k - 1}'}[:, {told.source - 1}]"
        if told.source
        else f"dz{k}[:, {j}].sum()"
    )
    return f"{name} -= rate * ({slope})" if spec.optimizer == "sgd" else f"d{name} = {slope}"


def _unit(trace: Trace, told: UnitReceipt, batch: bool) -> Ledger:
    network, k, j = trace.spec.network, told.layer, told.unit
    mean = "mean " if batch else ""
    total = "sum of " if batch else ""
    activation = network.activation_names[k - 1]
    lines = [
        Line(f"{mean}z = Σ w × a + b", signed(float(told.z.mean()), 4), "forward"),
        Line(f"{mean}a = {activation.replace('_', ' ')}(z)", signed(float(told.a.mean()), 4), "forward"),
        Line(f"{total}da = dL/da", signed(float(told.da.sum()), 5), "backward"),
        Line(f"{total}δ = da × {_slope_name(activation)}", signed(float(told.dz.sum()), 5), "backward"),
    ]
    terms = [
        (f"w × a from {layer_name(k - 1, len(network.sizes) - 1)}, {i + 1}", value, f"W{k}.{j}.{i + 1}")
        for i, value in enumerate(told.incoming.mean(axis=0).tolist())
    ]
    return Ledger(
        told.address, str(mathml(_subscripts(told.address))), place_of(trace.spec, told.address),
        _unit_says(float(told.dz.sum()), told), tuple(lines),
        (*_largest(terms, "forward"), Line("bias", signed(told.bias, 4), "forward", f"b{k}.{j}")),
        f"What adds up to {mean}z", f"dz{k} = da{k} * f'(z{k})", "", False, False,
    )  # fmt: skip


def _slope_name(activation: str) -> str:
    return "its Jacobian" if activation == "softmax" else "f′(z)"


def _unit_says(delta: float, told: UnitReceipt) -> str:
    if not np.any(told.dz):
        if told.slope is not None and np.any(told.da) and not np.any(told.slope):
            return "Its slope is 0 here: whatever the loss asks, nothing passes back through it."
        return "The loss asks nothing of it here: its delta is 0."
    way, sign = ("down", "positive") if delta > 0 else ("up", "negative")
    return f"The loss asks it to go {way}: its delta is {sign}."


def _largest(terms: list[tuple[str, float, str]], role: str) -> tuple[Line, ...]:
    if len(terms) <= SHOWN + 2:
        return tuple(Line(label, signed(value, 4), role, select) for label, value, select in terms)
    order = sorted(terms, key=lambda term: -abs(term[1]))
    rest: Floats = np.array([value for _, value, _ in order[SHOWN:]])
    lines = [Line(label, signed(value, 4), role, select) for label, value, select in order[:SHOWN]]
    return (*lines, Line(f"the other {len(rest)} together", signed(float(rest.sum()), 4), role))
