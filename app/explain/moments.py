"""A moment of the walkthrough as a value: one fact in words, symbols, numbers and a line of code, and what it lights.

Text comes in segments, each with a role; a role is a colour, the same in the diagram, the formula and the code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from app.words.maths import mathml
from app.words.numbers import MINUS, signed
from engine import Quantity
from engine.arrays import Floats

Role = Literal["plain", "forward", "backward", "update", "positive", "negative"]
Phase = Literal["forward", "loss", "backward", "update"]
Grain = Literal["operation", "unit", "layer", "pass"]
GRAINS: tuple[Grain, ...] = ("operation", "unit", "layer", "pass")


@dataclass(frozen=True)
class Segment:
    """A piece of text in one role."""

    text: str
    role: Role = "plain"


Segments = tuple[Segment, ...]


@dataclass(frozen=True)
class Term:
    """One product of a sum; `label` says which, such as "unit 3" or "example 8"."""

    label: str
    left: float
    right: float
    value: float


@dataclass(frozen=True)
class Moment:
    """One fact of one step, in four ways that never disagree.

    `layer` counts from 1, 0 is the inputs; `units` are the units it speaks of, () for whole layers. `targets` are the
    quantities it computes: "z2.1", "a2.1", "p2.1.3" (a product w × a), "s2.1" (their sum), "loss", "penalty",
    "da2.1", "dz2.1", "q2.1.3" (w × dz, on its way back), "dW2.1.3", "db2.1", and in the update "W2.1.3", "b2.1"; a
    shorter index stands for all that begin so: "dW2.1" for the weights into that unit, "a2" for a layer. `focus` is
    the parameter or unit that a receipt would be about. `nodes` and `links` are the SVG ids it lights. `values` are
    numbers of the trace itself: arrays are its own views. `terms` are the largest of the products it adds up, `rest`
    the sum of the others, `left_out` how many they are.
    """

    index: int
    phase: Phase
    kind: str
    layer: int
    units: tuple[int, ...]
    targets: tuple[Quantity, ...]
    focus: str | None
    nodes: tuple[str, ...]
    links: tuple[str, ...]
    direction: Literal["forward", "backward"] | None
    words: Segments
    symbols: str
    numbers: Segments
    code_line: int
    values: dict[str, float | Floats]
    terms: tuple[Term, ...] = ()
    rest: float = 0.0
    left_out: int = 0

    def mathml(self) -> Markup:
        """The symbols as native MathML."""
        return mathml(self.symbols)


def text_of(segments: Iterable[Segment]) -> str:
    """Segments as plain text."""
    return "".join(segment.text for segment in segments)


def say(*pieces: str | Segment) -> Segments:
    """Segments from plain strings and segments; empty strings fall away."""
    return tuple(Segment(piece) if isinstance(piece, str) else piece for piece in pieces if piece)


def by_sign(value: float) -> Segment:
    """A parameter's number, in the colour of its sign."""
    return Segment(signed(value), "negative" if value < 0 else "positive")


def ahead(value: float | str) -> Segment:
    """A forward quantity."""
    return Segment(value if isinstance(value, str) else signed(value), "forward")


def back(value: float | str) -> Segment:
    """A backward quantity."""
    return Segment(value if isinstance(value, str) else signed(value), "backward")


def times(factor: Segment) -> Segment:
    """A factor after a × or a −: in brackets if it is negative."""
    return Segment(f"({factor.text})", factor.role) if factor.text.startswith(MINUS) else factor


def moved(value: float | str) -> Segment:
    """Something of the update."""
    return Segment(value if isinstance(value, str) else signed(value), "update")
