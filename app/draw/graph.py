"""A graph of operations as a drawing: in columns from left to right, or in rows from above, with few crossings.

A vertex's column is the longest way to it, an input stands one before its first use. Edges that pass a column have a
place in it; places are ordered by the mean of their neighbours, back and forth, and of these orders the one with the
fewest crossings is kept.
"""

import itertools
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Place = tuple[int, int]  # column, and a vertex from 0 or below 0 for where an edge passes
SWEEPS = 12
MANY = 4000  # places of a drawing, from which on it is ordered in a hurry
WAYS = 4  # of those on which a gradient comes back so many are told below it
PLACES = (0.5, 0.4, 0.6, 0.32, 0.68, 0.25, 0.75, 0.18, 0.82)


@dataclass(frozen=True)
class Spot:
    """A vertex: the middle of its tile."""

    x: float
    y: float


@dataclass(frozen=True)
class Wire:
    """An edge: its path, and places on it where its label may stand, the best first."""

    path: str
    places: tuple[Spot, ...]


@dataclass(frozen=True)
class Sketch:
    """The whole drawing: its size, a tile's, the vertices and the edges in their order."""

    width: float
    height: float
    tile: tuple[float, float]
    spots: tuple[Spot, ...]
    wires: tuple[Wire, ...]


def columns_of(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The column of every vertex; vertices stand in computing order."""
    into: dict[int, list[int]] = {}
    out: dict[int, list[int]] = {}
    for source, target in edges:
        into.setdefault(target, []).append(source)
        out.setdefault(source, []).append(target)
    found = [0] * count
    for n in range(count):
        found[n] = 1 + max((found[source] for source in into.get(n, ())), default=-1)
    for n in range(count):
        if n not in into and n in out:
            found[n] = min(found[target] for target in out[n]) - 1
    return found


def layered(count: int, edges: Sequence[tuple[int, int]]) -> tuple[list[list[int]], list[list[int]]]:
    """The columns in order from above, and each edge as the places that it goes through; what is below 0 is a bend."""
    column = columns_of(count, edges)
    rows: list[list[int]] = [[] for _ in range(max(column, default=0) + 1)]
    for n, place in enumerate(column):
        rows[place].append(n)
    chains, bend = [], -1
    for source, target in edges:
        chain = [source]
        for place in range(column[source] + 1, column[target]):
            rows[place].append(bend)
            chain.append(bend)
            bend -= 1
        chains.append([*chain, target])
    return _ordered(rows, [pair for chain in chains for pair in itertools.pairwise(chain)]), chains


def _ordered(rows: list[list[int]], pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for left, right in pairs:
        before.setdefault(right, []).append(left)
        after.setdefault(left, []).append(right)
    best, fewest = [list(row) for row in rows], crossings(rows, after)
    for sweep in range(_rounds(rows, SWEEPS) if fewest else 0):
        forwards = sweep % 2 == 0
        neighbours = before if forwards else after
        for n in range(1, len(rows)) if forwards else range(len(rows) - 2, -1, -1):
            beside = rows[n - 1 if forwards else n + 1]
            at = {vertex: place for place, vertex in enumerate(beside)}
            own = {vertex: float(place) for place, vertex in enumerate(rows[n])}
            for vertex in rows[n]:
                places = [at[each] for each in neighbours.get(vertex, ()) if each in at]
                if places:
                    own[vertex] = sum(places) / len(places)
            rows[n] = sorted(rows[n], key=own.__getitem__)
        crossed = crossings(rows, after)
        if crossed < fewest:
            best, fewest = [list(row) for row in rows], crossed
    return best


def _rounds(rows: Sequence[Sequence[int]], most: int) -> int:
    """How often all places are gone through: less often where there are so many that nobody sees the difference."""
    return most if sum(map(len, rows)) <= MANY else 2


def crossings(rows: Sequence[Sequence[int]], after: Mapping[int, Sequence[int]]) -> int:
    """How often edges between neighbouring columns cross."""
    total = 0
    for left, right in itertools.pairwise(rows):
        at = {vertex: place for place, vertex in enumerate(right)}
        ends = [
            at[each]
            for vertex in left
            for each in sorted(after.get(vertex, ()), key=lambda v: at.get(v, 0))
            if each in at
        ]
        seen: list[int] = []
        for end in ends:
            total += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return total


def _heights(
    rows: Sequence[Sequence[int]], chains: Sequence[Sequence[int]], pitch: float, more: Mapping[int, float]
) -> dict[int, float]:
    """Where each stands across its column: as near to its neighbours as its order and the pitch let it; `more` is the
    room that some need behind them."""
    near: dict[int, list[int]] = {}
    for chain in chains:
        for left, right in itertools.pairwise(chain):
            near.setdefault(left, []).append(right)
            near.setdefault(right, []).append(left)
    tallest = max(map(len, rows))
    at = {v: (n + (tallest - len(row)) / 2) * pitch for row in rows for n, v in enumerate(row)}
    for _ in range(_rounds(rows, 8)):
        for row in rows:
            wished = [sum(at[e] for e in near.get(v, [v])) / len(near.get(v, [v])) for v in row]
            gaps = [(pitch if v >= 0 or w >= 0 else pitch * 0.5) + more.get(v, 0) for v, w in itertools.pairwise(row)]
            at |= dict(zip(row, _spread(wished, gaps), strict=True))
    least = min(at.values())
    return {v: place - least for v, place in at.items()}


def _spread(wished: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Places in order, at least the gaps apart, together as near to the wished ones as can be."""
    offsets = [sum(gaps[:n]) for n in range(len(wished))]
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wished, offsets, strict=True):
        mean, many = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            last, count = blocks.pop()
            mean, many = (last * count + mean * many) / (count + many), count + many
        blocks.append((mean, many))
    starts = [mean for mean, many in blocks for _ in range(many)]
    return [start + offset for start, offset in zip(starts, offsets, strict=True)]


