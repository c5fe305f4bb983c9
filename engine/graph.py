"""A formula as a graph of its operations: every number forwards, every gradient backwards, every local slope.

    graph("L = (tanh(a*b + c) - y)**2", {"a": 0.8, "b": -1.5, "c": 2, "y": -0.5})

What a vertex computes and what each of its edges hands back are equations, of the same kind as those of a network's
step, and evaluated to get the numbers: what is told and what is computed are one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from html import escape
from operator import add
from typing import Any, Literal

import numpy as np

from engine.arrays import Floats
from engine.checks import SpecError, number, plain, sequence
from engine.equation import Equation, Number, Product, Sum, Tree, mapped, numpy_of, tree, value
from engine.language import ITEMS, LARGEST, NAME, Given, Vertex, datum, named, read
from engine.primitives import PRIMITIVES, applied
from engine.quantity import Quantity
from engine.shown import graph_picture, table
from engine.wording import Words, said

_SHOWN = 40  # vertices that a notebook draws, inputs that it lists, characters of the source
Grain = Literal["node", "edge"]


@dataclass(frozen=True)
class Edge:
    """What goes from a vertex into another, at one of its places; there may be two between the same."""

    source: int
    target: int
    place: int


@dataclass(frozen=True)
class Beat:
    """A moment of the two passes: a vertex forwards, a vertex's gradient backwards; by edges one way back first, or
    that the ways add (`adds`)."""

    phase: Literal["forward", "backward"]
    vertex: int
    edge: Edge | None = None
    adds: bool = False


@dataclass(frozen=True)
class Graph:
    """A formula that has been computed. Vertices stand in computing order; `data` and `grad` are theirs."""

    source: str
    values: Mapping[str, Given]
    vertices: tuple[Vertex, ...]
    output: int
    data: tuple[float, ...]

    def __repr__(self) -> str:
        source = self.source if len(self.source) <= _SHOWN else f"{self.source[:_SHOWN]}…"
        return f"Graph({source!r}, {self.vertices[self.output].name} = {self.data[self.output]:.4g})"

    def _repr_html_(self) -> str:
        """As a notebook shows it: its vertices, each with its number and its gradient; of many, those of the inputs."""
        names, numbers = [vertex.name for vertex in self.vertices], tuple(zip(self.data, self.grad, strict=True))
        if len(names) <= _SHOWN:
            told = [f"{data:.4g}, gradient {grad:.4g}" for data, grad in numbers]
            feeds = [(edge.source, edge.target) for edge in self.edges]
            return f"<p>{escape(repr(self))}</p>{graph_picture(f'the graph of {self.source}', names, told, feeds)}"
        rows = [(names[place], *numbers[place]) for place in self.inputs[:_SHOWN]]
        return f"<p>{escape(repr(self))}</p>{table(('input', 'value', 'gradient'), rows)}"

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every edge, by the vertex it leads into."""
        return tuple(
            Edge(source, target, place)
            for target, vertex in enumerate(self.vertices)
            for place, source in enumerate(vertex.sources)
            if source is not None
        )

    @cached_property
    def ways(self) -> tuple[tuple[Edge, ...], ...]:
        """Of each vertex the edges that it feeds: over these its gradient comes back."""
        found: list[list[Edge]] = [[] for _ in self.vertices]
        for edge in self.edges:
            found[edge.source].append(edge)
        return tuple(map(tuple, found))

    @property
    def inputs(self) -> tuple[int, ...]:
        """The vertices that are given, as they are written."""
        return tuple(n for n, vertex in enumerate(self.vertices) if vertex.kind == "input")

    @property
    def operations(self) -> tuple[int, ...]:
        """The vertices that are computed."""
        return tuple(n for n, vertex in enumerate(self.vertices) if vertex.kind != "input")

    def forward(self, place: int) -> Equation:
        """What a vertex is made of."""
        vertex = self.vertices[place]
        return Equation(datum(place).quantity, applied(vertex.kind, vertex.of))

    def slope(self, edge: Edge) -> Tree:
        """The local slope of an edge: how its target changes with its source."""
        vertex = self.vertices[edge.target]
        return tree(PRIMITIVES[vertex.kind].slopes(vertex.of, datum(edge.target))[edge.place])

    def way(self, edge: Edge) -> Tree:
        """What comes back over an edge: what comes in, times the local slope."""
        comes, slope = tree(gradient(edge.target)), self.slope(edge)
        if isinstance(slope, Product) and not _negative(slope):
            return Product((comes, slope))  # so that the slope stays one factor
        return comes * slope

    def backward(self, place: int) -> Equation:
        """A vertex's gradient: what comes back over every edge that it feeds, added up; 1 at the output."""
        ways = [self.way(edge) for edge in self.ways[place]]
        if place == self.output:
            ways = [Number(1.0), *ways]
        return Equation(gradient(place), reduce(add, ways) if ways else Number(0.0))

    def back(self, edge: Edge) -> float:
        """What comes back over an edge, as a number."""
        with np.errstate(all="ignore"):
            return float(np.float64(self.grad[edge.target]) * self.slopes[edge])

    def look(self, of: Quantity, at: Any = None) -> Any:
        """The number of a vertex or of its gradient."""
        return np.float64((self.grad if of.kind == "grad" else self.data)[of.unit - 1])

    @cached_property
    def grad(self) -> tuple[float, ...]:
        """How the output changes with each vertex, from the output back."""
        found = [0.0] * len(self.vertices)

        def look(of: Quantity, at: Any) -> Any:
            return np.float64((found if of.kind == "grad" else self.data)[of.unit - 1])

        with np.errstate(all="ignore"):
            for place in reversed(range(self.output + 1)):
                found[place] = float(value(self.backward(place).tree, look))
        return tuple(found)

    @cached_property
    def slopes(self) -> Mapping[Edge, float]:
        """The number of every edge's local slope."""
        with np.errstate(all="ignore"):
            return {edge: float(value(self.slope(edge), self.look)) for edge in self.edges}

    def beats(self, grain: Grain = "node") -> tuple[Beat, ...]:
        """The moments in order: operations forwards; then from the output back every operation, then the inputs."""
        back = [*reversed(self.operations), *self.inputs]
        found = [Beat("forward", place) for place in self.operations]
        return (*found, *(beat for place in back for beat in self._back(place, grain)))

    def _back(self, place: int, grain: Grain) -> Iterator[Beat]:
        ways = self.ways[place]
        if grain == "edge" and place != self.output:
            yield from (Beat("backward", place, edge) for edge in ways)
        if grain == "node" or len(ways) != 1 or place == self.output:
            yield Beat("backward", place, adds=len(ways) > 1)

    def equation(self, beat: Beat) -> Equation:
        """What a moment computes."""
        if beat.phase == "forward":
            return self.forward(beat.vertex)
        if beat.edge:
            return Equation(gradient(beat.vertex), self.way(beat.edge))
        return self.backward(beat.vertex)

    def along(self, place: int, values: Floats) -> Floats:
        """The output with other numbers in place of one input's, the rest as it is."""
        return np.asarray(self._with({place: values}))

    def moved(self, rate: float, places: tuple[int, ...] | None = None) -> Mapping[int, float]:
        """Inputs after a little step against their gradients."""
        chosen = self.inputs if places is None else places
        return {place: self.data[place] - rate * self.grad[place] for place in chosen}

    def after(self, values: Mapping[int, float]) -> float:
        """The output with other inputs."""
        return float(self._with({place: np.float64(each) for place, each in values.items()}))

    def _with(self, values: Mapping[int, Any]) -> Any:
        found: list[Any] = list(self.data)
        for place, each in values.items():
            found[place] = each
        with np.errstate(all="ignore"):
            for place in self.operations:
                found[place] = value(self.forward(place).tree, lambda of, at: found[of.unit - 1])
        return found[self.output]

    def place_of(self, name: str) -> int:
        """The vertex of a name; KeyError if there is none."""
        return self._places[name]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {vertex.name: place for place, vertex in enumerate(self.vertices)}

    @cached_property
    def letter(self) -> str:
        """What stands before a name for its gradient in the program: d, unless that would be another's name."""
        names = set(self._places)
        return next(each for each in ("d", "d_", "grad_", "gradient_of_") if not names & {each + n for n in names})

    def spelled(self, of: Quantity) -> str:
        """A quantity's name in the program."""
        name = self.vertices[of.unit - 1].name
        return self.letter + name if of.kind == "grad" else name

    def code(self, of: Tree) -> str:
        """A tree as NumPy under the program's names."""
        return numpy_of(self._renamed(of))

    def _renamed(self, of: Tree) -> Tree:
        """The same tree, and its grouping, under the program's names."""
        if isinstance(of, Product):
            return Product(tuple(map(self._renamed, of.factors)), tuple(map(self._renamed, of.over)))
        if isinstance(of, Sum):
            return Sum(tuple(map(self._renamed, of.terms)))
        return mapped(of, lambda quantity: Quantity(self.spelled(quantity)))

    def line(self, beat: Beat) -> str:
        """A moment as a line of the program."""
        of = self.equation(beat)
        sign = "+=" if beat.edge and len(self.ways[beat.vertex]) > 1 else "="
        return f"{self.spelled(of.target)} {sign} {self.code(of.tree)}"

    @property
    def program(self) -> str:
        """Both passes as a short NumPy program, which reproduces every number."""
        inputs = [f"{self.vertices[place].name} = {self.data[place]!r}" for place in self.inputs]
        lines = [self.line(beat) for beat in self.beats()]
        forward = len(self.operations)
        return "\n".join(
            ["import numpy as np", "", *inputs, "", "# forward", *lines[:forward], "", "# backward", *lines[forward:]]
        )


