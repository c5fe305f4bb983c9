"""A graph of operations as a drawing: in columns from left to right, or in rows from above, with few crossings.

A vertex's column is the longest way to it, an input stands one before its first use. Edges that pass a column have a
place in it; places are ordered by the mean of their neighbours, back and forth, and of these orders the one with the
fewest crossings is kept.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Place = tuple[int, int]  # column, and a vertex from 0 or below 0 for where an edge passes
SWEEPS = 12


@dataclass(frozen=True)
class Spot:
    """A vertex: the middle of its tile."""

    x: float
    y: float


@dataclass(frozen=True)
class Wire:
    """An edge: its path, and where its label stands."""

    path: str
    x: float
    y: float


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
    for sweep in range(SWEEPS if fewest else 0):
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
        total += sum(a > b for n, a in enumerate(ends) for b in ends[n + 1 :])
    return total


def _heights(rows: Sequence[Sequence[int]], chains: Sequence[Sequence[int]], pitch: float) -> dict[int, float]:
    """Where each stands across its column: as near to its neighbours as its order and the pitch let it."""
    near: dict[int, list[int]] = {}
    for chain in chains:
        for left, right in itertools.pairwise(chain):
            near.setdefault(left, []).append(right)
            near.setdefault(right, []).append(left)
    tallest = max(map(len, rows))
    at = {v: (n + (tallest - len(row)) / 2) * pitch for row in rows for n, v in enumerate(row)}
    for _ in range(8):
        for row in rows:
            wished = [sum(at[e] for e in near.get(v, [v])) / len(near.get(v, [v])) for v in row]
            gaps = [pitch if v >= 0 or w >= 0 else pitch * 0.5 for v, w in itertools.pairwise(row)]
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
    small = count > 30
    tile = (40.0, 32.0) if small else (54.0, 40.0)
    along = 120.0 if down else max(96.0 if small else 112.0, min(170.0, (room - 90) / max(len(rows) - 1, 1)))
    across = 80.0 if down else 78.0 if small else 92.0
    heights = _heights(rows, chains, across)
    column = {vertex: n for n, row in enumerate(rows) for vertex in row}

    def spot(vertex: int) -> Spot:
        x, y = 46 + column[vertex] * along, 46 + heights[vertex]
        return Spot(round(y, 1), round(x, 1)) if down else Spot(round(x, 1), round(y, 1))

    wires = tuple(_wire([spot(each) for each in chain], tile, down, n) for n, chain in enumerate(chains))
    long, wide = 92 + (len(rows) - 1) * along, 92 + max(heights.values())
    size = (wide + 70, long) if down else (long, wide)
    return Sketch(round(size[0]), round(size[1]), tile, tuple(spot(n) for n in range(count)), wires)


def _wire(points: Sequence[Spot], tile: tuple[float, float], down: bool, n: int) -> Wire:
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
    half = len(found) // 2
    return Wire(text, (found[half - 1].x + found[half].x) / 2, (found[half - 1].y + found[half].y) / 2)
