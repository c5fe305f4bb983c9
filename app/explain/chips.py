"""What the lit links of a moment carry, and how it adds up at their unit: made of the moment's own equations.

At most eight products are told, else the largest four, and the others as one number. Of a batch the numbers are those
of the drawing: means on the way forward, sums on the way back.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from app.draw.chips import Chip, Chips, SumLine
from app.draw.drawing import LONGEST
from app.explain.moments import Moment
from app.explain.scene import Scene
from app.words.columns import REST, Cell, Columns
from app.words.names import name_of, shortened
from app.words.sentences import in_words, lower
from engine import Quantity
from engine.arrays import Floats
from engine.equation import Equation, Sum, Tree, mapped, tree
from engine.quantity import bias, weight

MOST, OF_MANY = 8, 4
BACKWARD = ("dz", "dn", "da", "dh", "q", "dW", "db")


@dataclass(frozen=True)
class BatchLook:
    """The scene's numbers, of a batch as the drawing has them; and the sum of what is not told."""

    scene: Scene
    rest: float = 0.0

    def __call__(self, of: Quantity, at: Any = None) -> Any:
        if of.kind == REST:
            return self.rest
        if of.example is None or self.scene.count == 1:
            return self.scene.look(of, at)
        each: Floats = self.scene.look(of.at("n"), self.scene.all)
        return each.sum() if of.kind in BACKWARD else each.mean()


@dataclass(frozen=True)
class LinkWay:
    """One link, what it carries, and of what that is made."""

    link: Quantity
    made: Equation


def chips_of(scene: Scene, moment: Moment) -> Chips | None:
    """The chips of a moment that adds up products; None for any other."""
    made = _KINDS.get(moment.kind)
    if made is None or not moment.units or scene.network.image(moment.layer):
        return None
    with np.errstate(all="ignore"):
        return made(scene, moment, moment.layer, moment.units[0])