def _negative(of: Product) -> bool:
    return isinstance(of.factors[0], Number) and of.factors[0].value < 0


def gradient(place: int) -> Quantity:
    """How the output changes with a vertex."""
    return Quantity("grad", 0, (place + 1,))


def graph(source: str, values: Mapping[str, Any] | None = None) -> Graph:
    """The graph of a formula at these values, computed; SpecError names what is wrong, in the source with its line and
    column."""
    if not isinstance(source, str):
        raise SpecError("source", source, "a formula as text")
    known = _given({} if values is None else values)
    found = read(source, {name: len(each) if isinstance(each, tuple) else 0 for name, each in known.items()})
    for name in known.keys() - found.inputs.keys():
        raise SpecError(f"values.{name}", None, "left out: {reason}", reason=_no_input(found.inputs))
    full: dict[str, Given] = {**found.set, **known}
    for name in found.inputs:
        if name not in full:
            raise SpecError(f"values.{name}", None, "given: a number, or a list of numbers")
    numbers = [each for name in found.inputs for each in _list(full[name])]
    made = named(found.vertices, set(NAME.findall(source)))
    given = iter(numbers)
    data: list[Any] = []
    with np.errstate(all="ignore"):
        for vertex in made:
            data.append(np.float64(next(given)) if vertex.kind == "input" else _computed(vertex, data))
    ordered = {name: full[name] for name in found.inputs}
    return Graph(source, ordered, made, found.output, tuple(map(float, data)))


