"""Equations with their numbers put in: "+0.5000 × (−0.3000) = −0.1500".

What stands there closes by a pocket calculator: the value of the text is the number behind its = sign, within the
digits that are shown. Long sums are told by their largest terms and the sum of the others.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.words.formulas import COUNTS, Role, role_of
from app.words.names import LETTERS, spelled
from app.words.numbers import MINUS, short, signed, target, unsigned
from app.words.segments import Segment, Segments, bracketed, by_sign, plus, say
from app.words.texts import text
from engine import Quantity
from engine.arrays import Floats, Ints
from engine.equation import (
    Apply,
    Equation,
    Look,
    Number,
    Over,
    Product,
    Ref,
    Sum,
    Tree,
    mapped,
    quantities,
    solved,
    value,
)
from engine.wording import Words

SHOWN = 4  # terms of a long sum that are written out
Label = Callable[[str, int], str]  # of a letter's value: "unit 3"


@dataclass(frozen=True)
class Term:
    """One product of a sum; `label` says which, such as "unit 3" or "example 8"."""

    label: str
    left: float
    right: float
    value: float


@dataclass(frozen=True)
class Terms:
    """A sum set out: its largest terms in their own order, the sum of the others, and how many they are."""

    terms: tuple[Term, ...]
    rest: float
    left_out: int


def largest(values: Floats, shown: int) -> Ints:
    """Where the `shown` largest values stand, in their own order; all, if only one more would be left out."""
    if len(values) <= shown + 1:  # to name one "other" takes no less room than the value itself
        return np.arange(len(values))
    return np.sort(np.argsort(-np.abs(values), kind="stable")[:shown])


def terms_of(of: Tree, look: Look, label: Label) -> Terms | None:
    """The terms of the first sum over a letter in a tree, where these are products of two; else None."""
    over = next(_overs(of), None)
    if over is None or not isinstance(over.body, Product) or len(over.body.factors) != 2 or over.body.over:
        return None
    left, right = (np.broadcast_to(each, len(over.values)) for each in _values(over.body.factors, over, look))
    products = left * right
    chosen = largest(products, SHOWN)
    rest = np.delete(products, chosen)
    each = ((label(over.letter, over.values[n]), float(left[n]), float(right[n]), float(products[n])) for n in chosen)
    return Terms(tuple(Term(*term) for term in each), float(rest.sum()), len(rest))


def _overs(of: Tree) -> Iterator[Over]:
    if isinstance(of, Over):
        yield of
    for part in of.terms if isinstance(of, Sum) else ():
        yield from _overs(part)


def _values(trees: Sequence[Tree], over: Over, look: Look) -> list[Any]:
    return [value(each, look, {over.letter: np.array(over.values)}) for each in trees]


def digits(of: Equation, look: Look) -> Segments:
    """The equation's named parts, then its tree with its numbers put in, each with what it comes to."""
    found: list[Segment] = []
    known = {part.target: solved(replace(part, where=of.where), look) for part in of.where}

    def find(quantity: Quantity, at: Any = None) -> Any:
        return known[quantity] if quantity in known else look(quantity, at)

    writer = Digits(find)
    for part in reversed(of.where):
        face = writer.equation(part)
        shown = face[:1] if isinstance(face[0], Segment) and len(face) == 3 and not face[0].part else face
        if not isinstance(part.tree, Number):
            found += [Segment(f"{named(part.target.kind)} = "), *shown, Segment("; ")]
    return (*found, *(say(f"{named(of.target.kind)} = ") if found else ()), *writer.equation(of))


NAMES: dict[str, Words] = {kind: kind for kind in "zant"} | {
    **LETTERS, "s": "sum", "dz_own": "δ over x̂", "dz_mean": "δ over μ", "dz_spread": "δ over σ", "gW": "g",
    "dR": "∂R/∂W",
}  # fmt: skip


def named(kind: str) -> str:
    """What a kind of quantity is called beside its numbers."""
    return text(NAMES[kind]) if kind in NAMES else spelled(kind)


_LOOSE, _TIGHT = 0, 1


