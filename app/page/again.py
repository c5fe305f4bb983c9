"""What the walkthrough's last phase shows: the links from old to new, and the loss all along the way of the step."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import floor, isfinite, log10
from typing import get_args

import numpy as np

from app.draw.charts import Axis, Framed, path
from app.draw.diagram import Diagram, LinkPlace, NodePlace
from app.draw.lens import WEIGHT_REACH, widths
from app.draw.maps import means, strongest
from app.explain.plan import plan_of
from app.page.links import View
from app.words.numbers import label, short, signed
from app.words.segments import text_of
from app.words.sentences import Sentence, in_words, said, sentence
from app.words.texts import text
from engine import RunState, Spec, Trace, examples_of
from engine.along import Along, Verdict, along

WIDTH, HEIGHT, LEFT, RIGHT = 290.0, 119.0, 40.0, 12.0  # as small as it is shown: text in it has its size
GROWTH = 5.0  # a link's largest change, as it is drawn
THINNEST = 0.6
LARGEST = 4  # changes that are told by their values
CHIP, READING = (142.0, 22.0), 66.0  # how large; how wide what stands beside a unit
CEILING = 3  # times the loss before the step: what is higher leaves the chart
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
PLACES = (0.5, 0.34, 0.66, 0.24, 0.76)  # of a chip on its link, the first that is free


@dataclass(frozen=True)
class Moved:
    """One link before and after the step: `old` is its width, `change` what the step makes of that, drawn larger.

    `chip` is where the values of one of the largest changes stand, None for the others.
    """

    id: str
    address: str
    path: str
    before: float
    after: float
    old: float
    change: float
    chip: tuple[float, float] | None = None

    @property
    def sign(self) -> str:
        """Of the new weight: its colour and dash."""
        return "n" if self.after < 0 else "p"

    @property
    def new(self) -> float:
        """Its width after the step."""
        return round(max(THINNEST, self.old + self.change), 2)

    @property
    def grew(self) -> bool:
        """Whether it is drawn wider than before."""
        return self.change > 0

    @property
    def values(self) -> str:
        """Old and new."""
        return f"{signed(self.before)} → {signed(self.after)}"


@dataclass(frozen=True)
class Reading:
    """A unit's old and new activation, at its place above the node, or `beside` it in two lines."""

    x: float
    y: float
    text: str
    now: str
    beside: bool = False


Point = tuple[float, float, float, float, float, float, Verdict]  # x, y, length, rate, loss, everyone's, verdict


@dataclass(frozen=True)
class Chart(Framed):
    """The loss along the step; the step itself ends at point `here`."""

    TICKS = (4, 3)
    curve: str
    everyone: str
    promise: str
    start: tuple[float, float]
    landing: tuple[float, float]
    points: tuple[Point, ...]
    here: int

    @property
    def told(self) -> str:
        """The points for the page's script; what is no number is null there."""
        return json.dumps(
            [
                [each if not isinstance(each, float) or isfinite(each) else None for each in point]
                for point in self.points
            ]
        )


@dataclass(frozen=True)
class Again:
    """All of it. `larger` is how many times larger than it is a link's change is drawn; `place` is the drawing's."""

    found: Along
    layout: Diagram
    links: tuple[Moved, ...]
    readings: tuple[Reading, ...]
    larger: float
    chart: Chart
    rate: float
    names: tuple[str, str]
    verdicts: dict[str, str]
    others: str

    @property
    def largest(self) -> tuple[Moved, ...]:
        """The links whose values are told."""
        return tuple(sorted(self.links, key=lambda link: -abs(link.after - link.before))[:LARGEST])

    @property
    def enlarged(self) -> str:
        """How many times larger a change is drawn, in words."""
        return short(self.larger)


def is_again(spec: Spec, view: View) -> bool:
    """Whether a view looks at the walkthrough's last phase."""
    return view.moment is not None and view.moment >= len(plan_of(spec, view.grain).keys) - 1  # type: ignore[arg-type]


def looked_along(state: RunState, view: View) -> partial[Along]:
    """What is to be computed for it."""
    return partial(along, state, view.example)


def again_of(step: Trace, after: Trace, found: Along, place: Diagram) -> Again:
    """The last phase of a step, by what was found along it, in a drawing."""
    one = len(step.examples) == 1
    everyone = examples_of(step.spec).train == found.examples
    names = (
        text("example {example}", example=step.examples[0]) if one else text("this batch"),
        text("all {count}" if everyone else "the first {count}", count=found.examples),
    )
    links, larger = _links(step, place)
    return Again(
        found,
        place,
        links,
        tuple(_readings(step, after, place)),
        larger,
        _chart(found),
        step.spec.learning_rate,
        names,
        {code: in_words(f"step {code}") for code in VERDICTS},
        text_of(said(*_others(found, names[1]))),
    )


def _others(found: Along, name: str) -> Iterator[Sentence]:
    """Where all training examples together fare best, and what a longer step does to them."""
    best = found.all_best * found.rate
    yield sentence("everyone stays" if found.all_best == 0 else "everyone", everyone=name, best=best)


