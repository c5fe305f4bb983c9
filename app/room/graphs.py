"""A formula's graph before a class, by the address of its page: what every screen shows of it, and what is asked."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite
from urllib.parse import parse_qsl, urlsplit
from zlib import crc32

from app.draw.rendering import render
from app.failures import BadQuestion
from app.graph.asks import Asks
from app.graph.pages import SECONDS
from app.graph.picture import picture
from app.learn.graph_problems import gradient_at, sign_at
from app.learn.judging import Problem
from app.room.polls import ClassQuestion, question_from
from app.serve.root import within
from app.words.graph import plain_name
from engine import Graph, SpecError
from engine.language import NODES

PATH = "/graph"
LARGEST = 1e12  # that can be answered
Kind = tuple[str, Callable[[Graph, int], Problem]]


def _sign(of: Graph, place: int) -> Problem:
    beat = next(each for each in of.beats() if each.phase == "backward" and each.vertex == place)
    return sign_at(of, beat)


KINDS: Mapping[str, Kind] = {
    "node": ("What is the gradient at this node?", gradient_at),
    "sign": ("Which sign has the gradient at this node?", _sign),
}


def is_graph(address: str) -> bool:
    """Whether a page's address is that of a graph."""
    return address.partition("?")[0] == PATH


def seconds(address: str) -> float:
    """What it takes to compute and draw, at most."""
    return SECONDS * min(NODES, len(asks_of(address).source))


def owner(run: str) -> str:
    """Whose such work is: the class's that shares this run."""
    return f"class {run}"


def asks_of(address: str) -> Asks:
    """What an address asks to see."""
    try:
        return Asks.read(dict(parse_qsl(urlsplit(address).query, max_num_fields=2 * NODES)))
    except ValueError:
        raise SpecError(
            "lesson", address[:40], "the address of a graph with at most {most} fields", most=2 * NODES
        ) from None


def checked(address: str) -> str:
    """The address in one spelling; SpecError names what is wrong with its formula or values."""
    return _address(replace(asks_of(address), nudge="", back=""))


def _address(asks: Asks) -> str:
    return within(picture(asks, asks.graph()).url())


def stage(address: str, size: str) -> str:
    """The graph and the moment that its teacher looks at, as markup for screens of one size."""
    asks = replace(asks_of(address), size=size if size in ("s", "m") else "l", still=True)
    shown = picture(asks, asks.graph())
    return render("class/_graph_stage.html", {"g": shown, "style": "", "shape": crc32(asks.source.encode())})


def ask(address: str, kind: str, name: str) -> tuple[ClassQuestion, str]:
    """A question about a node, by default the one that is looked at, and the graph just before it is answered."""
    asks = asks_of(address)
    of = asks.graph()
    place = _place(of, asks, name)
    if not all(isfinite(each) and abs(each) <= LARGEST for each in (of.grad[place], *map(of.back, of.ways[place]))):
        raise BadQuestion(
            "address", of.vertices[place].name, "a node whose gradient is at most {largest:g} in size", largest=LARGEST
        )
    index = next(n for n, each in enumerate(of.beats()) if each.phase == "backward" and each.vertex == place)
    at = picture(replace(asks, grain="node"), of).spelled(index)
    hidden = _address(replace(asks, at=at, grain="node", predict="number", nudge="", back=""))
    return question_from(KINDS[kind][1](of, place), kind=kind, address=of.vertices[place].name), hidden


def revealed(address: str) -> str:
    """The same graph with what was asked."""
    return _address(replace(asks_of(address), predict=""))


def _place(of: Graph, asks: Asks, name: str) -> int:
    """The node asked about: by its name, or the one that the walk is at, or an input with the most ways."""
    if name:
        found = [n for n, each in enumerate(of.vertices) if name in (each.name, plain_name(each.name))]
        if not found:
            names = ", ".join(each.name for each in of.vertices[:40])
            raise BadQuestion(
                "address",
                name,
                "a node of this graph: {names}{more}",
                names=names,
                more=", …" * (len(of.vertices) > 40),
            )
        return found[0]
    looked = picture(asks, of).lit[0]
    if looked >= 0:
        return looked
    return max(of.inputs or (of.output,), key=lambda n: (abs(of.grad[n]) not in (0, 1), len(of.ways[n])))
