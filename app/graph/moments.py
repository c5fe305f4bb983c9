"""The two passes of a formula's graph, moment by moment: words, equation, numbers, code, of one tree."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from app.words.columns import Cells, Columns, Flat
from app.words.formulas import LATEX
from app.words.graph import Named, Text, plain_name
from app.words.numbers import label, short
from app.words.segments import Segments
from app.words.sentences import Sentence, said, sentence
from engine import Graph, Quantity
from engine.equation import Equation, Number
from engine.graph import Beat, Edge, Grain

TIES = ("max", "min", "relu", "abs")


@dataclass(frozen=True)
class PassMoment:
    """One moment of a graph's walk."""

    graph: Graph
    beat: Beat
    index: int

    @cached_property
    def equation(self) -> Equation:
        """What it computes, from what."""
        return self.graph.equation(self.beat)

    @property
    def target(self) -> Quantity:
        """What it computes."""
        return self.equation.target

    @cached_property
    def cells(self) -> Cells:
        """Its equation in columns."""
        with np.errstate(all="ignore"):
            made = Columns(self._look, Named(Flat(), {}, self.graph), lambda of: self.graph.spelled(of))
            return made.cells(self.equation)

    def _look(self, of: Quantity, at: Any = None) -> Any:
        if self.beat.edge and of == self.target:
            return np.float64(self.graph.back(self.beat.edge))
        return self.graph.look(of)

    @property
    def symbols(self) -> str:
        """Its equation as LaTeX."""
        return Named(LATEX, {}, self.graph).formula(self.equation)[0]

    @property
    def numbers(self) -> str:
        """Its equation with the numbers put in."""
        return " ".join(cell.number for cell in self.cells)

    @property
    def code(self) -> str:
        """Its line of the program."""
        return self.graph.line(self.beat)

    @property
    def words(self) -> Segments:
        """What happens."""
        return said(*self.sentences)

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The same as values."""
        of, place = self.graph, self.beat.vertex
        name, output = (plain_name(of.vertices[n].name) for n in (place, of.output))
        if self.beat.phase == "forward":
            return (sentence("graph forward", name=name, data=of.data[place]),)
        wish = sentence("graph wish", name=name, output=output, gradient=of.grad[place])
        if place == of.output:
            return (sentence("graph start", name=name),)
        ways = [self.beat.edge] if self.beat.edge else list(of.ways[place])
        if not ways:
            return (sentence("graph none", name=name, output=output),)
        if len(ways) > 1:
            return (sentence("graph ways", name=name, count=len(ways)), wish)
        told = _way(of, ways[0], name)
        tie = (sentence("graph tie"),) if of.vertices[ways[0].target].kind in TIES else ()
        return (told, *tie, *(() if self.beat.edge and len(of.ways[place]) > 1 else (wish,)))


def _way(of: Graph, edge: Edge, name: str) -> Sentence:
    target = plain_name(of.vertices[edge.target].name)
    return sentence(
        "graph way", target=target, name=name, comes=of.grad[edge.target], slope=of.slopes[edge], back=of.back(edge)
    )


def moments(of: Graph, grain: Grain = "node") -> tuple[PassMoment, ...]:
    """All of them, in order."""
    return tuple(PassMoment(of, beat, index) for index, beat in enumerate(of.beats(grain)))


def slope_text(of: Graph, edge: Edge) -> tuple[str, str]:
    """An edge's local slope for the drawing: its formula, where it is a short one, and its number."""
    made = of.slope(edge)
    if isinstance(made, Number):
        return "", short(made.value)
    told = Named(Text(), {}, of).tree(made)
    return told if len(told) <= 6 else "", label(of.slopes[edge])
