"""What the lesson on circuits opens with: numbers that go in, and the message that comes back, a box at a time."""

from collections.abc import Sequence
from typing import Any

from app.draw.graph import Spot, sketch
from app.learn.circuits import SUM_TIMES, circuit, moved, output
from app.learn.scenes import WIDTH, Film, Shape, from_frame, label, shape
from app.words.numbers import fixed_signed
from engine import Graph
from engine.primitives import PRIMITIVES

TILE = (48.0, 36.0)
FRAMES = 7


def circuit_scene(head: Any) -> Film:
    """f = (x + y) · z: forwards, backwards, and what the gradient of x promised."""
    of = circuit(SUM_TIMES, {"x": -2, "y": 5, "z": -4})
    after = moved(of, "x", 0.1)
    drawn = sketch(len(of.vertices), [(e.source, e.target) for e in of.edges], room=WIDTH - 20)
    spots = [Spot(each.x + (WIDTH - drawn.width) / 2, each.y + 14) for each in drawn.spots]
    forward = {name: n for n, names in enumerate((("x", "y", "z"), ("q",), ("f",))) for name in names}
    backward = {name: n for n, names in enumerate((("f",), ("q", "z"), ("x", "y")), 3) for name in names}
    back = [backward[of.vertices[edge.source].name] for edge in of.edges]
    shapes = [*_lines(of, spots), *_pulses(of, spots, forward, backward)]
    for n, vertex in enumerate(of.vertices):
        shapes += _box(of, n, spots[n], forward[vertex.name], backward[vertex.name], after)
    for edge, spot, first in zip(of.edges, _middles(of, spots), back, strict=True):
        told = f"× {fixed_signed(of.slopes[edge], 0)}"
        shapes.append(label("dot-label slope", spot.x, spot.y + 4, told, "middle", from_frame(first, FRAMES)))
    return Film("There and back through a circuit", _captions(of, after), tuple(shapes), telling=4, seconds=9)


def _lines(of: Graph, spots: Sequence[Spot]) -> list[Shape]:
    drawn = []
    for edge in of.edges:
        a, b = spots[edge.source], spots[edge.target]
        drawn.append(shape("line", "circuit-edge", x1=a.x, y1=a.y, x2=b.x, y2=b.y))
    return drawn


def _pulses(of: Graph, spots: Sequence[Spot], forward: dict[str, int], backward: dict[str, int]) -> list[Shape]:
    """A dot on each line, on its way to a box as it computes, and on its way back as the gradient does."""
    drawn = []
    for edge in of.edges:
        a, b = spots[edge.source], spots[edge.target]
        names = of.vertices[edge.target].name, of.vertices[edge.source].name
        for kind, first, start, end in (
            ("forward", forward[names[0]] - 1, a, b),
            ("backward", backward[names[1]] - 1, b, a),
        ):
            begun = Spot(start.x + 0.3 * (end.x - start.x), start.y + 0.3 * (end.y - start.y))
            places = [begun if frame <= first else end for frame in range(FRAMES)]
            shown = from_frame(first, FRAMES, first)
            cx, cy = [p.x for p in places], [p.y for p in places]
            drawn.append(shape("circle", f"dot {kind}", cx=cx, cy=cy, r=6, opacity=shown))
    return drawn


def _box(of: Graph, place: int, at: Spot, forward: int, backward: int, after: Graph) -> list[Shape]:
    """A box with its sign, its number above and its gradient below; at the end the number with x a little larger."""
    vertex, (wide, high) = of.vertices[place], TILE
    given = vertex.kind == "input"
    name = "" if given else f"{vertex.name} "
    numbers = [name + fixed_signed((after if frame == FRAMES - 1 else of).data[place], 1) for frame in range(FRAMES)]
    rounded = high / 2 if given else 7.0
    grad, sign = fixed_signed(of.grad[place], 0), vertex.name if given else PRIMITIVES[vertex.kind].sign
    return [
        shape("rect", "scene-unit", x=at.x - wide / 2, y=at.y - high / 2, width=wide, height=high, rx=rounded),
        label("code-text", at.x, at.y + 5, sign, "middle"),
        label("dot-label forward", at.x, at.y - high / 2 - 6, numbers, "middle", from_frame(forward, FRAMES)),
        label("dot-label backward", at.x, at.y + high / 2 + 15, grad, "middle", from_frame(backward, FRAMES)),
    ]


def _middles(of: Graph, spots: Sequence[Spot]) -> list[Spot]:
    pairs = [(spots[edge.source], spots[edge.target]) for edge in of.edges]
    return [Spot((a.x + b.x) / 2, (a.y + b.y) / 2) for a, b in pairs]


def _captions(of: Graph, after: Graph) -> tuple[str, ...]:
    data = {vertex.name: fixed_signed(of.data[n], 0) for n, vertex in enumerate(of.vertices)}
    grad = {vertex.name: fixed_signed(of.grad[n], 0) for n, vertex in enumerate(of.vertices)}
    return (
        f"Three numbers go in: x = {data['x']}, y = {data['y']}, z = {data['z']}.",
        f"The first box adds: q = {data['q']}.",
        f"The second multiplies: f = {data['f']}.",
        "Now backwards. f goes with itself one for one: its gradient is 1.",
        f"Through × each gets the other's number: q gets {grad['q']}, z gets {grad['z']}.",
        f"+ passes on what comes in: x and y get {grad['x']} each.",
        f"So x a tenth larger should make f change by a tenth of {grad['x']}: it is {fixed_signed(output(after), 1)}.",
    )
