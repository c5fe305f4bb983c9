"""A network's drawing as values: where its nodes and links stand, and what each shows of a trace. No markup.

`layout` depends on the architecture and the width of the page alone, so that a template renders it once and each
frame only fills in the numbers of `draw`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import ceil
from typing import Literal, NamedTuple

from app.draw.blocks import LEGIBLE, Block, block, maps_block
from app.words.names import layer_name
from app.words.texts import kept
from engine import Quantity
from engine.quantity import unit, weight

Size = Literal["xs", "s", "m", "l"]
Art = Literal["surface", "curve", "weights", "ink", "value", "map"]
SIZES: tuple[Size, ...] = ("s", "m", "l")


@dataclass(frozen=True)
class Space:
    """A drawing that fills so much, in CSS pixels, whatever it has to show: what is left of a screen on a walk."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def parse(cls, text: str) -> "Space | None":
        """The space of a text such as 840x340, to the next ten below; None if it is none."""
        found = _ROOM.fullmatch(text)
        if not found:
            return None
        width, height = (int(each) // 10 * 10 for each in found.groups())
        return cls(min(max(width, 240), 1800), min(max(height, 100), 1400))

    @property
    def sheet(self) -> "Sheet":
        """Room for nodes and names."""
        size: Size = "l" if self.width >= 700 else "m" if self.width >= 450 else "s"
        node = 34.0 if size == "s" else SHEETS[size].node
        return replace(SHEETS[size], width=self.width, height=self.height, node=node)


_ROOM = re.compile(r"([1-9]\d{2,3})x([1-9]\d{1,3})")
LINKS_AT_MOST = 450  # a layer with more has none of its own that could be drawn, or lit
ROWS_AT_MOST = 16
NAMED_AT_MOST, NAMED_PITCH = 32, 12.5  # inputs in one column beside their names, where these have room
LABELLED_ROWS = 8
LEAST_PITCH = 13  # between two names below each other
WANTED = 26.0  # what a walk needs beside the outputs: their numbers, and what is wanted of them
TALK = 0.4  # of the width lies between two layers that talk
CLOSE, NAME = (24.0, 92.0), 60.0  # what lies at least between others, the second beside numbers; what their names need
POOLED, BAR = 0.5, 0.12  # the side of what a pool gives of a map, and how far it is off, as shares of the map's
APART = 60.0  # what is left for links, at least, between a layer with its pool and the next
TARGET = 40.0  # what a target takes beside its unit
TIGHT, LINES = 60, 28  # between two units: room for a number above and one below; for two lines at their side


@dataclass(frozen=True)
class Sheet:
    """Room for a drawing: its width, its least height, the margins and the largest node, in CSS pixels."""

    width: float
    height: float
    left: float
    right: float
    node: float


SHEETS: dict[Size, Sheet] = {
    "xs": Sheet(334, 218, 24, 12, 40),  # no higher than two or three units a layer need, for lessons
    "s": Sheet(334, 340, 24, 12, 40),
    "m": Sheet(540, 430, 40, 24, 50),
    "l": Sheet(840, 432, 60, 40, 56),
}
TOP, BOTTOM, HEAD = 8.0, 34.0, 8.0


@dataclass(frozen=True)
class NodePlace:
    """One unit: its place (centre and side) in the drawing; layer 0 are the inputs, unit 0 a layer in one picture. What
    a pool gives of it is a picture of the side `pooled` beside it, with a bar between them; 0 where none is drawn."""

    layer: int
    unit: int
    x: float
    y: float
    side: float
    pooled: float = 0.0

    @cached_property
    def quantity(self) -> Quantity:
        """Its activation."""
        return unit(self.layer, self.unit)

    @cached_property
    def id(self) -> str:
        """The SVG id."""
        return self.quantity.svg_id

    @cached_property
    def address(self) -> str:
        """The address of its activation."""
        return str(self.quantity)

    @property
    def left(self) -> float:
        """Its left edge."""
        return round(self.x - self.side / 2, 1)

    @property
    def top(self) -> float:
        """Its upper edge."""
        return round(self.y - self.side / 2, 1)

    @property
    def right(self) -> float:
        """Its right edge."""
        return round(self.x + self.side / 2, 1)

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return round(self.y + self.side / 2, 1)

    @property
    def end(self) -> float:
        """Where its links begin: at its right edge, or at that of what its pool gives."""
        return round(self.right + self.pooled * (1 + BAR / POOLED), 1)


class LinkCurve(NamedTuple):
    """A link's way: a cubic whose control points sit at mid-x."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __str__(self) -> str:
        x0, y0, x1, y1 = self
        return f"M{x0:g} {y0:g}C{self.middle:g} {y0:g} {self.middle:g} {y1:g} {x1:g} {y1:g}"

    @property
    def middle(self) -> float:
        """Where the control points sit."""
        return round((self.x0 + self.x1) / 2, 1)

    def at(self, share: float) -> tuple[float, float]:
        """The point at a share of the way."""
        parts = ((1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3)
        ends = ((self.x0, self.middle, self.middle, self.x1), (self.y0, self.y0, self.y1, self.y1))
        x, y = (sum(part * end for part, end in zip(parts, axis, strict=True)) for axis in ends)
        return round(x, 1), round(y, 1)


@dataclass(frozen=True)
class LinkPlace:
    """One weight, drawn from unit `source` of the layer below to `unit` of `layer`."""

    layer: int
    unit: int
    source: int
    path: LinkCurve

    @cached_property
    def quantity(self) -> Quantity:
        """Its weight."""
        return weight(self.layer, self.unit, self.source)

    @cached_property
    def id(self) -> str:
        """The SVG id."""
        return self.quantity.svg_id

    @cached_property
    def address(self) -> str:
        """The address of its weight."""
        return str(self.quantity)


@dataclass(frozen=True)
class Arc:
    """A shortcut: what a unit of a layer below gives is added at `unit` of `layer`; unit 0 stands for all of them."""

    layer: int
    unit: int
    source: int
    path: str
    x: float
    y: float

    @property
    def id(self) -> str:
        """The SVG id."""
        return f"arc-{self.layer}-{self.unit}"


@dataclass(frozen=True)
class Layer:
    """One layer of the drawing. `links` lead into it; `all_links` says whether every one is drawn."""

    index: int
    name: str
    activation: str
    x: float
    nodes: tuple[NodePlace, ...]
    links: tuple[LinkPlace, ...]
    all_links: bool
    labelled: bool
    beside: bool = False

    @cached_property
    def right(self) -> float:
        """Where its last column ends."""
        return max(node.end for node in self.nodes)

    @cached_property
    def crowded(self) -> bool:
        """Whether its units stand so close that one's name beside it would lie on the next's."""
        first, second = (*self.nodes, *self.nodes)[:2]
        return len(self.nodes) > 1 and second.y - first.y < LEAST_PITCH

    @cached_property
    def bottom(self) -> float:
        """Where its lowest unit ends."""
        return max(node.bottom for node in self.nodes)


@dataclass(frozen=True)
class Diagram:
    """A whole drawing. `narrow` layers have no room for more than a number as label, `tight` ones for long captions."""

    width: float
    height: float
    narrow: bool
    tight: bool
    layers: tuple[Layer, ...]
    arcs: tuple[Arc, ...] = ()

    @property
    def over(self) -> float:
        """How far above its one output the target stands, over a number there; 0 where it has room beside its unit."""
        layer = self.layers[-1]
        roomy = layer.labelled and not layer.beside
        if len(layer.nodes) > 1 or (roomy and self.width - layer.right >= TARGET):
            return 0.0
        return 22.0 if roomy else 7.0

    def node(self, layer: int, unit: int) -> NodePlace | None:
        """The node of a unit; the one picture of a layer drawn as one; None for a unit that is not there."""
        if not 0 <= layer < len(self.layers):
            return None
        nodes = self.layers[layer].nodes
        if len(nodes) == 1 and nodes[0].unit == 0:
            return nodes[0]
        return nodes[unit - 1] if 0 < unit <= len(nodes) else None


@kept(64)
def layout(
    sizes: tuple[int, ...],
    activations: tuple[str, ...],
    one_picture: bool = False,
    size: Size | Space = "l",
    before: float = 0.0,
    after: float = 0.0,
    shortcuts: tuple[tuple[int, int], ...] = (),
    talk: int = 0,
    sources: tuple[int, ...] = (),
    maps: tuple[int, ...] = (),
    pools: tuple[int, ...] = (),
) -> Diagram:
    """Place a network of these units per layer; with `one_picture` the inputs are the pixels of one image. `before`,
    `after`: what names beside inputs and outputs need; `shortcuts`: where each ends and where it begins; `sources`: how
    many units below have a link each; `talk`: before which layer most of the room lies; `maps`: the layers of feature
    maps, as large as theirs permits; `pools`: those with a pool drawn, if legible."""
    last, full, sheet = len(sizes) - 1, isinstance(size, Space), _sheet(size, before, after)
    shown = [1 if one_picture and k == 0 else n for k, n in enumerate(sizes)]
    height, pitch, labelled, beside = _rows(sheet, min(max(shown), ROWS_AT_MOST), full)
    sheet = replace(sheet, right=sheet.right + (WANTED + 12) * beside)
    top, inside = _inside(height, full and not labelled, bool(maps) and sheet.width < 700)
    rows = [_input_rows(shown[0], inside), *(min(n, ROWS_AT_MOST) for n in shown[1:])]
    side = _side(sheet, [ceil(n / many) for n, many in zip(shown, rows, strict=True)], pitch, labelled, beside)
    fit = side, inside, sheet.node + 62 if full else pitch
    blocks = [block(n, many, *fit) for n, many in zip(shown, rows, strict=True)]
    _enlarge(blocks, sheet, inside, 8.0 if beside else 34.0 if labelled else 0.0, one_picture, maps, pools)
    gap = (sheet.width - sheet.left - sheet.right - sum(each.width for each in blocks)) / max(1, last)
    scarce = full and (beside or not labelled or sheet.width < 700)
    least = max(CLOSE[beside or (not labelled and sheet.width >= 700)], _for_names(blocks, talk))  # lit numbers
    gaps = _gaps(sheet, gap, last, talk if scarce else 0, least)
    layers, x = list[Layer](), sheet.left
    for k, (n, own) in enumerate(zip(shown, blocks, strict=True)):
        nodes = _nodes(k, n, x, top + inside / 2, own, one_picture and k == 0)
        links = _all_links(layers[-1].nodes, nodes, (sources or sizes)[k - 1]) if k else ()
        called = layer_name(k, last), activations[k - 1] if k else "", round(x + own.width / 2, 1)
        layers.append(Layer(k, *called, nodes, links, not k or bool(links), labelled, beside))
        x += own.width + gaps[min(k, last - 1)]
    arcs = (arc for end, source in shortcuts for arc in _arcs(layers[source], layers[end]))
    return Diagram(sheet.width, round(height, 1), gap + side < 66, gap + side < 132, tuple(layers), tuple(arcs))


def _side(sheet: Sheet, columns: list[int], pitch: float, labelled: bool, beside: bool) -> float:
    """How large a unit is where its layer has room for it."""
    apart = (len(columns) - 1) * (0.8 if labelled else 1.6)
    room = (sheet.width - sheet.left - sheet.right) / max(1, sum(columns) + apart)
    return min(sheet.node, pitch - 34 if labelled and not beside else pitch * 0.82, room)


def _enlarge(
    blocks: list[Block],
    sheet: Sheet,
    inside: float,
    numbers: float,
    one_picture: bool,
    maps: tuple[int, ...],
    pools: tuple[int, ...],
) -> None:
    """Give the image that comes in, and feature maps, the room that their own layers permit."""
    if one_picture:
        blocks[0] = replace(blocks[0], side=min(2.2 * sheet.node, 0.25 * sheet.width))
    last, left = len(blocks) - 1, sheet.width - sheet.left - sheet.right - blocks[0].width
    plain = sum(each.width for k, each in enumerate(blocks) if k and k not in maps)
    across = 0.62 * left / max(1, last), (left - plain - APART * last) / max(1, len(maps))
    for k in maps:
        room = blocks[k].count, inside, max(across), 1.5 * sheet.node, numbers
        pooled = maps_block(*room, POOLED + BAR) if k in pools else None
        fits = pooled is not None and pooled.side >= LEGIBLE
        blocks[k] = pooled if pooled and fits else maps_block(*room[:2], across[0], *room[3:])


def _all_links(below: tuple[NodePlace, ...], nodes: tuple[NodePlace, ...], sources: int) -> tuple[LinkPlace, ...]:
    """A link from each unit below to each unit, where each is one and all have room."""
    return _links(below, nodes) if sources == len(below) and sources * len(nodes) <= LINKS_AT_MOST else ()


def _input_rows(count: int, height: float) -> int:
    """How many inputs stand below each other: all, where there is room for their names."""
    return count if count <= NAMED_AT_MOST and height / count >= NAMED_PITCH else min(count, ROWS_AT_MOST)


def _sheet(size: Size | Space, before: float, after: float) -> Sheet:
    sheet, wanted = (size.sheet, WANTED) if isinstance(size, Space) else (SHEETS[size], 0.0)
    most = 0.3 * sheet.width
    return replace(sheet, left=max(sheet.left, min(before, most)), right=max(sheet.right, min(after, most)) + wanted)


def _rows(sheet: Sheet, most: int, full: bool) -> tuple[float, float, bool, bool]:
    """The drawing's height, how far apart units of its longest layer stand, and whether every unit has its numbers,
    at its side where there is no room above and below."""
    labelled = most <= LABELLED_ROWS
    height = sheet.height if full else max(sheet.height, TOP + BOTTOM + (74 * most if labelled else 560))
    pitch = min(sheet.node + 62, (height - TOP - BOTTOM) / most)
    beside = full and LINES <= pitch < TIGHT and sheet.width >= 700
    return height, pitch, beside or (labelled and (not full or pitch >= TIGHT)), beside


def _inside(height: float, lit_alone: bool, over_maps: bool) -> tuple[float, float]:
    """Where units begin and how far they reach: where only lit ones have numbers, there is room for one below, and on a
    phone for one above a map."""
    top, below = TOP + HEAD * (lit_alone and over_maps), BOTTOM + 12 * lit_alone
    return top, height - top - below


def _for_names(blocks: list[Block], talk: int) -> float:
    """What lies between two layers so that their names have room, but between the two that talk."""
    pairs = (one.width + other.width for k, (one, other) in enumerate(pairwise(blocks), 1) if k != talk)
    return max((NAME - wide / 2 for wide in pairs), default=0.0)


def _gaps(sheet: Sheet, gap: float, last: int, talk: int, least: float) -> list[float]:
    """What lies between a layer and the next: the same, or more between the two that talk."""
    if not talk or last < 2 or gap <= least:
        return [gap] * last
    wide = max(gap, min(TALK * sheet.width, gap * last - least * (last - 1)))
    return [wide if k == talk - 1 else (gap * last - wide) / (last - 1) for k in range(last)]


def _arcs(source: Layer, end: Layer) -> Iterator[Arc]:
    """An arc a unit, or where these stand close one for all: from the upper right corner, over what lies between."""
    pairs = list(zip(source.nodes, end.nodes, strict=False))
    for one, other in pairs if end.labelled else pairs[:1]:
        x0, y0, x1, y1 = one.right - 4, one.top, other.left + 4, other.top
        rise = min(y0, y1) - min(14 + 6 * (end.index - source.index), min(y0, y1) - 3)
        path = f"M{x0:g} {y0:g}C{x0 + 14:g} {rise:g} {x1 - 14:g} {rise:g} {x1:g} {y1:g}"
        yield Arc(end.index, other.unit if end.labelled else 0, source.index, path, x1, y1)


def _nodes(layer: int, count: int, left: float, middle: float, own: Block, picture: bool) -> tuple[NodePlace, ...]:
    places = ((i, *own.at(i)) for i in range(count))
    sides = round(own.side, 1), round(own.side * POOLED * bool(own.tail), 1)
    return tuple(
        NodePlace(layer, 0 if picture else i + 1, round(left + x, 1), round(middle + y, 1), *sides)
        for i, x, y in places
    )


def _links(sources: tuple[NodePlace, ...], targets: tuple[NodePlace, ...]) -> tuple[LinkPlace, ...]:
    return tuple(
        LinkPlace(target.layer, target.unit, source.unit or 1, curve(source, target, j, len(sources)))
        for target in targets
        for j, source in enumerate(sources)
    )


def curve(source: NodePlace, target: NodePlace, index: int, count: int) -> LinkCurve:
    """The way of a link; the ends fan out so that they do not meet in one point."""
    spread = min(6.0, 0.62 * target.side / max(1, count))
    return LinkCurve(source.end, source.y, target.left, round(target.y + (index - (count - 1) / 2) * spread, 1))
