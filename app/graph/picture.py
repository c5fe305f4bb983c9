"""What the page of a formula shows at one moment, gathered for its template."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import numpy as np

from app.draw.charts import Axis, path
from app.draw.graph import WAYS, Box, Sketch, Taken, label_places, sketch
from app.graph.asks import RATE, SHOW, Asks, address_of
from app.graph.moments import PassMoment, moments, slope_text
from app.learn.graph_problems import problem_at
from app.learn.judging import Problem, Verdict, check
from app.words.columns import Cells
from app.words.graph import plain_name
from app.words.numbers import MINUS, SUPERSCRIPTS, UNKNOWN, given, signed
from engine import Graph
from engine.equation import Number
from engine.graph import Edge
from engine.language import Vertex
from engine.primitives import PRIMITIVES

NUDGE, POINTS, REACH = 1e-4, 41, 2.0
LETTER = 7.5  # that a letter of the drawing takes, about
BARE = "-"  # the moment before all others: only what is given is known
ROOMS = {"s": 330, "n": 540, "m": 736, "l": 896}


@dataclass(frozen=True)
class GraphPicture:
    """All that the page shows of a graph at one moment."""

    graph: Graph
    asks: Asks
    sketch: Sketch
    moments: tuple[PassMoment, ...]
    index: int | None

    @property
    def moment(self) -> PassMoment | None:
        """The moment of the walk, if there is one."""
        return None if self.index is None or self.index < 0 else self.moments[self.index]

    @property
    def forwards(self) -> int:
        """How many moments go forwards."""
        return len(self.graph.operations)

    def spelled(self, index: int) -> str:
        """A moment's name in the address: by what it computes."""
        each = self.moments[index]
        place = f".{self.graph.ways[each.beat.vertex].index(each.beat.edge)}" if each.beat.edge else ""
        return self.graph.spelled(each.target) + place

    @cached_property
    def asked(self) -> Problem | None:
        """What is asked at this moment before it is shown."""
        if self.moment is None or not self.asks.predict:
            return None
        return problem_at(self.graph, self.moment.beat, self.asks.predict == "number")

    @property
    def verdict(self) -> Verdict | None:
        """Of an answer to that."""
        given = self.asks.answer
        return check(self.asked, given) if self.asked and given and given != SHOW else None

    @property
    def hidden(self) -> bool:
        """Whether what the moment computes is to be said first."""
        unread = self.verdict is not None and self.verdict.factor in ("number", "choice")
        return self.asked is not None and (not self.asks.answer or unread)

    @property
    def cells(self) -> Cells:
        """The moment's equation; what is to be said stands as a question mark."""
        made = self.moment.cells if self.moment else ()
        return (replace(made[0], number=UNKNOWN), *made[1:]) if made and self.hidden else made

    def known(self, place: int) -> tuple[bool, bool]:
        """Whether a vertex's number and its gradient are computed at this moment."""
        if self.index is None:
            return True, True
        forward, backward = self._done
        return self.graph.vertices[place].kind == "input" or place in forward, place in backward

    @cached_property
    def _done(self) -> tuple[Set[int], Set[int]]:
        """The vertices whose number, and whose whole gradient, are there at this moment."""
        done = [each.beat for each in self.moments[: (self.index or 0) + (not self.hidden)]]
        whole = {beat.vertex for beat in done if beat.phase == "backward" and self._whole(beat.edge)}
        return {beat.vertex for beat in done if beat.phase == "forward"}, whole

    def _whole(self, edge: Edge | None) -> bool:
        return edge is None or len(self.graph.ways[edge.source]) == 1

    @cached_property
    def lit(self) -> tuple[int, tuple[Edge, ...]]:
        """The vertex and the edges of the moment; below 0 for none."""
        if self.moment is None:
            return -1, ()
        beat = self.moment.beat
        if beat.edge:
            return beat.vertex, (beat.edge,)
        into = tuple(edge for edge in self.graph.edges if edge.target == beat.vertex)
        return beat.vertex, into if beat.phase == "forward" else self.graph.ways[beat.vertex]

    @cached_property
    def nodes(self) -> list[dict[str, Any]]:
        """Every vertex as it is drawn."""
        found = []
        for n, (vertex, spot) in enumerate(zip(self.graph.vertices, self.sketch.spots, strict=True)):
            data, grad = self.known(n)
            sign = plain_name(vertex.name) if vertex.kind == "input" else _sign(vertex)
            found.append(
                {
                    "id": n,
                    "name": plain_name(vertex.name),
                    "x": spot.x,
                    "y": spot.y,
                    "sign": sign[:9],
                    "long": len(sign) > 4,
                    "input": vertex.kind == "input",
                    "data": signed(self.graph.data[n]) if data else "?",
                    "grad": signed(self.graph.grad[n]) if grad else "?",
                    "lit": n == self.lit[0],
                    "first": n == max(self.lit[0], 0),
                    "to": self.spelled(self.turn[n]),
                    "code": self.graph.code(self.graph.forward(n).tree) if vertex.kind != "input" else "given",
                    "ways": self._ways(n) if grad and len(self.graph.ways[n]) > 1 and n == self.lit[0] else [],
                }
            )
        return found

    def _ways(self, place: int) -> list[tuple[str, str]]:
        names, ways = self.graph.vertices, self.graph.ways[place]
        told = [(f"via {plain_name(names[edge.target].name)}", signed(self.graph.back(edge))) for edge in ways]
        return told if len(told) <= WAYS else [*told[: WAYS - 1], (f"and {len(told) - WAYS + 1} more", "")]

    @cached_property
    def turn(self) -> Mapping[int, int]:
        """Of each vertex the moment at which its gradient is whole."""
        return {each.beat.vertex: each.index for each in self.moments if each.beat.phase == "backward"}

    @cached_property
    def edges(self) -> list[dict[str, Any]]:
        """Every edge as it is drawn."""
        lit, told = self.lit[1], [slope_text(self.graph, edge) for edge in self.graph.edges]
        passed = {n for n in range(len(self.graph.vertices)) if self.index is not None and self.known(n)[1]}
        small = self.sketch.tile[0] < 50
        told = [
            (told_[0] if not small or edge in lit else "", told_[1]) if self.known(edge.target)[0] else ("", "")
            for edge, told_ in zip(self.graph.edges, told, strict=True)
        ]
        spots = label_places(self.sketch.wires, [_size(*each) for each in told], Taken(self._boxes()))
        return [
            {
                "path": wire.path, "x": spot.x, "y": spot.y, "formula": formula, "number": number, "id": n,
                "kind": "lit" if edge in lit else "passed" if edge.source in passed else "",
            }
            for n, (edge, wire, spot, (formula, number)) in enumerate(
                zip(self.graph.edges, self.sketch.wires, spots, told, strict=True)
            )
        ]  # fmt: skip

    def _boxes(self) -> Iterator[Box]:
        """What the nodes of the drawing take, with their texts."""
        wide, high = self.sketch.tile
        for node in self.nodes:
            x, y = node["x"], node["y"]
            yield x - wide / 2, y - high / 2, x + wide / 2, y + high / 2
            above = LETTER * len(node["data"] if node["input"] else f"{node['name']} {node['data']}") / 2
            below = LETTER * len(node["grad"]) / 2
            yield x - above, y - high / 2 - 18, x + above, y - high / 2
            yield x - below, y + high / 2, x + below, y + high / 2 + 18

    def sliders(self) -> list[dict[str, Any]]:
        """The inputs' values, a list's as one field."""
        found = []
        for name, value in self.graph.values.items():
            alone = isinstance(value, float)
            told = given(float(value)) if isinstance(value, float) else ", ".join(given(float(v)) for v in value)
            most = max(3.0, 2 * abs(value)) if isinstance(value, float) else 0.0
            found.append({"name": name, "shown": plain_name(name), "value": told, "alone": alone, "most": f"{most:g}"})
        return found

    @property
    def kept(self) -> str:
        """The values as they are, for when the next ones cannot be drawn."""
        return urlencode({each["name"]: each["value"] for each in self.sliders()})

    def slices(self) -> list[dict[str, Any]]:
        """The output over each input near where it is, with the tangent where the gradient is known."""
        with np.errstate(all="ignore"):
            return [self._slice(place) for place in self.graph.inputs[:8]]

    def _slice(self, place: int) -> dict[str, Any]:
        here, out, grad = self.graph.data[place], self.graph.data[self.graph.output], self.graph.grad[place]
        reach = max(REACH, abs(here))
        xs = np.linspace(here - reach, here + reach, POINTS)
        ys = self.graph.along(place, xs) + np.zeros(POINTS)
        fine = ys[np.isfinite(ys)]
        low, high = (float(fine.min()), float(fine.max())) if len(fine) else (0.0, 1.0)
        across, up = Axis(xs[0], xs[-1], 4, 116), Axis(low, high if high > low else low + max(1.0, abs(low)), 56, 6)
        ends = here + np.array([-0.5, 0.5])
        promised = out + grad * (ends - here)
        tangent = path(across(ends), up.start + (promised - up.low) / (up.high - up.low) * (up.end - up.start))
        known = self.known(place)[1] and np.isfinite(grad)
        return {
            "name": plain_name(self.graph.vertices[place].name),
            "curve": path(across(xs), up(ys)),
            "tangent": tangent if known else "",
            "x": across.at(here),
            "y": up.at(out) if np.isfinite(out) else 56,
            "slope": signed(grad) if known else "?",
        }

    def nudged(self) -> dict[str, Any]:
        """The chosen input moved a little both ways, beside its gradient."""
        inputs = {self.graph.vertices[n].name: n for n in self.graph.inputs}
        beside = self.moment.beat.vertex if self.moment else -1
        first = beside if beside in self.graph.inputs else self.graph.inputs[0]
        place = inputs.get(self.asks.nudge, first)
        here, grad = self.graph.data[place], self.graph.grad[place]
        size = NUDGE * max(1.0, abs(here))
        up, down = (self.graph.after({place: here + step}) for step in (size, -size))
        slope = (up - down) / (2 * size)
        rounding = 4e-16 * max(abs(up), abs(down)) / size  # what the slope cannot tell
        same = bool(abs(slope - grad) <= 1e-3 * max(abs(grad), abs(slope)) + rounding)
        return {
            "name": plain_name(self.graph.vertices[place].name),
            "size": f"{size:g}",
            "up": signed(up, 8),
            "down": signed(down, 8),
            "slope": signed(slope, 5),
            "grad": signed(grad, 5),
            "same": same,
            "hidden": self.hidden or (bool(self.asks.predict) and not self.known(place)[1]),
        }

    def stepped(self) -> dict[str, Any]:
        """All inputs moved a little against their gradients, and the output after it."""
        moved = self.graph.moved(self.asks.rate)
        values: dict[str, str] = {}
        for name, value in self.graph.values.items():
            places = [n for n in self.graph.inputs if self.graph.vertices[n].name in (name, *_items(name, value))]
            values[name] = ", ".join(repr(moved[place]) for place in places)
        finite = all(np.isfinite(each) for each in moved.values())
        before = self.graph.data[self.graph.output]
        return {
            "before": signed(before),
            "after": signed(self.graph.after(moved)),
            "rate": given(self.asks.rate),
            "url": self.url(values, "") if finite else "",
        }

    def url(self, values: Mapping[str, str] | None = None, at: str | None = None, path: str = "/graph") -> str:
        """The address of what is shown."""
        sliders = {each["name"]: each["value"] for each in self.sliders()} if values is None else values
        fields = {"at": self.asks.at if at is None else at, "grain": "edge" if self.asks.grain == "edge" else ""}
        fields |= {
            "predict": self.asks.predict,
            "nudge": self.asks.nudge,
            "back": self.asks.back if path == "/graph" else "",
            "rate": "" if self.asks.rate == 0.1 else given(self.asks.rate),
        }
        return address_of(self.graph.source, sliders, fields, path)

    @property
    def output(self) -> str:
        """The output's name."""
        return plain_name(self.graph.vertices[self.graph.output].name)


