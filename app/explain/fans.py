"""Small pictures of many links at one unit: the ways whose products add up, and one δ that many weights share.

Every number stands as a calculator needs it: the column of products closes, and so does each row of a share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from app.draw.chips import SumLine
from app.explain.chips import chips_of
from app.explain.moments import Moment
from app.explain.scene import UNITS, Scene
from app.words.columns import Cell, Columns
from app.words.digits import largest
from app.words.names import name_of
from app.words.texts import text
from engine import Quantity
from engine.equation import Equation, Number, Product, tree
from engine.quantity import bias, unit, weight

WIDTH, ROW, TOP = 286.0, 16.0, 24.0
THIN, THICK = 1.0, 6.0
TO_ROWS, FROM_ROWS = 120.0, 240.0  # where the lines of a fan meet its rows


@dataclass(frozen=True)
class Label:
    """A text that begins at a place, or a number that ends there."""

    x: float
    y: float
    text: str
    role: str = "name"
    part: str = ""


@dataclass(frozen=True)
class Fan:
    """Links between a unit at `node` and rows of text: their lines with how thick they are, the texts, and the rule
    under rows that add up."""

    kind: str
    height: float
    node: tuple[float, float]
    lines: tuple[tuple[str, float], ...]
    texts: tuple[Label, ...]
    rule: str = ""
    width: float = WIDTH


def ways_back(scene: Scene, moment: Moment) -> Fan | None:
    """What comes back to a hidden unit: a way for each link that leaves it, and their sum."""
    told = chips_of(scene, moment)
    ruled = [n for n, line in enumerate(told.lines) if line.ruled] if told else []
    if not told or not ruled or not all(isfinite(line.cell.value) for line in told.lines):
        return None
    added, whole = told.lines[: ruled[0]], told.lines[ruled[0]]
    node, foot = (34.0, _place(len(added) / 2 - 0.5)), _place(len(added)) + 4
    texts = [Label(4.0, node[1] - 13, text("unit {unit}", unit=moment.units[0]))]
    for n, line in enumerate(added):
        texts += [
            Label(TO_ROWS + 6, _place(n) + 4, _name(scene, line)),
            _number(WIDTH - 2, _place(n) + 4, line.cell),
        ]
    texts += [Label(TO_ROWS + 6, foot, whole.note), _number(WIDTH - 2, foot, whole.cell)]
    lines = _lines(node, TO_ROWS, [line.cell.value for line in added])
    return Fan("ways", foot + 8, node, lines, tuple(texts), f"M{TO_ROWS + 6} {foot - 13}H{WIDTH - 2}")


def _name(scene: Scene, line: SumLine) -> str:
    """The unit that a product comes from; of what is no product the note that it has."""
    if not line.cell.part.startswith("q"):
        return line.note
    of = Quantity.parse(line.cell.part)
    return scene.unit(of.layer, of.unit) if scene.sizes[of.layer] == 1 else text("unit {unit}", unit=of.unit)


def shared(scene: Scene, k: int, j: int) -> Fan | None:
    """The gradients into a unit, of one example: each is the one δ times what its link carried."""
    dz, sources = unit(k, j).like("dz").at(0), [n + 1 for n in largest(scene.layer(k).dW[j - 1], UNITS).tolist()]
    given = [scene.gives(k - 1, i) if k > 1 else Quantity("x", 0, (i,)) for i in sources]
    made = [Equation(weight(k, j, i).like("dW"), tree(a.at(0)) * tree(dz)) for i, a in zip(sources, given, strict=True)]
    made.append(Equation(bias(k, j).like("db"), Product((Number(1.0), tree(dz)))))
    names = [*(scene.source(k, i) for i in sources), text("bias")]
    rows = Columns(scene.look).together(made)
    if not all(isfinite(cell.value) for row in rows for cell in (row[0], row[-1])):
        return None
    node = WIDTH - 9, _place(len(rows) / 2 - 0.5)
    texts = [Label(FROM_ROWS - 52, 12.0, name_of(dz)), _number(WIDTH - 2, 12.0, rows[0][-1])]
    for n, row in enumerate(rows):
        y = _place(n) + 4
        texts += [
            Label(2.0, y, names[n]),
            _number(FROM_ROWS - 119, y, row[2]),
            Label(FROM_ROWS - 113, y, "× δ ="),
        ]
        texts.append(_number(FROM_ROWS - 4, y, row[0]))
    return Fan("share", _place(len(rows)), node, _lines(node, FROM_ROWS, [row[0].value for row in rows]), tuple(texts))


def _number(x: float, y: float, cell: Cell) -> Label:
    return Label(x, y, cell.number, f"sum {cell.role}", cell.part)


def _place(n: float) -> float:
    return TOP + ROW * n


def _lines(node: tuple[float, float], edge: float, values: Sequence[float]) -> tuple[tuple[str, float], ...]:
    """From a unit to every row, as thick as what each carries is large."""
    sizes, (x, y), half = np.abs(values), node, (node[0] + edge) / 2
    shares = sizes / max(float(sizes.max()), 1e-300)
    curve = "M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}"
    return tuple(
        (curve.format(x, y, half, y, half, _place(n), edge, _place(n)), round(THIN + THICK * float(share), 2))
        for n, share in enumerate(shares)
    )
