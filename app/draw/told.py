"""What a drawing tells of every unit in words and numbers: on its card, above it and below it."""

from collections.abc import Callable
from functools import partial
from itertools import islice

from app.draw.diagram import Diagram
from app.draw.lens import Shown
from app.draw.maps import means
from app.draw.marks import Marks
from app.words.numbers import UNKNOWN, all_signed, labels
from app.words.texts import text
from engine import Trace
from engine.arrays import Floats

Texts = tuple[list[str], list[str], list[str]]


def texts_of(place: Diagram, trace: Trace, what: Shown, marks: Marks) -> list[Texts]:
    """Of every unit, layer by layer, what its card tells, and its labels above and below; "?" for what is yet to come.
    Numbers are told of all layers at once."""
    network = trace.spec.network
    a = [mean_of(trace, layer.index).tolist() if layer.nodes[0].unit else [] for layer in place.layers]
    below: list[list[float]] = [[], *(values.tolist() for values in what.below.values)]
    told, above = _apart(all_signed, a), _apart(labels, a)
    exact, under = _apart(all_signed, below), _apart(partial(labels, places=what.below.places), below)
    for layer in place.layers if marks.known is not None else ():
        k, letter = layer.index, network.given_kind(layer.index)
        for i, node in enumerate(layer.nodes if told[k] else ()):
            if not marks.knows(node.quantity.like(letter)):
                told[k][i] = above[k][i] = UNKNOWN
            if k and what.below.name != "b" and not marks.knows(node.quantity.like(what.below.letter)):
                under[k][i] = exact[k][i] = UNKNOWN
    return [
        (_told(what, network.given_kind(k), told[k], exact[k]), above[k] or [""], under[k] or [""])
        for k in range(len(place.layers))
    ]


def _apart(tell: Callable[[list[float]], list[str]], layers: list[list[float]]) -> list[list[str]]:
    """The numbers of several layers told together, layer by layer."""
    told = iter(tell([number for numbers in layers for number in numbers]))
    return [list(islice(told, len(numbers))) for numbers in layers]


def _told(what: Shown, letter: str, given: list[str], below: list[str]) -> list[str]:
    """What the cards of a layer's units tell; the inputs have nothing below."""
    called = text("mean {number}", number=letter) if what.batch else letter
    if not below:
        return [f"{called} {number}" for number in given] or [""]
    return [f"{called} {one}, {what.below.full} {other}" for one, other in zip(given, below, strict=True)]


def mean_of(trace: Trace, k: int) -> Floats:
    """What a layer gives, 0 being the inputs: the example's, or the means of the batch."""
    return means(trace.layers[k - 1].gives if k else trace.x)
