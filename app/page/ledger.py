"""A receipt as lines for people: where the next value of a parameter comes from, or how a unit came to its numbers.

Words, symbols and code are those of `app.explain.receipts`, which scripts are told too; here its numbers are set out
below each other, each line a way further back.
"""

from dataclasses import dataclass

import numpy as np

from app.explain.faces_update import PART_NAMES
from app.explain.moments import Segments
from app.explain.receipts import Receipt, is_known, receipt
from app.explain.scene import Scene
from app.words.maths import mathml, symbol
from app.words.numbers import NONE, UNKNOWN, given, short, signed
from engine import Quantity, Spec, Trace
from engine.arrays import Floats
from engine.penalties import PENALTIES
from engine.quantity import bias, unit, weight
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


@dataclass(frozen=True)
class Teller:
    """Numbers as they are told: "?" for what a walkthrough has yet to compute, all if `known` is None."""

    known: frozenset[Quantity] | None

    def __call__(self, value: float, *quantities: Quantity) -> str:
        """A number that is told once one of these quantities is computed; at any time, if there are none."""
        return signed(value) if not quantities or self.knows(*quantities) else UNKNOWN

    def knows(self, *quantities: Quantity) -> bool:
        """Whether one of these is computed."""
        return is_known(self.known, *quantities)


@dataclass(frozen=True)
class Term:
    """One term of a sum, where a click on it leads, and whether it is computed."""

    label: str
    value: float
    select: str
    known: bool


def ledger(trace: Trace, address: str, batch: bool, known: frozenset[Quantity] | None = None) -> Ledger:
    """The receipt of an address in this trace, as far as `known` goes (None: all). SpecError for no address."""
    told, scene, tell = receipt(trace, address, known), Scene(trace), Teller(known)
    if isinstance(told.facts, ParameterReceipt):
        return _parameter(scene, told, told.facts, batch, tell)
    if isinstance(told.facts, UnitReceipt):
        return _unit(scene, told, told.facts, batch, tell)
    return _input(trace, told, batch)


def _title(address: str) -> str:
    of = Quantity.parse(address)
    return str(mathml(symbol(of.kind, of.layer, of.unit, of.source) if of.layer else rf"x_{{{of.unit}}}"))


def _parameter(scene: Scene, told: Receipt, facts: ParameterReceipt, batch: bool, tell: Teller) -> Ledger:
    spec, is_weight, own = scene.trace.spec, facts.source > 0, Quantity.parse(facts.address)
    factors = "δ × a" if is_weight else "δ"
    lines = [Line("now", tell(facts.now))]
    lines.append(
        Line(f"gradient, {'Σ ' if batch else ''}{factors}", tell(facts.gradient, own.like(f"d{own.kind}")), "backward")
    )
    if spec.penalized:
        adds = f"{PENALTIES[spec.regularization].title} adds"
        lines.append(Line(adds, tell(facts.penalty_gradient, own.like("dR"), own), "backward"))
    if facts.frozen:
        lines.append(Line("frozen: no step", "0", "update"))
    else:
        lines += [Line(_step_label(part.name, facts, spec), tell(part.value, own), "update") for part in facts.parts]
    lines.append(Line("next", tell(facts.next, own), total=True))
    more = Group("Where the gradient comes from", _factors(scene, facts, batch, tell))
    return Ledger(
        facts.address, _title(facts.address), told.place, told.words, told.symbols, tuple(lines), (more,), told.code,
        given(round(facts.now, 6)), facts.frozen, True,
    )  # fmt: skip


def _step_label(name: str, facts: ParameterReceipt, spec: Spec) -> str:
    if spec.optimizer == "sgd":
        factor = "gradient" if name == "gradient" else f"what {PENALTIES[spec.regularization].title} adds"
        return f"− rate {short(facts.learning_rate)} × {factor}"
    return f"by {PART_NAMES[name]}"


