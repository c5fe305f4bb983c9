"""A receipt as lines for people: where the next value of a parameter comes from, or how a unit came to its numbers.

Words, symbols and code are those of `app.explain.receipts`, which scripts are told too; here its numbers are set out
below each other, each line a way further back.
"""

from dataclasses import dataclass

import numpy as np

from app.draw.maths import mathml, parts_of, short, signed, symbol
from app.draw.numbers import given
from app.explain.moments import Segments
from app.explain.receipts import Receipt, receipt
from app.explain.scene import Scene
from engine import OPTIMIZERS, Spec, Trace
from engine.arrays import Floats
from engine.receipts import ParameterReceipt, UnitReceipt

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
class Group:
    """Lines that say what one of the numbers is made of."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Ledger:
    """A receipt to read: `title` as MathML, `where` in words, words, LaTeX, lines of numbers and of NumPy."""

    address: str
    title: str
    where: str
    words: Segments
    symbols: str
    lines: tuple[Line, ...]
    more: tuple[Group, ...]
    code: tuple[str, ...]
    value: str = ""
    frozen: bool = False
    is_parameter: bool = False


def ledger(trace: Trace, address: str, batch: bool) -> Ledger:
    """The receipt of an address in this trace. SpecError for no address."""
    told, scene = receipt(trace, address), Scene(trace)
    if isinstance(told.facts, ParameterReceipt):
        return _parameter(scene, told, told.facts, batch)
    if isinstance(told.facts, UnitReceipt):
        return _unit(scene, told, told.facts, batch)
    return _input(trace, told, batch)


def _title(address: str) -> str:
    letter, layer, unit, source = parts_of(address)
    return str(mathml(symbol(letter if layer else "x", layer, unit, source).replace("^{0}", "")))


_PARTS = {
    "penalty": "regularization", "memory": "momentum so far", "decay": "weight decay", "trial": "trial and error",
    "step": "the optimizer's step",
}  # fmt: skip


def _parameter(scene: Scene, told: Receipt, facts: ParameterReceipt, batch: bool) -> Ledger:
    spec, is_weight = scene.trace.spec, facts.source > 0
    factors = "δ × a" if is_weight else "δ"
    lines = [Line("now", signed(facts.now))]
    lines.append(Line(f"gradient, {'Σ ' if batch else ''}{factors}", signed(facts.gradient), "backward"))
    if spec.regularization != "none":
        lines.append(Line(f"{spec.regularization.upper()} adds", signed(facts.penalty_gradient), "backward"))
    if facts.frozen:
        lines.append(Line("frozen: no step", "0", "update"))
    else:
        lines += [Line(_step_label(part.name, facts, spec), signed(part.value), "update") for part in facts.parts]
    lines.append(Line("next", signed(facts.next), total=True))
    more = Group("Where the gradient comes from", _factors(scene, facts, batch))
    return Ledger(
        told.address, _title(told.address), told.place, told.words, told.symbols, tuple(lines), (more,), told.code,
        given(round(facts.now, 6)), facts.frozen, True,
    )  # fmt: skip


def _step_label(name: str, facts: ParameterReceipt, spec: Spec) -> str:
    if name != "gradient":
        return _PARTS[name]
    if spec.optimizer == "sgd":
        return f"− rate {short(facts.learning_rate)} × gradient"
    return f"{OPTIMIZERS[spec.optimizer].title} step"


def _factors(scene: Scene, facts: ParameterReceipt, batch: bool) -> tuple[Line, ...]:
    """The two factors, each a click further back; for the batch also their products, the largest first."""
    k, j, i = facts.layer, facts.unit, facts.source
    of, mean = ("Σ δ" if batch else "δ", "mean a" if batch else "a")
    back = [Line(f"{of} of {scene.unit(k, j)}", signed(float(facts.deltas.sum())), "backward", f"a{k}.{j}")]
    if i:
        carried = float(facts.carried.mean())
        back.append(Line(f"{mean} of {scene.unit(k - 1, i)}", signed(carried), "forward", f"a{k - 1}.{i}"))
    if not batch:
        return tuple(back)
    products = [
        (f"example {n}: {signed(delta, 3)}" + (f" × {signed(a, 3)}" if i else ""), delta * a, "")
        for n, delta, a in zip(facts.examples.tolist(), facts.deltas.tolist(), facts.carried.tolist(), strict=True)
    ]
    return (*_largest(products, "backward", SHOWN), *back)


def _unit(scene: Scene, told: Receipt, facts: UnitReceipt, batch: bool) -> Ledger:
    k, j = facts.layer, facts.unit
    mean, total = ("mean ", "sum of ") if batch else ("", "")
    activation = scene.layer(k).activation
    slope = "its Jacobian" if activation == "softmax" else "f′(z)"
    lines = (
        Line(f"{mean}z = Σ w × a + b", signed(float(facts.z.mean())), "forward"),
        Line(f"{mean}a = {activation.replace('_', ' ')}(z)", signed(float(facts.a.mean())), "forward"),
        Line(f"{total}da = dL/da", signed(float(facts.da.sum())), "backward"),
        Line(f"{total}δ = da × {slope}", signed(float(facts.dz.sum())), "backward"),
    )
    into = [
        (f"w × a from {scene.unit(k - 1, i)}", value, f"W{k}.{j}.{i}")
        for i, value in enumerate(facts.incoming.mean(axis=0).tolist(), 1)
    ]
    bias = Line("bias", signed(facts.bias), "forward", f"b{k}.{j}")
    more = [Group(f"What adds up to {mean}z", (*_largest(into, "forward"), bias))]
    if facts.outgoing is not None:
        back = [
            (f"w × δ of {scene.unit(k + 1, n)}", value, f"a{k + 1}.{n}")
            for n, value in enumerate(facts.outgoing.sum(axis=0).tolist(), 1)
        ]
        more.append(Group(f"What adds up to {total}da", _largest(back, "backward")))
    return Ledger(
        told.address, _title(told.address), told.place, told.words, told.symbols, lines, tuple(more), told.code
    )


def _input(trace: Trace, told: Receipt, batch: bool) -> Ledger:
    values = trace.x[:, parts_of(told.address)[2] - 1]
    line = Line(f"{'mean ' if batch else ''}{told.name}", signed(float(values.mean())), "forward")
    return Ledger(told.address, _title(told.address), told.place, told.words, "", (line,), (), ())


def _largest(terms: list[tuple[str, float, str]], role: str, most: int = SHOWN + 2) -> tuple[Line, ...]:
    """All terms if they are at most `most`, else the largest and the sum of the rest."""
    order = sorted(terms, key=lambda term: -abs(term[1])) if len(terms) > most else terms
    shown = order if len(terms) <= most else order[:SHOWN]
    lines = [Line(label, signed(value), role, select) for label, value, select in shown]
    if len(shown) < len(order):
        rest: Floats = np.array([value for _, value, _ in order[SHOWN:]])
        lines.append(Line(f"the other {len(rest)} together", signed(float(rest.sum())), role))
    return tuple(lines)
