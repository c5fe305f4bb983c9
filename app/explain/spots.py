"""Where on the feature maps a moment looks: the window of each map that its equations read, or write."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.explain.moments import Moment
from app.words.formulas import Formula
from engine import Network, Quantity
from engine.arrays import Floats
from engine.equation import Equation, Tree, tree, value
from engine.quantity import Shifted

ONE = np.ones(())  # no number is asked for, only where it stands
Window = tuple[int, int, int, int]  # its first row and column, from 0, and how many of each


def windows(network: Network, moment: Moment) -> dict[str, Window]:
    """By node of the drawing: the least window of its map that has every place of it in a moment's formulas, as large
    as the map that is drawn; none where they are about layers that stand for any. What a pool gives stands for the
    numbers that it was made of."""
    found: dict[str, list[Window]] = {}
    if moment.layers or not network.has_images:
        return {}

    def look(of: Quantity, at: Mapping[str, Any]) -> Floats:
        drawn, own = network.image(of.layer), network.image(of.layer, _letter(of))
        if len(of.index) == 3 and drawn and own and of.letter != "W":
            channel, row, column = np.broadcast_arrays(
                *(i.at(at) if isinstance(i, Shifted) else at[i] if isinstance(i, str) else i for i in of.index)
            )
            tall, wide = drawn[1] // own[1], drawn[2] // own[2]
            for each in np.unique(channel):
                rows, columns = row[channel == each], column[channel == each]
                box = (rows.min() - 1) * tall, (columns.min() - 1) * wide, rows.max() * tall, columns.max() * wide
                found.setdefault(_node(of.layer, int(each)), []).append(box)
        return ONE

    parts = [part for each in moment.formulas for part in _parts(each) if isinstance(part, Tree)]
    with np.errstate(all="ignore"):  # what ones come to does not matter
        for part in parts:
            value(part, look)
    return {node: _around(boxes) for node, boxes in found.items()}


def _parts(of: Formula) -> tuple[object, ...]:
    return (of.tree, tree(of.target)) if isinstance(of, Equation) else (of,)


def _letter(of: Quantity) -> str:
    """The letter of the number itself, of a gradient with respect to it."""
    return of.kind.removeprefix("d").replace("xhat", "n") if of.layer else ""


def _node(layer: int, channel: int) -> str:
    return Quantity("a", layer, (channel,)).svg_id if layer else "node-0-0"


def _around(boxes: list[Window]) -> Window:
    top, left = (int(min(box[side] for box in boxes)) for side in (0, 1))
    bottom, right = (int(max(box[side] for box in boxes)) for side in (2, 3))
    return top, left, bottom - top, right - left
