"""A moment of the walkthrough as a value: one fact in words, symbols, numbers and code, and what it lights."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from markupsafe import Markup

from app.explain.scene import Face
from app.words.digits import Term
from app.words.formulas import latex, mathml
from app.words.segments import Segments
from app.words.sentences import said
from engine import Quantity
from engine.arrays import Floats

Phase = Literal["forward", "loss", "backward", "update", "again"]
Grain = Literal["operation", "unit", "layer", "pass"]
GRAINS: tuple[Grain, ...] = ("operation", "unit", "layer", "pass")


@dataclass(frozen=True)
class Moment:
    """One fact of one step, in four ways that never disagree.

    `layer` counts from 1, 0 is the inputs; `units` are the units it speaks of, () for whole layers. `targets` are the
    quantities it computes: "z2.1", "a2.1", "p2.1.3" (a product w × a), "s2.1" (their sum), "loss", "penalty",
    "da2.1", "dz2.1", "q2.1.3" (w × dz, on its way back), "dW2.1.3", "db2.1", in the update "W2.1.3", "b2.1", and at
    the end "loss_next"; a shorter index stands for all that begin so: "dW2.1" for the weights into that unit, "a2" for
    a layer. `focus` is the parameter or unit that a receipt would be about. `nodes` and `links` are the SVG ids it
    lights.
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
    code_line: int
    face: Face

    @property
    def direction(self) -> Literal["forward", "backward"] | None:
        """Which way what it tells is going."""
        return "forward" if self.phase == "forward" else "backward" if self.phase == "backward" else None

    @cached_property
    def words(self) -> Segments:
        """Its sentences in words."""
        return said(*self.face.sentences)

    @property
    def numbers(self) -> Segments:
        """Its equations with the numbers put in."""
        return self.face.numbers

    @property
    def values(self) -> Mapping[str, float | Floats]:
        """Numbers of the trace itself: arrays are its own views."""
        return self.face.values

    @property
    def terms(self) -> tuple[Term, ...]:
        """The largest of the products that it adds up."""
        return self.face.total.terms if self.face.total else ()

    @property
    def rest(self) -> float:
        """The sum of the products that are not among the largest."""
        return self.face.total.rest if self.face.total else 0.0

    @property
    def left_out(self) -> int:
        """How many these are."""
        return self.face.total.left_out if self.face.total else 0

    @property
    def symbols(self) -> str:
        """Its formulas as LaTeX."""
        return latex(*self.face.formulas, layers=self.face.layers)

    def mathml(self) -> list[Markup]:
        """Its formulas as native MathML."""
        return mathml(*self.face.formulas, layers=self.face.layers)