def _computed(vertex: Vertex, data: list[Any]) -> Any:
    return value(applied(vertex.kind, vertex.of), lambda of, at: data[of.unit - 1])


def _no_input(inputs: Mapping[str, int]) -> Words:
    return said("the inputs are {names}", names=", ".join(inputs)) if inputs else said("the formula has no inputs")


def _list(of: Given) -> tuple[float, ...]:
    return (of,) if isinstance(of, float) else tuple(of)


def _given(values: Any) -> dict[str, Given]:
    if not isinstance(values, Mapping):
        raise SpecError("values", values, "an object of names and their numbers")
    found: dict[str, Given] = {}
    for name, each in list(values.items())[: ITEMS * ITEMS]:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise SpecError("values", name, "names of up to 24 letters and digits, each with a number")
        field, each = f"values.{name}", plain(f"values.{name}", each)
        if isinstance(each, list | tuple):
            row = sequence(field, each, "a list of numbers")
            if not 1 <= len(row) <= ITEMS:
                raise SpecError(
                    field,
                    said("{count} numbers", count=len(row)),
                    "a number, or a list of 1 to {items} numbers",
                    items=ITEMS,
                )
            found[name] = tuple(number(f"{field}.{n}", item, -LARGEST, LARGEST) for n, item in enumerate(row))
        else:
            found[name] = number(field, each, -LARGEST, LARGEST)
    return found
