"""How what links carry adds up at their unit: chips of the largest, the stack with their sum, and what becomes of it.

At most eight products are told, else the largest four, and the others as one number. Of a batch the numbers are those
of the drawing: means on the way forward, sums on the way back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.draw.chips import MOST, OF_MANY, Chip, Chips, SumLine
from app.explain.scene import Known, Scene, behind_back, goes_back
from app.words.columns import REST, Cell, Columns
from app.words.names import name_of
from app.words.numbers import DIGITS
from app.words.sentences import in_words, lower
from engine import Quantity
from engine.arrays import Floats
from engine.equation import Equation, Sum, tree
from engine.quantity import weight


@dataclass(frozen=True)
class Stack:
    """What each of some links carries, and their sum below each other; `more` is added to it, `then` is what becomes of
    it."""

    scene: Scene
    ways: Sequence[Equation]
    names: Sequence[str]
    whole: Quantity
    more: Sequence[Quantity]
    then: Equation | None

    @property
    def chips(self) -> Chips:
        """With as many as may be told, and with few."""
        few = self._told(OF_MANY)
        return replace(self._told(MOST), fewer=few) if OF_MANY < len(self.ways) <= MOST else few

    def _told(self, most: int) -> Chips:
        ways, whole, then = self.ways, self.whole, self.then
        look = self.scene.drawn
        values = _values(self.scene, ways)
        chosen = _chosen(values, most)
        left_out = len(ways) - len(chosen)
        rest = [Quantity(REST, 0, (1, left_out))] if left_out else []
        columns = Columns(Known(look, dict.fromkeys(rest, float(np.delete(values, chosen).sum()))))
        terms = [*(ways[n].target for n in chosen), *rest, *self.more]
        digits = _digits_of(whole, columns.cells(then)) if then else DIGITS
        summed = Equation(whole, Sum(tuple(map(tree, terms))) if len(terms) > 1 else tree(terms[0]))
        total, _, *added = columns.cells(summed, digits)
        cells = [cell for cell in added if not cell.sign]
        notes = self._notes(cells, [self.names[n] for n in chosen] if self.names else [], left_out)
        lines = [SumLine(cell, note) for cell, note in zip(cells, notes, strict=True)]
        lines.append(SumLine(total, _total(whole, total), ruled=True))
        if then:
            lines += self._then(columns, then)
        each = zip(chosen, cells, strict=False)
        chips, at = [_chip(columns, ways[n], cell.digits) for n, cell in each], whole.like("a").at(None)
        return replace(_carrying(at, ways, values, chips), lines=tuple(lines))

    def _notes(self, cells: Sequence[Cell], names: Sequence[str], left_out: int) -> Iterator[str]:
        for n, cell in enumerate(cells):
            if not cell.part:
                yield _say("the others", count=left_out)
            elif n >= len(cells) - len(self.more):
                yield _say("by its bias" if cell.part.startswith("b") else "by a shortcut")
            else:
                yield names[n] if names else f"{_mark(cell)} {_say('asks', brought=_brought(cell))}".strip()

    def _then(self, columns: Columns, then: Equation) -> Iterator[SumLine]:
        """What becomes of a sum: times the slope; or through the activation."""
        back, function = self.whole.kind == "da", lower(self.scene.function(self.whole.layer))
        result = columns.cells(then)
        if back:
            yield SumLine(result[-1], _say("the slope", function=function), sign="×")
        made = name_of(Quantity(then.target.kind)) if back else f"a = {function}(z)"
        yield SumLine(result[0], made, ruled=back)


def _digits_of(of: Quantity, cells: Sequence[Cell]) -> int:
    """With how many digits a number stands in an equation."""
    return next((cell.digits for cell in cells[1:] if cell.part == str(of)), DIGITS)


def bare(of: Quantity) -> Equation:
    """What a link carries, whatever that is made of."""
    return Equation(of, tree(of))


def by_themselves(scene: Scene, at: Quantity, ways: Sequence[Equation], width: str = "") -> Chips:
    """What links carry that does not add up."""
    values, columns = _values(scene, ways), Columns(scene.drawn)
    return _carrying(at, ways, values, [_chip(columns, ways[n]) for n in _chosen(values)], width)


def _values(scene: Scene, ways: Sequence[Equation]) -> Floats:
    return np.array([float(scene.drawn(way.target)) for way in ways])


def _chosen(values: Floats, most: int = MOST) -> list[int]:
    """All, or where the four largest stand: to name one other takes no less room than the value itself."""
    if len(values) <= max(most, OF_MANY + 1):
        return list(range(len(values)))
    return sorted(np.argsort(-np.abs(values), kind="stable")[:OF_MANY].tolist())


def _carrying(at: Quantity, ways: Sequence[Equation], values: Floats, chips: Sequence[Chip], width: str = "") -> Chips:
    """Chips at a unit, and by the id of each link what it carries."""
    tone = "backward" if goes_back(ways[0].target.kind) else "forward"
    carried = {_link(way.target).svg_id: float(value) for way, value in zip(ways, values, strict=True)}
    return Chips(tone, at, tuple(chips), width=width_of(width or tone), carried=carried)


def _link(of: Quantity) -> Quantity:
    return weight(of.layer, of.unit, of.source)


def _chip(columns: Columns, way: Equation, shown: int = 4) -> Chip:
    """The product, and its factors if it is told of what it is made."""
    result, _, *factors = columns.cells(way, shown)
    return Chip(_link(way.target), result, tuple(factors) if len(factors) > 1 else (), _mark(result))


def _brought(cell: Cell) -> float:
    """What comes back, by whose sign it asks; 0 of what does not come back."""
    asks = cell.part.startswith(("q", "da", "dn", "dz")) or behind_back(cell.part.rstrip("0123456789."))
    return cell.value if asks else 0.0


def _mark(cell: Cell) -> str:
    """Which way it asks, as an arrow."""
    brought = _brought(cell)
    return "↑" if brought < 0 else "↓" if brought > 0 else ""


def _total(whole: Quantity, cell: Cell) -> str:
    if goes_back(whole.kind):
        return f"{_mark(cell)} {_say('together')}".strip()
    return "z" if whole.kind == "z" else _say("together")


def width_of(tone: str) -> str:
    """What the width of a link stands for meanwhile."""
    return _say(f"width {tone}")


def _say(message: str, **parts: Any) -> str:
    return in_words(f"chip {message}", **parts)
