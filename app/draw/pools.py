"""What a pool makes of the channel that is spoken of: a map of its own beside that channel's, joined by a bar, where
the drawing has none at every channel.

On the way back it shows what came to it; the number that the moment tells of is framed in both.
"""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from app.draw.beside import beside, spoken_of
from app.draw.chips import Box
from app.draw.diagram import Diagram, NodePlace
from app.draw.marks import Marks
from app.draw.pictures import sprite
from app.words.names import name_of
from engine import Quantity, Trace
from engine.arrays import Floats

SIDE, TEXT, EDGE = 64.0, 19.0, 6.0


def at_units(place: Diagram, trace: Trace, marks: Marks, back: bool, taken: Sequence[Box]) -> tuple[Markup, list[Box]]:
    """The pooled maps, on the way back what comes back to them, and the room that they take; in a walkthrough once they
    are known."""
    network, parts, boxes = trace.spec.network, list[Markup](), list[Box]()
    pooled = [k for k in network.pools if network.image(k, "v") and not place.layers[k].nodes[0].pooled]
    for node in spoken_of(place, pooled, marks):
        came_back = back and marks.knows(node.quantity.like("dv"))
        if came_back or marks.knows(node.quantity.like("v")):
            box = beside(node, place, SIDE + 2 * EDGE, SIDE + TEXT + EDGE, [*taken, *boxes])
            parts += [_picture(trace, node, box, marks, came_back)] if box else []
            boxes += [box] if box else []
    return Markup("").join(parts), boxes


def _picture(trace: Trace, node: NodePlace, box: Box, marks: Marks, back: bool) -> Markup:
    k, layer = node.layer, trace.layers[node.layer - 1]
    maps: Floats = np.nan_to_num(layer.dv.sum(axis=0) if back else layer.v.mean(axis=0))  # type: ignore[union-attr]
    own = maps[node.unit - 1] / (float(np.abs(maps).max()) or 1.0)
    (high, wide), size = own.shape, trace.spec.network.pools[k].option("size")
    frame = Markup("")
    if (window := marks.windows.get(node.id)) and max(window[2:]) <= int(size):
        frame = _FRAME.format(window[1] // int(size), window[0] // int(size), 1, 1)
    href = sprite(np.asarray(own, dtype=np.float32), wide)
    ahead, wide_box, high_box = box[0] > node.x, box[2] - box[0], box[3] - box[1]
    bar = f"M{node.right if ahead else node.left} {node.y}L{box[0] if ahead else box[2]} {(box[1] + box[3]) / 2:.1f}"
    back_of = (*box[:2], wide_box, high_box, wide_box, high_box, wide_box - 1, high_box - 1)
    called = name_of(Quantity("dv" if back else "v"))
    return _PICTURE.format(bar, *back_of, called, EDGE, TEXT, SIDE, SIDE, wide, high, wide, high, href, frame)


_FRAME = Markup('<rect class="window" x="{}" y="{}" width="{}" height="{}"/>')
_PICTURE = Markup(
    '<path class="bar" d="{}"/><svg class="spread pooled" x="{}" y="{}" width="{}" height="{}" viewBox="0 0 {} {}">'
    '<rect class="back" x=".5" y=".5" width="{}" height="{}" rx="6"/><text x="6" y="14">{}</text>'
    '<svg class="map spots" x="{}" y="{}" width="{}" height="{}" viewBox="0 0 {} {}">'
    '<image width="{}" height="{}" href="{}"/>{}</svg></svg>'
)
