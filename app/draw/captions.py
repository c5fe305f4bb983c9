"""What stands under a drawing: each layer's name and what it applies, as fully as no two of them touch; the legend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.draw.diagram import Diagram, Layer
from app.words.texts import text
from engine import Network

LETTER, APART = 8.0, 3.0  # px of a letter, at most on average; between two captions


@dataclass(frozen=True)
class Caption:
    """A layer's name and what it applies: in a line, or `stacked` in two."""

    name: str
    applied: str
    stacked: bool

    @property
    def letters(self) -> int:
        """How many stand in its longest line."""
        one, other = len(self.name), len(self.applied)
        return max(one, other) if self.stacked else one + (3 + other if other else 0)


def captions(place: Diagram) -> list[Caption]:
    """Every layer's caption: all in the fullest form in which they have room beside each other."""
    last = place.layers[-1].index
    forms = [[form(layer, last) for layer in place.layers] for form in _FORMS]
    return next((made for made in forms if _have_room(place, made)), forms[-1])


def _have_room(place: Diagram, captions: Sequence[Caption]) -> bool:
    halves = [LETTER * caption.letters / 2 for caption in captions]
    ends = [(layer.x - half, layer.x + half) for layer, half in zip(place.layers, halves, strict=True)]
    inside = ends[0][0] >= 0 and ends[-1][1] <= place.width
    return inside and all(right + APART <= left for (_, right), (left, _) in pairwise(ends))


def _applied(layer: Layer, names: int | None) -> str:
    """Its activation, and what more is attached to it."""
    return ", ".join(text(each.replace("_", " ")) for each in layer.activation.split(", ")[:names] if each)


def _short(layer: Layer, last: int) -> str:
    if not layer.index:
        return text("in")
    return text("out") if layer.index == last else text("h{layer}", layer=layer.index)


def _form(stacked: bool, short: bool, names: int | None) -> Callable[[Layer, int], Caption]:
    """So many names of what is applied, under a name or behind it."""
    return lambda layer, last: Caption(_short(layer, last) if short else layer.name, _applied(layer, names), stacked)


_FORMS = (
    _form(stacked=False, short=False, names=None),
    _form(stacked=True, short=False, names=None),
    _form(stacked=True, short=False, names=1),
    _form(stacked=True, short=True, names=1),
    _form(stacked=True, short=True, names=0),
)


def explained(place: Diagram, legend: str, network: Network) -> str:
    """The legend of a lens, and what else the drawing shows."""
    picture = place.layers[0].nodes[0].unit == 0 and not network.has_images
    hidden = [layer.name for layer in place.layers[1:] if not layer.all_links and not (picture and layer.index == 1)]
    told = [legend]
    if picture:
        told += [text("Each unit of {layer} shows what it has for each pixel.", layer=place.layers[1].name)]
    if network.has_images:
        told += [text("A channel shows its feature map; its number is the map's mean.")]
    if any(layer.nodes[0].pooled for layer in place.layers):
        told += [text("Beside it is what its pool gives.")]
    if network.norms:
        told += [text("Bars: where a unit's numbers lie before its normalization and, downwards, after it, −4 to 4.")]
    if hidden and not network.has_images:
        told += [text("Too many links to draw into {layers}: select a unit to see its own.", layers=", ".join(hidden))]
    return " ".join(told)
