"""What a normalization does, as a picture: at every unit how its numbers lay before, and how they lie after it; at the
unit that is spoken of each of them, with the gain and the shift.
"""

import numpy as np
from markupsafe import Markup

from app.draw.beside import beside, spoken_of
from app.draw.chips import Box, boxes_taken
from app.draw.diagram import Diagram, NodePlace
from app.draw.marks import Marks
from app.draw.pictures import inks
from app.words.numbers import labels
from engine import Trace
from engine.arrays import Floats
from engine.quantity import unit

BINS, REACH = 20, 4.0  # of a strip, from -REACH to REACH; what is farther away lies at its ends
TALL = 5  # rows of a bar: before upwards from the strip's middle, after downwards
WIDE, HIGH, DOTS = 132.0, 50.0, 64  # of the picture; more numbers than that are some of them


def numbers_of(trace: Trace, k: int, j: int) -> tuple[Floats, Floats]:
    """What is normalized together with a unit, before and after: its own numbers in the batch, of a layer norm those of
    its whole layer."""
    layer = trace.layers[k - 1]
    assert layer.norm is not None
    own = slice(None) if trace.spec.network.norms[k] == "layer_norm" else slice(j - 1, j)
    return layer.z[:, own].ravel(), layer.norm.n[:, own].ravel()


def strips(trace: Trace, marks: Marks) -> str:
    """How the numbers of every unit of a normalized layer lie, as bars: before upwards, after downwards. What a
    walkthrough has yet to compute is empty."""
    return inks(np.concatenate([_rows(trace, k, marks) for k in sorted(trace.spec.network.norms)]), BINS)


def _rows(trace: Trace, k: int, marks: Marks) -> Floats:
    layer, units = trace.layers[k - 1], trace.spec.network.sizes[k]
    assert layer.norm is not None
    both = np.stack([np.moveaxis(each, 1, 0).reshape(units, -1) for each in (layer.z, layer.norm.n)], axis=1)
    if trace.spec.network.norms[k] == "layer_norm":  # one strip for all of the layer
        both = np.broadcast_to(both.swapaxes(0, 1).reshape(1, 2, -1), (units, 2, both[:, 0].size))
    at = np.floor((np.clip(np.nan_to_num(both), -REACH, REACH) + REACH) / (2 * REACH) * BINS).astype(int)
    rows = np.minimum(at, BINS - 1).reshape(2 * units, -1) + BINS * np.arange(2 * units)[:, None]
    counts = np.bincount(rows.ravel(), minlength=2 * units * BINS).reshape(2 * units, BINS)
    there = [marks.knows(unit(k, j).like(kind)) for j in range(1, units + 1) for kind in "zn"]
    bars = TALL * counts / counts.max(axis=1, keepdims=True) * np.array(there)[:, None]
    filled = np.clip(bars.reshape(units, 2, 1, BINS) - np.arange(TALL)[:, None], 0.0, 1.0)
    filled[:, 0] = filled[:, 0, ::-1]
    return np.asarray(filled.reshape(-1, BINS))


def at_units(place: Diagram, trace: Trace, marks: Marks) -> Markup:
    """The picture of the selected unit, and of one that a walkthrough lights alone, where they are normalized."""
    spoken = [
        each for each in spoken_of(place, trace.spec.network.norms, marks) if marks.knows(each.quantity.like("n"))
    ]
    boxes, parts = list(boxes_taken(place, marks.lit)) if spoken else [], list[Markup]()
    for node in spoken:
        box = beside(node, place, WIDE, HIGH, boxes)
        boxes += [box] if box else []
        parts += [_picture(trace, node, box)] if box else []
    return Markup("").join(parts)


def _picture(trace: Trace, node: NodePlace, box: Box) -> Markup:
    layer = trace.layers[node.layer - 1]
    assert layer.norm is not None
    both = numbers_of(trace, node.layer, node.unit)
    rows = Markup("").join(
        _ROW.format(kind, y, _dots(values, y - 4)) for kind, values, y in zip("zn", both, (15, 31), strict=True)
    )
    gain, shift = labels([float(layer.norm.gamma[node.unit - 1]), float(layer.norm.beta[node.unit - 1])])
    return _PICTURE.format(*box[:2], WIDE, HIGH, WIDE, HIGH, WIDE - 1, HIGH - 1, _across(0), rows, gain, shift)


def _across(value: float) -> float:
    return round(18 + (WIDE - 26) * (value + REACH) / (2 * REACH), 1)


def _dots(values: Floats, y: float) -> str:
    some = values[:: -(-len(values) // DOTS)]
    return "".join(f"M{_across(float(v)):g} {y:g}h0" for v in np.clip(np.nan_to_num(some), -REACH, REACH))


_ROW = Markup('<text x="6" y="{1}">{0}</text><path class="dots {0}" d="{2}"/>')
_PICTURE = Markup(
    '<svg class="spread" x="{}" y="{}" width="{}" height="{}" viewBox="0 0 {} {}"><rect class="back" x=".5" y=".5" '
    'width="{}" height="{}" rx="6"/><path class="zero" d="M{} 6v30"/>{}<text x="6" y="46">γ {} · β {}</text></svg>'
)
