"""A moment's equations set out in rows: symbols, numbers and code, term under term, and its words pointing to them.

It says nothing that the moment's own faces do not say; it lays them out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.explain.moments import Moment
from app.explain.scene import UNITS, Scene
from app.words.columns import Cells, Columns, fitted, lines
from app.words.digits import largest
from app.words.numbers import signed, unsigned
from app.words.segments import Segments
from engine import OPTIMIZERS
from engine.equation import Equation, Over, axes_of, mapped
from engine.quantity import bias, weight


@dataclass(frozen=True)
class Block:
    """One equation, or several that look alike: symbols and code of the first, and the numbers of each by its name."""

    symbols: Cells
    numbers: tuple[tuple[str, Cells], ...]

    @property
    def code(self) -> Cells:
        """The columns whose code is shown."""
        return self.symbols


@dataclass(frozen=True)
class Rows:
    """How a moment is laid out; without blocks its faces stand below each other as they are."""

    blocks: tuple[Block, ...]
    words: Segments

    @property
    def alike(self) -> bool:
        """Whether several numbers stand under one formula."""
        return any(len(block.numbers) > 1 for block in self.blocks)


def rows_of(scene: Scene, moment: Moment, most: int = 16) -> Rows:
    """A moment laid out in lines of at most so many columns."""
    columns = Columns(scene.look)
    with np.errstate(all="ignore"):
        alike = _alike(scene, moment)
        if alike:
            made = [(label, columns.cells(each)) for label, each in alike]
            blocks = [Block(made[0][1], tuple(made))]
        else:
            cells = [columns.cells(each) for each in _single(scene, moment)]
            blocks = [Block(line, (("", line),)) for each in cells for line in lines(each, most)]
    return Rows(tuple(blocks), _pointed(moment.words, blocks))


def _pointed(words: Segments, blocks: Sequence[Block]) -> Segments:
    """Words whose numbers know which term of the equations they are."""
    known: dict[str, str] = {}
    for block in blocks:
        for _, cells in block.numbers:
            for cell in cells:
                if cell.part:
                    known.setdefault(signed(cell.value), cell.part)
                    known.setdefault(unsigned(cell.value), cell.part)
    return tuple(each if each.part else replace(each, part=known.get(each.text, "")) for each in words)


def _single(scene: Scene, moment: Moment) -> list[Equation]:
    """The equations of a moment that is about single numbers."""
    made = scene.equations
    k, j = moment.layer, moment.units[0] if moment.units else 0
    i = moment.targets[0].source if moment.targets else 0
    if moment.kind == "product":
        return [made.product(k, j, i, 0)]
    if moment.kind == "product_back":
        return [made.product_back(k, j, i, 0)]
    if moment.kind == "sum":
        return [made.sum(k, j, 0)]
    found = [each for each in moment.face.formulas if isinstance(each, Equation)]
    if not found or any(axes_of(each.target) or moment.face.layers for each in found):
        return []
    if moment.phase == "update" and not (moment.units and _simple(scene)):
        return []
    if len(found) == 2 and found[0].target.kind == "da" and k < scene.last:  # the loss's own are two facts
        return [fitted(found[1], found[0])]
    return [_first(each) for each in found] if moment.kind != "penalty" else []


def _simple(scene: Scene) -> bool:
    """Whether a step is one line, of a gradient that nothing is added to."""
    spec = scene.trace.spec
    optimizer = OPTIMIZERS[spec.optimizer]
    return len(optimizer.steps) == 1 and not (optimizer.search or spec.penalized or spec.frozen)


def _alike(scene: Scene, moment: Moment) -> list[tuple[str, Equation]]:
    """The equations of all links into a unit, the one that counts most first, and that of its bias."""
    if not moment.units or moment.kind not in ("gradient", "update"):
        return []
    if moment.kind == "update" and not _simple(scene):
        return []
    k, j = moment.layer, moment.units[0]
    dW = scene.layer(k).dW[j - 1]
    chosen = sorted(largest(dW, UNITS).tolist(), key=lambda n: -abs(dW[n]))
    return list(_each(scene, moment.kind, k, j, [n + 1 for n in chosen]))


def _each(scene: Scene, kind: str, k: int, j: int, sources: Sequence[int]) -> Iterator[tuple[str, Equation]]:
    made = scene.equations
    for i in sources:
        of = [scene.alone(made.dW(k, j, i))] if kind == "gradient" else list(made.update(weight(k, j, i)))
        yield f"from {scene.source(k, i)}", _first(of[0])
    last = scene.alone(scene.times_one(k, j)) if kind == "gradient" else next(iter(made.update(bias(k, j))))
    yield "bias", _first(last)


def _first(of: Equation) -> Equation:
    """About the one example that there is, where an equation is about each."""
    return replace(of, tree=mapped(of.tree, lambda q: q.at(0) if q.example == "n" else q)) if not _sums(of) else of


def _sums(of: Equation) -> bool:
    return isinstance(of.tree, Over)
