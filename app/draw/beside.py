"""Pictures beside the units that are spoken of: of which, and where there is room for one."""

from collections.abc import Iterable, Iterator, Sequence

from app.draw.chips import Box, is_free
from app.draw.diagram import Diagram, NodePlace
from app.draw.marks import Marks


def spoken_of(place: Diagram, layers: Iterable[int], marks: Marks) -> list[NodePlace]:
    """The selected unit of these layers, and one that a walkthrough lights alone."""
    chosen, lit = list[NodePlace](), list[NodePlace]()
    for k in layers:
        for node in place.layers[k].nodes:
            chosen += [node] if (marks.chosen.layer, marks.chosen.unit) == (k, node.unit) else []
            lit += [node] if node.id in marks.lit else []
    return list(dict.fromkeys(chosen + lit if len(lit) == 1 else chosen))


def beside(node: NodePlace, place: Diagram, wide: float, high: float, taken: Sequence[Box]) -> Box | None:
    """The nearest place that is free."""
    return next((box for box in _around(node, place, wide, high) if is_free(box, taken, place)), None)


def _around(node: NodePlace, place: Diagram, wide: float, high: float) -> Iterator[Box]:
    """Where there could be room for a picture, the nearest first."""
    for off in (10, 60, 110, 160):
        for left in (node.right + off, node.left - off - wide):
            for top in range(0, int(place.height), 12):
                y = node.y - high / 2 + (top // 2 if top // 12 % 2 else -top // 2)
                yield round(left, 1), round(y, 1), round(left + wide, 1), round(y + high, 1)
