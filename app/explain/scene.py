"""What the writers of moments share: one trace with its names, and the few ways in which its numbers are set out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.explain.moments import Role, Segment, Segments, Term, by_sign, say, times
from app.words.maths import forward, symbol
from app.words.names import layer_name
from app.words.numbers import MINUS, signed, unsigned
from engine import FEATURES, LayerTrace, Trace
from engine.arrays import Floats, Ints
from engine.equations import Equations

SHOWN = 4  # terms of a long sum that are written out
EXAMPLES = 3  # examples of a batch that are written out
UNITS = 4  # units of a layer that are written out


@dataclass(frozen=True)
class Face:
    """A moment's four faces; `code` names the quantities whose line of the program it is, the first that has one."""

    words: Segments
    symbols: str
    numbers: Segments
    code: tuple[str, ...]
    values: dict[str, float | Floats]
    total: "Sum | None" = None


@dataclass(frozen=True)
class Sum:
    """A sum set out: its largest terms in their own order, the sum of the others, and how many they are."""

    terms: tuple[Term, ...]
    rest: float
    left_out: int

    def segments(self, role: Role, factors: tuple[Role, Role] = ("plain", "plain")) -> Iterable[Segment]:
        """Term after term, each with its sign, and what is left out in one; a single term as its two factors."""
        if len(self.terms) == 1 and not self.left_out:
            term = self.terms[0]
            yield from (_signed(term.left, factors[0]), Segment(" × "), times(_signed(term.right, factors[1])))
            return
        for place, term in enumerate(self.terms):
            yield plus(term.value, role) if place else Segment(signed(term.value), role)
        if self.left_out:
            yield plus(self.rest, role)
            yield Segment(f" (the other {self.left_out})")


def _signed(value: float, role: Role) -> Segment:
    return by_sign(value) if role == "positive" else Segment(signed(value), role)


def plus(value: float, role: Role) -> Segment:
    """A number added to what stands before it: " + 0.2200", " − 0.1000"."""
    sign = MINUS if value < 0 else "+"
    return Segment(f" {sign} {unsigned(abs(value))}", role)


def largest(values: Floats, shown: int) -> Ints:
    """Where the `shown` largest values stand, in their own order; all, if only one more would be left out."""
    if len(values) <= shown + 1:  # to name one "other" takes no less room than the value itself
        return np.arange(len(values))
    return np.sort(np.argsort(-np.abs(values), kind="stable")[:shown])


def sum_of(left: Floats, right: Floats, labels: Sequence[str], shown: int = SHOWN) -> Sum:
    """The products left × right, (n,) each, with their largest `shown` written out."""
    products = left * right
    chosen = largest(products, shown)
    terms = tuple(Term(labels[i], float(left[i]), float(right[i]), float(products[i])) for i in chosen)
    others = np.delete(products, chosen)
    return Sum(terms, float(others.sum()), len(others))


@dataclass(frozen=True)
class Scene:
    """A trace and the names of what is in it. Layers count from 1, 0 is the inputs; units count from 1."""

    trace: Trace

    @cached_property
    def equations(self) -> Equations:
        """The equations of the step."""
        return Equations.of(self.trace)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Units per layer, the inputs first."""
        return self.trace.spec.network.sizes

    @property
    def last(self) -> int:
        """The output layer."""
        return len(self.trace.layers)

    @property
    def count(self) -> int:
        """Examples in the trace."""
        return len(self.trace.examples)

    def layer(self, k: int) -> LayerTrace:
        """Layer k, from 1."""
        return self.trace.layers[k - 1]

    def below(self, k: int) -> Floats:
        """What layer k receives: (examples, inputs)."""
        return self.trace.inputs_of(k - 1)

    def layer_name(self, k: int) -> str:
        """hidden 1, …, the output layer."""
        return "the output layer" if k == self.last else layer_name(k, self.last)

    def unit(self, k: int, j: int) -> str:
        """What people call a unit: x₂, hidden 1, unit 3, or the output."""
        if k == 0:
            names = self.trace.spec.features
            return FEATURES[names[j - 1]].title if names else f"input {j}"
        if self.sizes[k] == 1:
            return "the output" if k == self.last else f"{self.layer_name(k)}'s only unit"
        return f"{layer_name(k, self.last)}, unit {j}"

    @property
    def wanted(self) -> int | None:
        """The output, from 1, that should be the only high one for the first example; None if it is not so."""
        y = self.trace.y[0]
        alone = self.trace.spec.task == "multiclass" and np.count_nonzero(y == y.max()) == 1
        return int(y.argmax()) + 1 if alone else None

    @property
    def wanted_name(self) -> str:
        """Output, unit 3 (class 2): classes count from 0."""
        return f"Output, unit {self.wanted} (class {(self.wanted or 1) - 1})"

    def told_da(self, j: int) -> bool:
        """Whether output j's dL/da is a number: next to 0 or 1 it may be beyond any, where its delta is not."""
        output = self.layer(self.last)
        return bool((np.isfinite(output.da[:, j - 1]) | ~np.isfinite(output.dz[:, j - 1])).all())

    @property
    def first(self) -> str:
        """Says in a batch that what follows is its first example's."""
        return "" if self.count == 1 else f"example {self.trace.examples[0]}: "

    def then(self, values: Floats, role: Role) -> Segments:
        """In a batch, everybody's numbers after those of the first example."""
        return () if self.count == 1 else say("; all: ", *self.each(values, role))

    def each(self, values: Floats, role: Role) -> Segments:
        """One number per example: itself for one example; the first few of a batch, and that there are more."""
        return several((say(Segment(signed(value), role)) for value in values[:EXAMPLES].tolist()), len(values))


def sources(scene: Scene, k: int) -> list[str]:
    """The names of what layer k receives, short: x₁ or unit 3."""
    if k == 1:
        return [scene.unit(0, i) for i in range(1, scene.sizes[0] + 1)]
    return [f"unit {i}" for i in range(1, scene.sizes[k - 1] + 1)]


def activation_symbol(k: int, j: int = 0) -> str:
    """LaTeX of a unit's activation, an input's being x."""
    if k == 0:
        return forward(f"x_{{{j}}}" if j else "x")
    return forward(symbol("a", k, j))


def several(pieces: Iterable[Segments], total: int, between: str = ", ") -> Segments:
    """A few lists of segments in one, and that there are more."""
    row: list[str | Segment] = []
    shown = 0
    for piece in pieces:
        row += [between if shown else "", *piece]
        shown += 1
    if shown < total:
        row.append(f"{between}… ({total})")
    return say(*row)


def capital(text: str) -> str:
    """A sentence's beginning; x₁ stays small."""
    return text if text[:1] == "x" else text[:1].upper() + text[1:]


def lower(title: str) -> str:
    """A title inside a sentence: tanh, squared error, but ReLU."""
    return title if title[1:2].isupper() or title[-1:].isupper() else title[:1].lower() + title[1:]


def ways(changes: Floats) -> str:
    """How many go up, how many down, and how many stay."""
    up, down, still = int((changes > 0).sum()), int((changes < 0).sum()), int((changes == 0).sum())
    told = [(up, "goes up", "go up"), (down, "goes down", "go down"), (still, "stays", "stay")]
    return ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in told if number)


def count(number: int, what: str) -> str:
    """ "3 links", "only link"."""
    return f"only {what}" if number == 1 else f"{number} {what}s"