def _factors(scene: Scene, facts: ParameterReceipt, batch: bool, tell: Teller) -> tuple[Line, ...]:
    """The two factors, each a click further back; for the batch also their products, the largest first."""
    k, j, i = facts.layer, facts.unit, facts.source
    of, mean = ("Σ δ" if batch else "δ", "mean a" if batch else "a")
    own = Quantity.parse(facts.address)
    delta_of, a_of = own.of("dz", j), unit(k - 1, i)
    deltas = tell(float(facts.deltas.sum()), delta_of)
    back = [Line(f"{of} of {scene.unit(k, j)}", deltas, "backward", str(unit(k, j)))]
    if i:
        carried = tell(float(facts.carried.mean()), a_of)
        back.append(Line(f"{mean} of {scene.unit(k - 1, i)}", carried, "forward", str(a_of)))
    if not batch:
        return tuple(back)
    known = tell.knows(own.like(f"d{own.kind}"))
    products = [
        Term(f"example {n}: {tell(delta, delta_of)}" + (f" × {tell(a, a_of)}" if i else ""), delta * a, "", known)
        for n, delta, a in zip(facts.examples.tolist(), facts.deltas.tolist(), facts.carried.tolist(), strict=True)
    ]
    return (*_largest(products, "backward", SHOWN), *back)


def _unit(scene: Scene, told: Receipt, facts: UnitReceipt, batch: bool, tell: Teller) -> Ledger:
    k, j = facts.layer, facts.unit
    here = unit(k, j)
    mean, total = ("mean ", "sum of ") if batch else ("", "")
    activation = scene.layer(k).activation
    slope = "its Jacobian" if activation == "softmax" else "f′(z)"
    da = tell(float(facts.da.sum()), here.like("da"))
    if facts.outgoing is None and not scene.told_da(j) and da != UNKNOWN:
        da = NONE
    lines = (
        Line(f"{mean}z = Σ w × a + b", tell(float(facts.z.mean()), here.like("z")), "forward"),
        Line(f"{mean}a = {activation.replace('_', ' ')}(z)", tell(float(facts.a.mean()), here), "forward"),
        Line(f"{total}da = dL/da", da, "backward"),
        Line(f"{total}δ = da × {slope}", tell(float(facts.dz.sum()), here.like("dz")), "backward"),
    )
    into = [
        Term(f"w × a from {scene.unit(k - 1, i)}", value, str(weight(k, j, i)), tell.knows(product, here.like("z")))
        for i, value in enumerate(facts.incoming.mean(axis=0).tolist(), 1)
        for product in (here.of("p", j, i),)
    ]
    its_bias = Line("bias", tell(facts.bias), "forward", str(bias(k, j)))
    more = [Group(f"What adds up to {mean}z", (*_largest(into, "forward"), its_bias))]
    if facts.outgoing is not None:
        back = [
            Term(f"w × δ of {scene.unit(k + 1, n)}", value, str(unit(k + 1, n)), tell.knows(product, here.like("da")))
            for n, value in enumerate(facts.outgoing.sum(axis=0).tolist(), 1)
            for product in (Quantity("q", k + 1, (n, j)),)
        ]
        more.append(Group(f"What adds up to {total}da", _largest(back, "backward")))
    return Ledger(
        told.address, _title(told.address), told.place, told.words, told.symbols, lines, tuple(more), told.code
    )


def _input(trace: Trace, told: Receipt, batch: bool) -> Ledger:
    values = trace.x[:, Quantity.parse(told.address).unit - 1]
    line = Line(f"{'mean ' if batch else ''}{told.name}", signed(float(values.mean())), "forward")
    return Ledger(told.address, _title(told.address), told.place, told.words, "", (line,), (), ())


def _largest(terms: list[Term], role: str, most: int = SHOWN + 2) -> tuple[Line, ...]:
    """All terms if they are at most `most`, else the largest and the sum of the rest; an order of terms that are not
    all known tells nothing."""
    known = all(term.known for term in terms)
    order = sorted(terms, key=lambda term: -abs(term.value)) if known and len(terms) > most else terms
    shown = order if len(terms) <= most else order[:SHOWN]
    lines = [Line(t.label, signed(t.value) if t.known else UNKNOWN, role, t.select) for t in shown]
    if len(shown) < len(order):
        rest: Floats = np.array([term.value for term in order[SHOWN:]])
        together = signed(float(rest.sum())) if known else UNKNOWN
        lines.append(Line(f"the other {len(rest)} together", together, role))
    return tuple(lines)
