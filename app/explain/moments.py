"""A moment of the walkthrough as a value: one fact in words, symbols, numbers and code, and what it lights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from markupsafe import Markup

from app.words.digits import Term, Terms
from app.words.formulas import Formula, latex, mathml
from app.words.segments import Segments
from app.words.sentences import Sentence, said
from engine import Quantity
from engine.arrays import Floats

Phase = Literal["forward", "loss", "backward", "update", "again"]
Grain = Literal["operation", "unit", "layer", "pass"]
GRAINS: tuple[Grain, ...] = ("operation", "unit", "layer", "pass")


@dataclass(frozen=True)
class Told:
    """What is told of a step. `total` sets out a sum in it; `layers` are names in its formulas for layers that stand
    for any."""

    sentences: tuple[Sentence, ...]
    formulas: tuple[Formula, ...]
    numbers: Segments
    total: Terms | None = field(default=None, kw_only=True)
    layers: Mapping[int, str] = field(default_factory=dict, kw_only=True)

    @cached_property
    def words(self) -> Segments:
        """Its sentences in words."""
        return said(*self.sentences)

    @property
    def symbols(self) -> str:
        """Its formulas as LaTeX."""
        return latex(*self.formulas, layers=self.layers)

    def mathml(self) -> list[Markup]:
        """Its formulas as native MathML."""
        return mathml(*self.formulas, layers=self.layers)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The largest of what `total` adds up."""
        return self.total.terms if self.total else ()

    @property
    def rest(self) -> float:
        """The sum of what is not among the largest."""
        return self.total.rest if self.total else 0.0

    @property
    def left_out(self) -> int:
        """How many these are."""
        return self.total.left_out if self.total else 0


@dataclass(frozen=True)
class Face(Told):
    """What a moment tells. `line_of` names the quantities whose line of the program it is, the first that has one;
    `values` are numbers of the trace itself, arrays its own views."""

    line_of: tuple[str, ...]
    values: Mapping[str, float | Floats]


@dataclass(frozen=True, kw_only=True)
class Moment(Face):
    """One fact of one step in words, symbols (LaTeX), numbers and code; `values` are the trace's own numbers.

    `layer` counts from 1, 0 is the inputs; `units` are the units it speaks of, () for whole layers. `targets` are the
    quantities it computes by address: "z2.1", "a2.1", "p2.1.3" (a product w × a), "s2.1" (their sum), "loss",
    "penalty", "da2.1", "dz2.1", "q2.1.3" (w × dz, on its way back), "dW2.1.3", "db2.1", in the update "W2.1.3",
    "b2.1", and at the end "loss_next"; a shorter index stands for all that begin so: "dW2.1" for the weights into that
    unit, "a2" for a layer. `focus` is whose receipt it belongs to, `nodes` and `links` are what it lights in the
    diagram. `terms` are the largest of the products it adds up, `rest` sums the `left_out` others. With mathml=true
    `mathml` has the symbols' equations as the page shows them, else null.
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
    code: str

    @property
    def direction(self) -> Literal["forward", "backward"] | None:
        """Which way what it tells is going."""
        return "forward" if self.phase == "forward" else "backward" if self.phase == "backward" else None
