"""Layers added, moved, changed and removed on the drawing: every change that is offered is a new text of the field
`layers`, judged beforehand; one that makes no sense is there with its reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response

from app.draw.rendering import render
from app.page.asked import asked
from app.page.pages import run_asked
from app.run.links import number
from app.serve.html import html
from app.words.names import layer_name
from app.words.texts import text
from engine import OPERATIONS, Spec, SpecError
from engine.fields import LIMITS
from engine.layers import LayerItem, items_from
from engine.operations.base import Option

router = APIRouter(include_in_schema=False)

Layers = list[list[str]]  # by layer: what begins it, and what is attached to that, as text
COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 256)
RATES = ("0.1", "0.2", "0.25", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9")
BEGINS = ("dense 4 tanh", "conv2d 4 3x3 relu")


@dataclass(frozen=True)
class LayerChange:
    """One change: what it is called, the layers after it, and why it cannot be; `chosen` is what is there already."""

    label: str
    layers: str
    reason: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class LayerPart:
    """One item of a layer: its options, each with what it can be, and how it is taken away."""

    title: str
    options: tuple[tuple[str, str, tuple[LayerChange, ...]], ...]
    away: LayerChange | None


@dataclass(frozen=True)
class Offer:
    """What can be done at a layer, 0 being the inputs: to itself, and right after it."""

    name: str
    parts: tuple[LayerPart, ...] = ()
    moves: tuple[LayerChange, ...] = ()
    added: tuple[LayerChange, ...] = field(default=())


def layers_of(spec: Spec) -> Layers:
    """The hidden layers of a run, one list each."""
    found: Layers = []
    for item in spec.layers:
        if OPERATIONS[item.kind].rank:
            found[-1].append(item.text)
        else:
            found.append([item.text])
    return found


def offer_of(spec: Spec, at: int, adding: bool) -> Offer:
    """What can be done at a layer; any number that is none of a hidden layer stands for the inputs."""
    layers = layers_of(spec)
    at = at if 0 < at <= len(layers) else 0
    name = layer_name(at, len(layers) + 1)
    judge = _Judge(spec.network.sizes[0], layers)
    if adding or not at:
        return Offer(name, added=tuple(judge.additions(at)))
    parts = tuple(judge.part(at - 1, i, item) for i, item in enumerate(_items(spec, at)))
    return Offer(name, parts, tuple(judge.moves(at - 1)))


def _items(spec: Spec, at: int) -> list[LayerItem]:
    begins = [i for i, item in enumerate(spec.layers) if not OPERATIONS[item.kind].rank]
    return list(spec.layers[begins[at - 1] : (*begins, len(spec.layers))[at]])


@dataclass(frozen=True)
class _Judge:
    """Makes changes of a network with so many inputs, and says of each whether it can be."""

    inputs: int
    layers: Layers

    def change(self, label: str, layers: Sequence[Sequence[str]], chosen: bool = False) -> LayerChange:
        """The change that leads to these layers."""
        told = ", ".join(item for layer in layers for item in layer)
        try:
            if told:
                items_from(told, self.inputs, LIMITS)
        except SpecError as error:
            return LayerChange(label, told, text("must be {allowed}", allowed=text(error.allowed)), chosen)
        return LayerChange(label, told, "", chosen)

    def _with(self, k: int, *layers: Sequence[str]) -> list[Sequence[str]]:
        """All layers, these in place of layer k, from 0."""
        return [*self.layers[:k], *layers, *self.layers[k + 1 :]]

    def part(self, k: int, i: int, item: LayerItem) -> LayerPart:
        """One item of layer k."""
        own, entry = self.layers[k], OPERATIONS[item.kind]
        options = []
        for option, (name, now) in zip(entry.options, item.options, strict=True):
            changes = []
            for value in _values(option, now):
                other = LayerItem(item.kind, tuple((n, value if n == name else v) for n, v in item.options))
                changed = [*own[:i], other.text, *own[i + 1 :]]
                changes.append(self.change(str(value).replace("_", " "), self._with(k, changed), value == now))
            options.append((name, option.sentence, tuple(changes)))
        title = text(entry.title)
        away = self.change(text("Take out {item}", item=title), self._with(k, [*own[:i], *own[i + 1 :]])) if i else None
        return LayerPart(title, tuple(options), away)

    def moves(self, k: int) -> Iterator[LayerChange]:
        """Layer k a place to the left or the right, or away."""
        own = self.layers[k]
        if k:
            yield self.change(text("← Move left"), [*self.layers[: k - 1], own, *self._with(k)[k - 1 :]])
        if k + 1 < len(self.layers):
            yield self.change(text("Move right →"), [*self.layers[:k], self.layers[k + 1], own, *self.layers[k + 2 :]])
        yield self.change(text("Remove this layer"), self._with(k))

    def additions(self, at: int) -> Iterator[LayerChange]:
        """What can stand right after layer `at`: a layer of its own, or something attached to it."""
        for item in BEGINS:
            title = text(OPERATIONS[item.split()[0]].title)
            yield self.change(title, [*self.layers[:at], [item], *self.layers[at:]])
        for kind, entry in OPERATIONS.items():
            if entry.rank and kind != "activation" and at:
                first = [o.default if o.default is not None else 1 for o in entry.options]
                yield self._attached(at - 1, text(entry.title), " ".join([kind, *map(str, first)]))

    def _attached(self, k: int, title: str, item: str) -> LayerChange:
        """An item at the last place of layer k at which it can be."""
        own = self.layers[k]
        tried = [self.change(title, self._with(k, [*own[:i], item, *own[i:]])) for i in range(len(own), 0, -1)]
        return next((each for each in tried if not each.reason), tried[0])


def _values(option: Option, now: str | float) -> list[str | float]:
    """What an option is offered as; what it is now is among them."""
    if option.choices:
        return list(option.choices)
    if option.whole and option.bounds:
        return list(range(int(option.bounds[0]), int(option.bounds[1]) + 1))
    offered = [float(rate) for rate in RATES] if option.bounds else list(COUNTS)
    most = getattr(LIMITS, option.limit) if option.limit else offered[-1]
    return sorted({now, *(each for each in offered if each <= most)})


@router.get("/runs/{run_id}/layers")
async def layering(run_id: str, request: Request) -> Response:
    """What can be done at a layer of the drawing, and between two."""
    ask = await asked(request)
    run = await run_asked(ask, run_id)
    at = number(ask.text("at"))
    offer = offer_of(run.state.spec, at if isinstance(at, int) else 0, bool(ask.text("adding")))
    return html(request, render("_layers.html", offer=offer))
