"""One example of a network's step as a formula of its scalars, and as the graph of it.

    graph_of(trace(state, example=3))             # every number of both passes
    graph_of(trace(state, example=3), "a1.2")     # one unit's part of them

Names are the addresses, with _ for dots: W2_1_3 is W2.1.3. The formula is written from the step's own equations, so
that the graph's gradients are those of the trace. A unit's part takes what it receives as given, and ends in what comes
back to it times what it gives: by that, its gradients are the step's, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from engine.checks import SpecError
from engine.equation import Apply, Equation, Number, Over, Product, Ref, Sum, Tree, mapped, parts, written_out
from engine.equations import Equations
from engine.graph import Graph, graph
from engine.language import NODES
from engine.lookup import Numbers
from engine.quantity import Quantity, bias
from engine.tracing import Trace
from engine.wording import said

STRONGEST = 24  # links of a unit that are told one by one where there are more than the graph has room for
_CALLED = {"ln": "log"}
_RAISED = {"square": 2, "cube": 3}


def graph_of(trace: Trace, unit: Quantity | str = "") -> Graph:
    """The graph of a trace's one example: of the whole network, or of one unit's part. SpecError where it has more
    nodes than a graph may have."""
    if isinstance(trace, Trace) and trace.spec.network.mixes_examples:
        raise SpecError("layers", "batch_norm", "left out: it mixes the examples of a batch, and a graph is of one")
    if isinstance(trace, Trace) and trace.spec.network.has_images:
        raise SpecError("layers", "conv2d", "left out: a graph has a node a number, and feature maps have too many")
    if not isinstance(trace, Trace) or len(trace.examples) != 1:
        raise SpecError("trace", trace, "the trace of one example, such as trace(state, example=0)")
    if unit:
        return _read(
            _Writer(trace).part(*_unit(trace, unit)), said("one whose part has at most {most} nodes", most=NODES)
        )
    named = said("named, such as a1.1: the whole network has more than {most} nodes", most=NODES)
    if 2 * trace.spec.network.size > NODES:
        raise SpecError("unit", None, named)
    return _read(_Writer(trace).whole(), named)


def largest_graph_of(trace: Trace, unit: Quantity | str = "") -> Graph:
    """That of the whole network if it is small enough, else the part of this unit, or of the first output."""
    try:
        return graph_of(trace)
    except SpecError as error:
        if error.field in ("trace", "layers"):
            raise
        return graph_of(trace, unit or Quantity("a", len(trace.layers), (1,)))


def name_in_graph(of: Quantity) -> str:
    """What a quantity of a step is called in its graph."""
    places = (of.layer, *of.index) if of.layer else of.index
    return of.kind + "_".join(map(str, places)) if of.layer else "_".join(map(str, (of.kind, *places)))


def _unit(trace: Trace, given: Quantity | str) -> tuple[int, int]:
    try:
        of = given if isinstance(given, Quantity) else Quantity.parse(given)
    except (TypeError, ValueError):
        of = Quantity("")
    sizes = trace.spec.network.sizes
    if not (1 <= of.layer < len(sizes) and 1 <= of.unit <= sizes[of.layer]):
        raise SpecError("unit", given, "a unit of layers 1 to {count}, such as a1.1", count=len(sizes) - 1)
    return of.layer, of.unit


def _read(of: "_Writer", allowed: str) -> Graph:
    try:
        return graph("\n".join(of.lines), of.values)
    except SpecError as error:
        if error.field.startswith("source"):
            raise SpecError("unit", None, allowed) from None
        raise


@dataclass
class _Writer:
    """Lines of a formula, and the values of what no line explains."""

    trace: Trace
    lines: list[str] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    once: dict[Tree, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.of, self.look = Equations.of(self.trace), Numbers(self.trace)
        # What an operation keeps, such as a mask, is told as the number that it is.
        self.held = {name for k in range(1, self.of.last + 1) for name in self.of.network.kept(k)}

    def whole(self) -> "_Writer":
        """Every unit, and the loss."""
        for k in range(1, self.of.last + 1):
            for j in self.of.units(k):
                self._line(self.of.z(k, j, 0))
            self._above(k, self.of.units(k))
        self._line(self.of.loss())
        return self

    def part(self, k: int, j: int) -> "_Writer":
        """One unit, from what it receives to what it gives; at the output, to the loss."""
        self._sum(k, j)
        mixed = bool(self.of.activation(k).product) or k in self.of.network.norms  # where units share, all are there
        self._above(k, self.of.units(k) if mixed else [j])
        if k == self.of.last:
            self._line(self.of.loss())
        else:
            self._closed(k, self.of.units(k) if mixed else [j])
        return self

    def _sum(self, k: int, j: int) -> None:
        """A unit's z; of very many links the strongest, and the others together as one number."""
        z, sources = self.of.z(k, j, 0), self.of.units(k - 1)
        if 2 * len(sources) <= NODES // 2:
            self._line(z)
            return
        carried = [float(self.look(Quantity("p", k, (j, i), 0))) for i in sources]
        strongest = sorted(np.argsort(-np.abs(carried), kind="stable")[:STRONGEST].tolist())
        terms = [self.of.product(k, j, n + 1, 0).tree for n in strongest]
        self.values["rest"] = sum(each for n, each in enumerate(carried) if n not in strongest)
        told = [*map(self._text, terms), "rest", self._name(bias(k, j))]
        self._put(z.target, f"sum([{', '.join(told)}])")

    def _above(self, k: int, units: Sequence[int]) -> None:
        """What the units of a layer make of their z."""
        if k in self.of.network.norms:
            self._line(self.of.mean(k, 1, 0))
            self._line(self.of.spread(k, 1, 0))
            for j in units:
                self._line(self.of.xhat(k, j, 0))
                self._line(self.of.n(k, j, 0))
        made = [self.of.a(k, j, 0) for j in units]
        self._shared(k, [self._plain(written_out(each.tree, each.where)) for each in made])
        for each in made:
            self._line(each)
        for j in units:
            for letter in self.of.network.attached(k):
                self._line(self.of.attached(letter, k, j, 0))

    def _shared(self, k: int, trees: Sequence[Tree]) -> None:
        """What units of a layer have in common gets a line of its own, so that it is computed once."""
        seen: set[Tree] = set()
        for each in (inner for made in trees for inner in _inner(made)):
            if each in seen and each not in self.once:
                name = f"t{k}_{len(self.once) + 1}"
                self.lines.append(f"{name} = {self._text(each)}")
                self.once[each] = name
            seen.add(each)

    def _closed(self, k: int, units: Sequence[int]) -> None:
        """What comes back to units, times what they give."""
        given, back = self.of.network.given_kind(k), self.trace.layers[k - 1].back[0]
        terms = (f"{float(back[j - 1])!r}*{name_in_graph(Quantity(given, k, (j,)))}" for j in units)
        self.lines += ["# what comes back to it is held as it is", "L = " + " + ".join(terms)]

    def _line(self, of: Equation) -> None:
        self._put(of.target, self._text(self._plain(written_out(of.tree, of.where))))

    def _put(self, target: Quantity, text: str) -> None:
        name = "L" if target.kind == "loss" else name_in_graph(target)
        self.made.add(name)
        self.lines.append(f"{name} = {text}")

    def _plain(self, of: Tree) -> Tree:
        """A tree whose sums over letters are written out, with the counts and masks as numbers."""
        match of:
            case Ref(quantity) if quantity.kind in ("count", "outputs", "eps") or quantity.kind in self.held:
                return Number(float(self.look(quantity)))
            case Over(_, letter, values, body):
                bound = (mapped(body, lambda q, v=v: q.bind({letter: v})) for v in values)  # type: ignore[misc]
                found = tuple(map(self._plain, bound))
                return found[0] if len(found) == 1 else Sum(found)
            case Sum(terms):
                found = tuple(map(self._plain, terms))
                return Sum(tuple(each for some in found for each in (some.terms if isinstance(some, Sum) else (some,))))
            case Product(factors, over):
                return _simple([*map(self._plain, factors)], [*map(self._plain, over)])
            case Apply("max", (Number(0.0), inner)):
                return Apply("relu", (self._plain(inner),))
            case Apply(function, arguments):
                return Apply(function, tuple(map(self._plain, arguments)))
        return of

    def _text(self, of: Tree, within: int = 0) -> str:
        """A plain tree in the language of formulas, in brackets where it binds less than `within`: 0 a sum, 1 a
        product, 2 a power, 3 a name."""
        text, level = self._told(of)
        return text if level >= within else f"({text})"

    def _told(self, of: Tree) -> tuple[str, int]:
        match of:
            case _ if of in self.once:
                return self.once[of], 3
            case Number(number):
                return (f"{number:g}" if number == int(number) else repr(number)), (3 if number >= 0 else 1)
            case Ref(quantity):
                return self._name(quantity), 3
            case Sum((left, Product((Number(-1.0), *rest), over))):
                return f"{self._text(left)} - {self._text(_simple(rest, over), 1)}", 0
            case Sum((left, right)):
                return f"{self._text(left)} + {self._text(right)}", 0
            case Sum(terms):
                return f"sum([{', '.join(map(self._text, terms))}])", 3
            case Product((Number(-1.0), *rest), over) if rest:
                return "-" + self._text(_simple(rest, over), 1), 1
            case Product(factors, over):
                under = "".join("/" + self._text(each, 2) for each in over)
                return "*".join(self._text(each, 2 if n else 1) for n, each in enumerate(factors)) + under, 1
            case Apply(function, (inner,)) if function in _RAISED:
                return f"{self._text(inner, 3)}**{_RAISED[function]}", 2
            case Apply("expm1", (inner,)):
                return f"exp({self._text(inner)}) - 1", 0
            case Apply(function, arguments):
                return f"{_CALLED.get(function, function)}({', '.join(map(self._text, arguments))})", 3
        raise TypeError(f"no plain tree: {of!r}")

    def _name(self, of: Quantity) -> str:
        name = name_in_graph(of)
        if name not in self.made:
            self.values[name] = float(self.look(of))
        return name


def _inner(of: Tree) -> Iterator[Tree]:
    """What a tree computes, the innermost first."""
    for part in parts(of):
        yield from _inner(part)
    if isinstance(of, Apply | Sum):
        yield of


def _simple(factors: Sequence[Tree], over: Sequence[Tree]) -> Tree:
    """A product whose numbers are one, in front."""
    number = reduce(lambda made, each: made * each.value, (e for e in factors if isinstance(e, Number)), 1.0)
    number = reduce(lambda made, each: made / each.value, (e for e in over if isinstance(e, Number)), number)
    others = tuple(each for each in factors if not isinstance(each, Number))
    under = tuple(each for each in over if not isinstance(each, Number))
    found = (Number(number), *others) if number != 1.0 or not others else others
    return found[0] if len(found) == 1 and not under else Product(found, under)