def _forward(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    made = scene.equations
    ways = [LinkWay(weight(k, j, i), made.product(k, j, i, 0)) for i in range(1, scene.links(k) + 1)]
    source = scene.short_input if k == 1 else partial(scene.source, k)
    names = shortened(tuple(map(source, range(1, len(ways) + 1))), LONGEST)
    whole = Quantity("s" if moment.kind == "sum" else "z", k, (j,), 0)
    more = [] if moment.kind == "sum" else [bias(k, j)]
    then = made.a(k, j, 0) if moment.kind == "forward" and scene.count == 1 else None
    return Stack(scene, ways, names, whole, more, then).chips


def _back(scene: Scene, moment: Moment, k: int, j: int) -> Chips | None:
    network = scene.network
    whole, slope = Quantity(network.back_kind(k), k, (j,), 0), Quantity("slope", k, (j,), 0)
    dropped = k in network.dropouts
    if k == scene.last or (dropped and moment.kind == "da"):  # that is the sum through the mask
        return None
    if network.image(k + 1):
        return None
    together = moment.kind in ("delta", "came_back") and scene.count == 1 and not dropped
    then = Equation(whole.like(f"d{network.bent_kind(k)}"), tree(whole) * tree(slope)) if together else None
    made, above = scene.equations, range(1, scene.sizes[k + 1] + 1)
    ways = [LinkWay(weight(k + 1, to, j), made.product_back(k + 1, to, j, 0)) for to in above]
    arcs = [Quantity(network.joint_kind(to), to, (j,), 0) for to in network.arcs(k)]
    return Stack(scene, ways, [], whole, arcs, then).chips


@dataclass(frozen=True)
class Stack:
    """Products, and their sum below each other; `more` is added to it, `then` is what becomes of it."""

    scene: Scene
    ways: Sequence[LinkWay]
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
        look = BatchLook(self.scene)
        values: Floats = np.array([float(look(way.made.target)) for way in ways])
        chosen = _chosen(values, most)
        columns = Columns(replace(look, rest=float(np.delete(values, chosen).sum())))
        left_out = len(ways) - len(chosen)
        rest = [Quantity(REST, 0, (1, left_out))] if left_out else []
        terms = [*(ways[n].made.target for n in chosen), *rest, *self.more]
        digits = columns.digits(then) if then else 4
        summed = Equation(whole, Sum(tuple(map(tree, terms))) if len(terms) > 1 else tree(terms[0]))
        total, _, *added = columns.cells(summed, digits)
        shown = columns.digits(summed, digits) if len(terms) > 1 else digits
        cells = [cell for cell in added if not cell.sign]
        notes = self._notes(cells, [self.names[n] for n in chosen] if self.names else [], left_out)
        lines = [SumLine(cell, note) for cell, note in zip(cells, notes, strict=True)]
        lines.append(SumLine(total, _total(whole, total), ruled=True))
        if then:
            lines += self._then(columns, then)
        tone = "backward" if whole.kind in BACKWARD else "forward"
        chips = tuple(_chip(columns, ways[n], shown) for n in chosen)
        at = whole.like("a").at(None)
        return Chips(tone, at, chips, tuple(lines), width=_width(tone), carried=_carried(ways, values))

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


def _chosen(values: Floats, most: int = MOST) -> list[int]:
    """All, or where the four largest stand."""
    if len(values) <= most:
        return list(range(len(values)))
    return sorted(np.argsort(-np.abs(values), kind="stable")[:OF_MANY].tolist())


def _carried(ways: Sequence[LinkWay], values: Floats) -> dict[str, float]:
    return {way.link.svg_id: float(value) for way, value in zip(ways, values, strict=True)}


def _chip(columns: Columns, way: LinkWay, shown: int = 4) -> Chip:
    result, _, *factors = columns.cells(way.made, shown)
    return Chip(way.link, result, tuple(factors), _mark(result))


def _brought(cell: Cell) -> float:
    """What comes back, by whose sign it asks; 0 of what does not come back."""
    return cell.value if cell.part.startswith(("q", "da", "dh", "dn", "dz")) else 0.0


def _mark(cell: Cell) -> str:
    """Which way it asks, as an arrow."""
    brought = _brought(cell)
    return "↑" if brought < 0 else "↓" if brought > 0 else ""


def _total(whole: Quantity, cell: Cell) -> str:
    if whole.kind in BACKWARD:
        return f"{_mark(cell)} {_say('together')}".strip()
    return "z" if whole.kind == "z" else _say("together")


def _gradient(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    sources = [moment.targets[0].source] if moment.kind == "dW" else range(1, scene.links(k) + 1)
    ways = [LinkWay(weight(k, j, i), scene.alone(scene.equations.dW(k, j, i))) for i in sources]
    columns, values = Columns(scene.look), np.array([float(scene.look(way.made.target)) for way in ways])
    chips = list[Chip]()
    for n in _chosen(values):
        of = ways[n].made
        if scene.count > 1:
            cell = columns.cells(Equation(of.target, tree(of.target)))[0]
            chips.append(Chip(ways[n].link, cell))
        else:
            chips.append(_chip(columns, replace(ways[n], made=replace(of, tree=_first(of.tree)))))
    return Chips(
        "backward", Quantity("a", k, (j,)), tuple(chips), width=_width("gradient"), carried=_carried(ways, values)
    )


def _first(of: Tree) -> Tree:
    return mapped(of, lambda q: q.at(0) if q.example == "n" else q)


def _product(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    """One link by itself."""
    of, back = moment.targets[0], moment.kind == "product_back"
    made = scene.equations.product_back if back else scene.equations.product
    way = LinkWay(of.like("W"), made(k, j, of.source, 0))
    look = BatchLook(scene)
    chip = _chip(Columns(look), way)
    tone = "backward" if back else "forward"
    carried = {way.link.svg_id: chip.result.value}
    return Chips(tone, Quantity("a", k, (j,)), (chip,), width=_width(tone), carried=carried)


def _width(tone: str) -> str:
    return _say(f"width {tone}")


def _say(message: str, **parts: Any) -> str:
    return in_words(f"chip {message}", **parts)


_KINDS: dict[str, Callable[[Scene, Moment, int, int], Chips | None]] = {
    "product": _product,
    "product_back": _product,
    "sum": _forward,
    "z": _forward,
    "forward": _forward,
    "dh": _back,
    "da": _back,
    "delta": _back,
    "came_back": _back,
    "gradient": _gradient,
    "dW": _gradient,
}