def sketch(count: int, edges: Sequence[tuple[int, int]], down: bool = False, room: float = 0) -> Sketch:
    """The drawing; `down` from above to below, `room` the width that it should fill."""
    rows, chains = layered(count, edges)
    small, between = count > 30, (room - 92) / max(len(rows) - 1, 1)
    tile = (40.0, 32.0) if small else (54.0, 40.0) if down or between >= 116 else (46.0, 36.0)
    along = 120.0 if down else max(104.0 if small else 96.0, min(230.0, between))
    across = 80.0 if down else 78.0 if small else 92.0
    ways = Counter(source for source, _ in edges)
    more = {n: 64.0 if down else 14.0 * min(many, WAYS) for n, many in ways.items() if many > 1}
    heights = _heights(rows, chains, across, more)
    column = {vertex: n for n, row in enumerate(rows) for vertex in row}

    def spot(vertex: int) -> Spot:
        x, y = 46 + column[vertex] * along, 46 + heights[vertex]
        return Spot(round(y, 1), round(x, 1)) if down else Spot(round(x, 1), round(y, 1))

    beside = [edges[:n].count(edge) - (edges.count(edge) - 1) / 2 for n, edge in enumerate(edges)]
    wires = tuple(
        _wire([spot(each) for each in chain], tile, down, shift * 14.0)
        for chain, shift in zip(chains, beside, strict=True)
    )
    last = max(more.get(n, 0) for n in range(count)) if count else 0
    long, wide = 92 + (len(rows) - 1) * along, 92 + max(heights.values()) + (0 if down else last)
    size = (wide + 70, long) if down else (long, wide)
    return Sketch(round(size[0]), round(size[1]), tile, tuple(spot(n) for n in range(count)), wires)


def _wire(points: Sequence[Spot], tile: tuple[float, float], down: bool, shift: float) -> Wire:
    """A wire through these places; `shift` keeps those between the same two vertices apart."""
    points = [Spot(each.x + shift * down, each.y + shift * (not down)) for each in points]
    first, last = points[0], points[-1]
    if down:
        first, last = Spot(first.x, first.y + tile[1] / 2), Spot(last.x, last.y - tile[1] / 2)
    else:
        first, last = Spot(first.x + tile[0] / 2, first.y), Spot(last.x - tile[0] / 2, last.y)
    found = [first, *points[1:-1], last]
    text = f"M{first.x:g} {first.y:g}"
    for a, b in itertools.pairwise(found):
        mx, my = (a.x + b.x) / 2, (a.y + b.y) / 2
        bends = f"{a.x:g} {my:g} {b.x:g} {my:g}" if down else f"{mx:g} {a.y:g} {mx:g} {b.y:g}"
        text += f"C{bends} {b.x:g} {b.y:g}"
    return Wire(text, tuple(_on(found, at, down) for at in PLACES))


def _on(points: Sequence[Spot], at: float, down: bool) -> Spot:
    """The place on a wire at a share of its bends."""
    n = min(int(at * (len(points) - 1)), len(points) - 2)
    a, b, t = points[n], points[n + 1], at * (len(points) - 1) - n
    along, across = 1.5 * t * (1 - t) + t**3, 3 * t * t - 2 * t**3  # of a cubic whose two handles stand half way
    x, y = (across, along) if down else (along, across)
    return Spot(round(a.x + (b.x - a.x) * x, 1), round(a.y + (b.y - a.y) * y, 1))


Box = tuple[float, float, float, float]  # left, top, right, bottom


class Taken:
    """Boxes that a drawing has already, found by where they are."""

    CELL = 64.0

    def __init__(self, boxes: Iterable[Box] = ()) -> None:
        self._at: dict[tuple[int, int], list[Box]] = {}
        for box in boxes:
            self.take(box)

    def take(self, box: Box) -> None:
        """One more."""
        for cell in self._cells(box):
            self._at.setdefault(cell, []).append(box)

    def overlap(self, box: Box) -> float:
        """How much of a box is taken."""
        near = {other for cell in self._cells(box) for other in self._at.get(cell, ())}
        return sum(
            max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
            * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
            for other in near
        )

    def _cells(self, box: Box) -> Iterator[tuple[int, int]]:
        left, top, right, bottom = (int(each // self.CELL) for each in box)
        return ((x, y) for x in range(left, right + 1) for y in range(top, bottom + 1))


def label_places(wires: Sequence[Wire], sizes: Sequence[tuple[float, float]], taken: Taken) -> list[Spot]:
    """Where each edge's label of that size stands: at the first of its places that is free, else where least is."""
    found = []
    for wire, (wide, high) in zip(wires, sizes, strict=True):
        boxes = [(at.x - wide / 2, at.y - high / 2, at.x + wide / 2, at.y + high / 2) for at in wire.places]
        free = (n for n, box in enumerate(boxes) if not wide or not taken.overlap(box))
        best = next(free, -1)
        if best < 0:
            best = min(range(len(boxes)), key=lambda n: taken.overlap(boxes[n]))
        if wide:
            taken.take(boxes[best])
        found.append(wire.places[best])
    return found