def _sign(vertex: Vertex) -> str:
    """What a node does, with the plain number that it does it with: 3 ×, ÷ 2, x³."""
    sign = PRIMITIVES[vertex.kind].sign
    place = next((n for n, each in enumerate(vertex.of) if isinstance(each, Number)), None)
    if place is None or PRIMITIVES[vertex.kind].called:
        return sign
    number = f"{vertex.of[place].value:.3g}".replace("-", MINUS)  # type: ignore[attr-defined]
    if "ⁿ" in sign:
        whole = number.isdigit()
        return f"{number}ˣ" if not place else f"x{number.translate(SUPERSCRIPTS)}" if whole else f"x^{number}"
    return f"{sign} {number}" if place and vertex.kind in ("div", "sub") else f"{number} {sign}"


def _size(formula: str, number: str) -> tuple[float, float]:
    """What the label of an edge takes."""
    wide = LETTER * max(len(formula) + 2 if formula else 0, len(number))
    return wide, 28.0 if formula else 14.0


def _items(name: str, value: Any) -> tuple[str, ...]:
    return () if isinstance(value, float) else tuple(f"{name}_{n}" for n in range(len(value)))


def still(of: Graph, at: str, size: str = "n") -> GraphPicture:
    """A graph as a picture in another page: what is computed up to a moment, which is named by its quantity."""
    return picture(Asks(of.source, {}, "", at, "node", "", RATE, size, still=True), of)


def picture(asks: Asks, of: Graph) -> GraphPicture:
    """A graph as the page shows it at what is asked."""
    pairs = [(edge.source, edge.target) for edge in of.edges]
    drawn = sketch(len(of.vertices), pairs, asks.size == "s", ROOMS[asks.size])
    shown = GraphPicture(of, asks, drawn, moments(of, asks.grain), None)
    names = [shown.spelled(n) for n in range(len(shown.moments))]
    index = names.index(asks.at) if asks.at in names else -1 if asks.still and asks.at == BARE else None
    return GraphPicture(of, asks, drawn, shown.moments, index)