def _links(step: Trace, place: Diagram) -> tuple[tuple[Moved, ...], float]:
    """Every link that is drawn, before and after the step, and by how much its change is drawn larger."""
    drawn = [link for layer in place.layers[1:] for link in layer.links]
    if not drawn:
        return (), 1.0
    network, at = step.spec.network, [(link.layer - 1, link.unit - 1, link.source - 1) for link in drawn]
    weights = strongest(network, [layer.W for layer in step.layers])
    later = strongest(network, [layer.W_next for layer in step.layers], [layer.W for layer in step.layers])
    before = np.array([weights[k][j, i] for k, j, i in at])
    after = np.array([later[k][j, i] for k, j, i in at])
    old, new = (np.array(widths(values, WEIGHT_REACH)) for values in (before, after))
    most = float(np.abs(new - old).max())
    larger = _round_down(GROWTH / most) if most > 0 else 1.0
    chips = dict(_chips(place, [drawn[n] for n in np.argsort(-np.abs(after - before), kind="stable")[:LARGEST]]))
    moved = tuple(
        Moved(
            f"again-{link.id}",
            link.address,
            str(link.path),
            float(before[n]),
            float(after[n]),
            round(float(old[n]), 2),
            round(float(larger * (new[n] - old[n])), 3),
            chips.get(link.id),
        )
        for n, link in enumerate(drawn)
    )
    return moved, larger


def _round_down(value: float) -> float:
    """The largest of 1, 2, 3 and 6 times a power of ten that is no larger; at least 1."""
    power = 10.0 ** floor(log10(max(value, 1.0)))
    return max(power * m for m in (1, 2, 3, 6) if power * m <= max(value, 1.0))


def _chips(place: Diagram, links: list[LinkPlace]) -> Iterator[tuple[str, tuple[float, float]]]:
    """A place for each link's values, clear of the others' and of every unit; none where there is no room."""
    taken = [_around(node, layer.beside) for layer in place.layers for node in layer.nodes]
    for link in links:
        for share in PLACES:
            x, y = link.path.at(share)
            if all(abs(x - u) > (CHIP[0] + w) / 2 or abs(y - v) > (CHIP[1] + h) / 2 for u, v, w, h in taken):
                taken.append((x, y, *CHIP))
                yield link.id, (x, y)
                break


def _around(node: NodePlace, beside: bool) -> tuple[float, float, float, float]:
    """The room of a unit with its readings, by its centre."""
    if beside:
        return node.x + READING / 2, node.y, node.side + READING + 4, node.side + 4
    return node.x, node.y, node.side + 4, node.side + 50


def _readings(step: Trace, after: Trace, place: Diagram) -> Iterator[Reading]:
    """Of every unit that has a label, what it gave and what it gives now; of a batch the means. Inputs stay."""
    if place.layers[0].beside:  # their links would be drawn over their numbers
        each = zip(place.layers[0].nodes, means(step.x).tolist(), strict=False)
        yield from (Reading(node.right + 5, node.y - 3, f"a {label(x)}", "", True) for node, x in each if node.unit)
    for layer, now in zip(place.layers[1:], after.layers, strict=True):
        if not layer.labelled:
            continue
        was, new = (each.gives.mean(axis=0).tolist() for each in (step.layers[layer.index - 1], now))
        for node in layer.nodes:
            if not node.unit:
                continue
            old, told = label(was[node.unit - 1]), label(new[node.unit - 1])
            if layer.beside:
                yield Reading(node.right + 5, node.y - 3, old, f"→ {told}", True)
            else:
                yield Reading(node.x, node.top - 5, "" if place.tight else f"{old} → ", told)


def _chart(found: Along) -> Chart:
    both = np.concatenate([found.losses, found.all_losses])
    high = max(both[np.isfinite(both) & (both <= CEILING * max(found.before, found.all_losses[0]))], default=1.0)
    low = min(0.0, float(np.nanmin(both, initial=0.0)))
    x = Axis(0.0, found.rates[-1] or 1.0, LEFT, WIDTH - RIGHT)
    y = Axis(low, low + 1.08 * (high - low) or 1.0, HEIGHT - 22, 10.0)
    here = int(np.flatnonzero(found.lengths == 1.0)[0])
    places = [(x.at(rate), y.at(loss)) for rate, loss in zip(found.rates.tolist(), found.losses.tolist(), strict=True)]
    points = tuple(
        (*at, length, rate, loss, everyone, verdict)
        for at, length, rate, loss, everyone, verdict in zip(
            places,
            found.lengths.tolist(),
            found.rates.tolist(),
            found.losses.tolist(),
            found.all_losses.tolist(),
            found.verdicts,
            strict=True,
        )
    )
    return Chart(
        *(x, y, WIDTH, HEIGHT),
        path(x(found.rates), y(found.losses)),
        path(x(found.rates), y(found.all_losses)),
        _promise(found, x, y),
        places[0],
        places[here],
        points,
        here,
    )


def _promise(found: Along, x: Axis, y: Axis) -> str:
    """The gradient's promise, as far as the chart reaches."""
    room = (y.low if found.promised < 0 else y.high) - found.before
    length = min(found.reach, room / found.promised) if found.promised and isfinite(found.promised) else found.reach
    ends = np.array([0.0, length])
    return path(x(ends * found.rate), y(found.before + ends * found.promised))
