"""A moment's equations set out in rows: symbols, numbers and code, term under term, and its words pointing to them.

It says nothing that the moment's own faces do not say; it lays them out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest

import numpy as np
from markupsafe import Markup

from app.explain.many import Alike, groups_of, written_over
from app.explain.moments import Moment
from app.explain.scene import Scene, is_first, of_one
from app.words.columns import Cell, Cells, Columns, fitted, in_lines, lines, room
from app.words.numbers import signed, unsigned
from app.words.segments import Segments
from engine.equation import Equation, axes_of, quantities

ROOM = 16  # columns that a line has where rows may fold
LETTER = 0.15  # of a column: a letter of a row's name on a phone
NAMED = 17  # letters of a name that stand in a line there


@dataclass(frozen=True)
class EquationBlock:
    """One equation, or several that look alike: symbols and code of the first, the numbers of each by its name, and
    those of more of them that fold. Or the next line of one that goes on, which is named in its first."""

    symbols: Cells
    numbers: tuple[tuple[str, Cells], ...]
    more: tuple[tuple[str, Cells], ...] = ()
    goes_on: bool = False

    @property
    def code(self) -> Cells:
        """The columns whose code is shown."""
        return self.symbols


@dataclass(frozen=True)
class Rows:
    """How a moment is laid out; without blocks its faces stand below each other as they are."""

    blocks: tuple[EquationBlock, ...]
    words: Segments

    @property
    def alike(self) -> bool:
        """Whether several numbers stand under one formula."""
        return any(block.more or len(block.numbers) > 1 for block in self.blocks)

    @property
    def folded(self) -> int:
        """How many rows fold."""
        return sum(bool(name) for block in self.blocks for name, _ in block.more)


def rows_of(scene: Scene, moment: Moment, most: float = 16) -> Rows:
    """A moment laid out in lines of at most so many columns."""
    with np.errstate(all="ignore"):
        groups, look = groups_of(scene, moment)
        columns = Columns(look, spell=lambda of: scene.spell(written_over(of)))
        if most < ROOM:
            groups = [replace(group, told=tuple(_shortly(scene, *each) for each in group.told)) for group in groups]
        blocks = [block for group in groups for block in _blocks(columns, group, scene.first, most)]
        if not blocks:
            made = _single(scene, moment)
            made += _slope(scene, moment) if made else []
            cells = [(_whose(each, "", scene.first), columns.cells(each)) for each in made]
            blocks = [block for whose, each in cells for block in _in_lines(whose, each, most)]
    return Rows(tuple(blocks), _pointed(moment.words, blocks))


def _pointed(words: Segments, blocks: Sequence[EquationBlock]) -> Segments:
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
    found = [each for each in moment.formulas if isinstance(each, Equation)]
    if not found or any(axes_of(each.target) or moment.layers for each in found):
        return []
    if moment.phase == "update" and moment.kind != "penalty_gradient":
        return []
    if len(found) == 2 and found[0].target.kind == "da" and moment.layer < scene.last:  # the loss's own are two facts
        return [fitted(found[1], found[0])]
    return [of_one(each) for each in found] if moment.kind != "penalty" else []


def _slope(scene: Scene, moment: Moment) -> list[Equation]:
    """Where the slope of one unit comes from, whose equation uses it."""
    used = [each for of in moment.formulas if isinstance(of, Equation) for each in quantities(of.tree)]
    k, j = moment.layer, moment.units[0] if moment.units else 0
    if moment.kind not in ("delta", "dz") or scene.count > 1 or not any(each.kind == "slope" for each in used):
        return []
    slope = scene.equations.slope(k, j, 0)
    chosen = Columns(scene.look).cells(slope)[2:]
    return [slope] if any(cell.part for cell in chosen) else []  # of ReLU it is 0 or 1, and made of nothing


def _shortly(scene: Scene, name: str, of: Equation) -> tuple[str, Equation]:
    """A row's name where there is little room: of a weight, where it comes from; of what a rule remembers, its letter,
    too, as no formula stands there."""
    target, (letter, _, of_what) = of.target, of.target.kind.partition("_next_")
    link = (of_what or target.kind) in ("dW", "W", "W_next") and len(target.index) == 2
    name = scene.source(target.layer, target.source) if link else name
    return f"{letter} {name}" if of_what else name, of


def _fit(rows: Sequence[tuple[str, Cells]], most: float) -> bool:
    """Whether rows under one formula have room; on a phone several without their code, their names before them."""
    if most >= ROOM or len(rows) < 2:
        return room(rows[0][1]) <= most
    columns = zip_longest(*(cells for _, cells in rows), fillvalue=Cell(Markup(""), "", "", sign=True))
    widest = sum(max(room((cell,), code=False) for cell in column) for column in columns)
    return widest + max(_letters(name, 3) for name, _ in rows) <= most


def _letters(name: str, spare: int) -> float:
    """What a row's name takes of a line on a phone, beside so many letters for which there is room anyway."""
    return max(0, min(len(name), NAMED) - spare) * LETTER


def _blocks(columns: Columns, group: Alike, first: str, most: float) -> Iterator[EquationBlock]:
    """A group in rows; without room for them, or one alone, in lines, and what folds, too. What is shown has the
    same digits, so that what it has in common reads the same; what folds, of which there is more, its own."""
    told = [(_whose(of, name, first), of_one(of)) for name, of in group.told]
    shown = _named(columns, told[: group.shown])
    if group.shown > 1 and _fit(shown, most):
        yield EquationBlock(shown[0][1], shown, _named(columns, told[group.shown :]))
        return
    alone = min(group.shown, 1)
    for name, cells in _named(columns, told[:alone]):
        yield from _in_lines(name, cells, most)
    for _, alike in groupby(_named(columns, told[alone:]), key=lambda row: len(row[1])):
        yield from _folded(list(alike), most)


def _named(columns: Columns, told: Sequence[tuple[str, Equation]]) -> tuple[tuple[str, Cells], ...]:
    return tuple(zip((name for name, _ in told), columns.together([of for _, of in told]), strict=True))


def _in_lines(name: str, cells: Cells, most: float) -> Iterator[EquationBlock]:
    for n, line in enumerate(lines(cells, most if most >= ROOM else most - _letters(name, 5))):
        yield EquationBlock(line, ((name, line),), goes_on=n > 0)


def _folded(rows: Sequence[tuple[str, Cells]], most: float) -> Iterator[EquationBlock]:
    """Rows of one formula that fold, in lines; each is named, and so counted, in the first."""
    for n, line in enumerate(in_lines([cells for _, cells in rows], most)):
        names = ("" if n else name for name, _ in rows)
        yield EquationBlock(line[0], (), tuple(zip(names, line, strict=True)), n > 0)


def _whose(of: Equation, name: str, first: str) -> str:
    """The name of a row; in a batch with the example that it is about, where it is about one."""
    if not first or not is_first(of):
        return name
    return ", ".join(filter(None, (name, first.rstrip(": "))))
