"""Trace a path: every way from the loss to the selected parameter, its factors numbered as they are in the diagram."""

from collections.abc import Collection
from dataclasses import dataclass

from markupsafe import Markup

from app.draw.drawing import given_by
from app.page.links import View
from app.words.formulas import Role, role_of, symbol
from app.words.numbers import signed, unsigned
from app.words.segments import Segments
from app.words.sentences import said, sentence
from engine import Quantity, RunState, Trace, trace
from engine.paths import Factor, Paths, Way, paths
from engine.probed import Nudge
from engine.probes import nudge
from engine.quantity import unit


@dataclass(frozen=True)
class Mark:
    """One factor: its number, symbol, value and colour, and the id of what is drawn of it."""

    number: int
    symbol: Markup
    value: str
    role: Role
    id: str


@dataclass(frozen=True)
class WayRow:
    """One way: its factors, their product, and everything that it lights."""

    marks: tuple[Mark, ...]
    product: str
    lights: str


@dataclass(frozen=True)
class Ways:
    """The ways to a parameter, and beside their sum what a nudge of it finds."""

    found: Paths
    nudged: Nudge
    rows: tuple[WayRow, ...]

    @property
    def words(self) -> Segments:
        """What the ways are, and past 16 of them why going backwards is cheap."""
        found = self.found
        if len(found.ways) == found.count:
            return said(sentence("ways", count=found.count, address=found.address))
        product = found.ways[0].product
        told = {"count": f"{found.count:,}", "links": f"{found.links:,}", "address": found.address}
        return said(sentence("too many ways", **told, product=product))

    @property
    def all(self) -> bool:
        """Whether every way is written out."""
        return len(self.found.ways) == self.found.count

    @property
    def gradient(self) -> str:
        """What they add up to."""
        return signed(self.found.gradient)

    def is_known(self, known: Collection[Quantity] | None) -> bool:
        """Whether a walkthrough has computed the gradient."""
        of = Quantity.parse(self.found.address)
        return known is None or of.like(f"d{of.kind}").is_in(known)


def has_ways(state: RunState, view: View) -> bool:
    """Whether a view has a parameter selected, on one example."""
    of = Quantity.parse(view.select) if view.select else Quantity("")
    network = state.spec.network
    alone = view.example is not None and not network.mixes_examples and not network.has_images
    return alone and of.is_parameter and network.has(of)


def ways_to(state: RunState, view: View) -> Ways:
    """The ways to what a view has selected."""
    step, address = trace(state, view.example), view.select or ""
    found = paths(step, address)
    rows = tuple(_row(step, way, Quantity.parse(address)) for way in found.ways)
    return Ways(found, nudge(state, address, example=view.example), rows)


def _row(step: Trace, way: Way, of: Quantity) -> WayRow:
    marks = tuple(_mark(n, factor) for n, factor in enumerate(way.factors, 1))
    ends = (given_by(step, factor.of.layer, factor.of.unit).svg_id for factor in way.factors if factor.of.layer)
    lights = dict.fromkeys((of.svg_id, *(mark.id for mark in marks), *ends))
    return WayRow(marks, signed(way.product), " ".join(lights))


def _mark(number: int, factor: Factor) -> Mark:
    of = factor.of
    drawn = of if of.kind == "W" else unit(of.layer, of.unit)
    role: Role = ("negative" if factor.value < 0 else "positive") if of.kind == "W" else role_of(of.kind)
    unchanged = of.kind == "o" and factor.value == 1.0
    named = of.like("x") if of.layer == 0 else of
    value = unsigned(factor.value) if unchanged else signed(factor.value)
    return Mark(number, symbol(named), value, role, f"arc-{of.layer}-{of.unit}" if unchanged else drawn.svg_id)