@dataclass(frozen=True)
class Digits:
    """Writes trees with the numbers that `look` finds."""

    look: Look

    def equation(self, of: Equation) -> Segments:
        """Tree = number."""
        result = self._of(of.target, float(self.look(of.target, {})))
        text = tuple(self.tree(of.tree))
        return text if text == (result,) else (*text, Segment(" = "), result)

    def tree(self, of: Tree, after: str = "start", tight: bool = False) -> Iterator[Segment]:
        """The pieces of a tree. `after` says what stands before it: nothing, a "plus" that it brings itself, or
        "times"; `tight` puts it in brackets unless it is one number or product."""
        match of:
            case Number(number):
                yield self._placed(Segment(short(number)), number, after)
            case Ref(quantity):
                number = float(self.look(quantity, {}))
                yield self._placed(self._of(quantity, number), number, after)
            case Sum(terms):
                yield from self._within(self._sum(terms), after, tight or after in ("times", "minus"))
            case Product(factors, over):
                yield from self._product(factors, over, after)
            case Over():
                yield from self._over(of, after, tight)
            case Apply(function, arguments):
                if function != "choose":
                    yield from self._lead(after)
                yield from self._apply(function, arguments, after)

    def _placed(self, segment: Segment, number: float, after: str) -> Segment:
        if after == "times":
            return bracketed(segment)
        if after == "minus":
            return replace(bracketed(segment), text=bracketed(segment).text.lstrip("+"))
        if after != "plus":
            return segment
        text = segment.text.lstrip("+" + MINUS)
        return replace(segment, text=f" {MINUS if number < 0 else '+'} {text}")

    def _of(self, of: Quantity, number: float) -> Segment:
        part = str(of) if of.layer or of.index else ""
        if of.kind in ("W", "b", "gamma", "beta", "v_W", "m_W"):
            return by_sign(number, part)
        if of.kind == "y":
            return Segment(target(number).lstrip("+"), "plain", "")
        role: Role = role_of(of.kind)
        if of.kind in ("loss", "penalty"):
            return Segment(unsigned(number), role, part)
        return Segment(signed(number) if part or role != "plain" else short(number), role, part)

    @staticmethod
    def _lead(after: str) -> Iterator[Segment]:
        if after == "plus":
            yield Segment(" + ")

    def _within(self, inner: Iterator[Segment], after: str, brackets: bool) -> Iterator[Segment]:
        if not brackets:
            yield from inner
            return
        yield from self._lead(after)
        yield Segment("(")
        yield from inner
        yield Segment(")")

    def _sum(self, terms: Sequence[Tree]) -> Iterator[Segment]:
        for n, term in enumerate(terms):
            yield from self.tree(term, "plus" if n else "start")

    def _product(self, factors: tuple[Tree, ...], over: tuple[Tree, ...], after: str) -> Iterator[Segment]:
        left = list(factors)
        if left[0] == Number(-1.0):
            yield Segment(f" {MINUS} " if after == "plus" else MINUS)
            left, after = left[1:], "minus"
        below = [each for each in over if not self._is_one(each)]
        for n, factor in enumerate(left):
            if n:
                yield Segment(" × ")
            yield from self.tree(factor, "times" if n else after, tight=len(left) > 1 or bool(below))
        for each in below:
            yield Segment(" / ")
            yield from self.tree(each, "times", tight=True)

    def _is_one(self, of: Tree) -> bool:
        """Whether it is a count that changes nothing: one example, or one output."""
        return isinstance(of, Ref) and of.quantity.kind in COUNTS and bool(self.look(of.quantity, {}) == 1)

    def _over(self, of: Over, after: str, tight: bool) -> Iterator[Segment]:
        letters, body = [of], of.body
        while isinstance(body, Over):
            letters, body = [*letters, body], body.body
        places = np.meshgrid(*(each.values for each in letters), indexing="ij")
        at = {each.letter: place.ravel() for each, place in zip(letters, places, strict=True)}
        if places[0].size == 1 and of.how == "sum":
            bound = {letter: int(place[0]) for letter, place in at.items()}
            inner = mapped(body, lambda quantity: quantity.bind(bound))
            yield from self.tree(inner, after, tight)
            return
        values = np.broadcast_to(np.asarray(value(body, self.look, at), float), places[0].size)
        role: Role = _role(body)
        yield from self._within(self._terms(values, role), after, tight or after != "start")

    def _terms(self, values: Floats, role: Role) -> Iterator[Segment]:
        chosen = largest(values, SHOWN)
        for n, number in enumerate(values[chosen].tolist()):
            yield plus(number, role) if n else Segment(signed(number), role)
        others = np.delete(values, chosen)
        if len(others):
            yield plus(float(others.sum()), role)
            yield Segment(text(" (the other {count})", count=len(others)))

    def _apply(self, function: str, arguments: Sequence[Tree], after: str) -> Iterator[Segment]:
        if function == "choose":
            left, right, yes, no = arguments
            chosen = yes if value(left, self.look) > value(right, self.look) else no
            yield from self.tree(chosen, after, tight=after != "start")
            return
        opening, closing = _TEXTS[function]
        yield Segment(opening)
        for n, argument in enumerate(arguments):
            if n:
                yield Segment("" if function == "power" else ", ")
            if function == "power" and n:
                yield Segment("^")
            yield from self.tree(argument, tight=function == "power" and n > 0)
        yield Segment(closing)


def _role(of: Tree) -> Role:
    """The colour of a sum's terms: backward if something of the way back is in it."""
    roles = {role_of(quantity.kind) for quantity in quantities(of)}
    return "backward" if "backward" in roles else "forward" if "forward" in roles else "plain"


_TEXTS = {
    "exp": ("e^(", ")"),
    "expm1": ("(e^(", ") − 1)"),
    "ln": ("ln(", ")"),
    "tanh": ("tanh(", ")"),
    "sigmoid": ("σ(", ")"),
    "softplus": ("ln(1 + e^(", "))"),
    "sqrt": ("√(", ")"),
    "sin": ("sin(", ")"),
    "cos": ("cos(", ")"),
    "square": ("(", ")²"),
    "cube": ("(", ")³"),
    "abs": ("|", "|"),
    "sign": ("sign(", ")"),
    "max": ("max(", ")"),
    "min": ("min(", ")"),
    "power": ("", ""),
}
