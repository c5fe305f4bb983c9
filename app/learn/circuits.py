"""What the lesson on circuits shows of its formulas: their graphs at the values that the reader sets, up to a moment,
and what the output is where an input is moved.
"""

from collections.abc import Mapping

from app.graph.asks import address_of
from app.graph.picture import GraphPicture, still
from app.learn.facts import Facts
from app.words.numbers import given
from app.words.texts import kept
from engine import Graph, graph, graph_of

SUM_TIMES = "q = x + y\nf = q * z"
"""The first circuit of CS231n, and below the one with a max."""
CHOICE = "p = x * y\nm = max(z, w)\ns = p + m\nf = 2 * s"
TWICE = "p = a * b\nq = a**2\nf = p + q"


@kept(256)
def _made(source: str, values: tuple[tuple[str, float], ...]) -> Graph:
    return graph(source, dict(values))


def circuit(source: str, values: Mapping[str, float]) -> Graph:
    """A formula at these values."""
    return _made(source, tuple(values.items()))


def of_run(run: Facts) -> Graph:
    """The example of a run's step as the graph of its scalars."""
    return graph_of(run.trace)


def shown(of: Graph, at: str = "") -> GraphPicture:
    """It as a picture: all that is computed, or only what is up to a moment, which is named as in an address."""
    return still(of, at)


def at_moment(of: Graph, index: int) -> GraphPicture:
    """The same up to a moment by its place in the walk."""
    return still(of, shown(of).spelled(index))


def last_moment(of: Graph) -> int:
    """The place of the last one."""
    return len(of.beats()) - 1


def moved(of: Graph, name: str, by: float) -> Graph:
    """It with one input moved."""
    values = {each: float(value) for each, value in of.values.items() if isinstance(value, float)}
    return circuit(of.source, values | {name: values[name] + by})


def output(of: Graph) -> float:
    """What it computes."""
    return of.data[of.output]


def number(of: Graph, name: str) -> float:
    """The number of a node."""
    return of.data[of.place_of(name)]


def gradient(of: Graph, name: str) -> float:
    """How the output changes with it."""
    return of.grad[of.place_of(name)]


def open_graph(of: Graph) -> str:
    """The address where it can be changed and walked through."""
    return address_of(of.source, {of.vertices[n].name: given(of.data[n]) for n in of.inputs})
