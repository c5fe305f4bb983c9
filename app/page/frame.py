"""Everything that the page shows of a run at one step, gathered for the template: the one place that knows it all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from secrets import token_urlsafe
from typing import Any

import numpy as np

from app.draw.charts import LossChart, log_share, loss_chart, sparkline
from app.draw.diagram import Size, Space
from app.draw.drawing import Drawing, draw
from app.draw.maps import has_place, is_told
from app.draw.marks import Marks
from app.draw.outputs import Output, output, points_key
from app.draw.pairs import pair_of
from app.draw.pictures import has_surfaces, surfaces
from app.explain.chips import chips_of
from app.explain.lines import Teller
from app.explain.moments import Moment
from app.explain.places import Grids, picture_of, place_of
from app.explain.receipts import Receipt, receipt
from app.explain.rows import Rows, rows_of
from app.explain.spots import windows
from app.explain.walkthrough import Walkthrough, known, walkthrough
from app.explain.why import Why, why_of
from app.page.again import Again, again_of
from app.page.links import Link, View, view_fields
from app.page.ways import Ways
from app.run.history import LAYER_COLUMNS, RUN_COLUMNS, Column, History
from app.run.links import fits, query_of, url_of
from app.run.runs import UNSAVED, Run
from app.words.columns import COLUMN
from app.words.health import advised
from app.words.names import layer_name, output_names, own_name
from app.words.numbers import fixed, label, percent
from app.words.texts import text
from engine import Metrics, Quantity, RunState, Trace, evaluate, examples_of, trace
from engine.along import Along, again
from engine.arrays import Floats, Ints
from engine.health import spread
from engine.quantity import unit

BAR_WIDTH, PHONE = 360, 650
LISTED = 450  # weights of a layer that the tables have


@dataclass(frozen=True)
class BarPart:
    """One phase of the walkthrough bar: its place in a bar of BAR_WIDTH, and its moments."""

    name: str
    x: float
    width: float
    first: int
    count: int


@dataclass(frozen=True)
class Walk:
    """The walkthrough at one moment; `moment` and `known`, what is computed so far, None before it has begun."""

    total: int
    parts: tuple[BarPart, ...]
    moment: Moment | None
    marker: float
    code: tuple[tuple[int, str, bool], ...]
    note: str
    rows: Rows | None = None
    why: tuple[Why, ...] = ()
    known: frozenset[Quantity] | None = None
    place: str = ""
    picture: Grids | None = None


NO_WALK = Walk(0, (), None, 0.0, (), "")


@dataclass(frozen=True)
class Health:
    """One layer's gradient at the step looked at: its length, that of its bar, and what else is worth telling."""

    name: str
    norm: str
    length: float
    ratio: str
    dead: str
    saturated: str

    @property
    def title(self) -> str:
        """What there is to say beside the bar."""
        dead = text("dead {share}", share=self.dead) if self.dead else ""
        saturated = text("saturated {share}", share=self.saturated) if self.saturated else ""
        return " · ".join(filter(None, (text("update / weight {ratio}", ratio=self.ratio), dead, saturated)))


@dataclass(frozen=True)
class Measure:
    """What a table has of a layer beside that: the gradient's line over time, and the activations' histogram."""

    line: str
    histogram: str
    span: str


@dataclass(frozen=True)
class Frame:
    """A run as the page shows it. `state` is at the step that is looked at, which may lie before the head."""

    run: Run
    state: RunState
    link: Link
    trace: Trace
    drawing: Drawing
    walk: Walk
    receipt: Receipt | None
    output: Output
    chart: LossChart
    numbers: tuple[tuple[str, str], ...]
    size: Size | Space
    quick: bool
    examples: int
    points: str
    same_points: bool
    again: Again | None = None
    ways: Ways | None = None

    @property
    def view(self) -> View:
        """What is looked at."""
        return self.link.view

    @cached_property
    def trouble(self) -> str:
        """Of a run that has diverged: where, why, and what to try; else nothing."""
        return advised(self.trace, self.run.state) if self.run.state.divergence else ""

    @cached_property
    def health(self) -> tuple[Health, ...]:
        """Each layer's gradients, from the sampled point at or before the step that is looked at."""
        layers = range(1, len(self.state.spec.network.shapes) + 1)
        return tuple(_health(layer_name(k, layers[-1]), self._sampled(k)[-1].tolist()) for k in layers)

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """What there is to see of each layer when the table is open."""
        return tuple(_measure(self._sampled(k), *spread(layer)) for k, layer in enumerate(self.trace.layers, 1))

    def _sampled(self, layer: int) -> Column:
        """The last sampled points of a layer, (points, numbers)."""
        history = self.run.history
        until = max(1, int(np.searchsorted(history.steps, self.state.step, side="right")))
        first = len(RUN_COLUMNS) + len(LAYER_COLUMNS) * (layer - 1)
        return history.values[max(0, until - 120) : until, first : first + len(LAYER_COLUMNS)]

    @cached_property
    def fields(self) -> dict[str, str]:
        """The link's fields; where data or parameters are too long for an address, the run's name for its spec."""
        whole = self.link.fields()
        return whole if fits(whole) else {"run": self.run.id} | self.view_fields

    @property
    def drawn(self) -> bool:
        """Whether the run is drawn from its link, and not stored before somebody acts on it."""
        return self.run.id == UNSAVED

    @property
    def key(self) -> str:
        """What a form without script sends, so that the same page sent twice is one deed."""
        return f"{self.run.version}.{token_urlsafe(6)}"

    @property
    def exact(self) -> dict[str, str]:
        """The fields with the step, which the forms of a run leave open at its head: one that named it would take
        another tab's later steps for a past to go back from."""
        return self.fields | {"step": str(self.state.step)}

    @property
    def url(self) -> str:
        """The address of what is on screen."""
        return url_of(self.exact)

    @property
    def query(self) -> str:
        """The same without its path."""
        return query_of(self.exact)

    @cached_property
    def view_fields(self) -> dict[str, str]:
        """The part of the link's fields that is the view."""
        return view_fields(self.view)

    @property
    def overlaid(self) -> list[tuple[str, str]]:
        """Class and name of every other run in the loss chart."""
        return [(curve.kind, curve.name) for curve in self.chart.curves if curve.kind.startswith("other")]

    @property
    def steps_per_epoch(self) -> int:
        """How many mini-batches use every training example once."""
        train = examples_of(self.state.spec).train
        return -(-train // min(self.state.spec.batch_size, train))

    @property
    def past(self) -> bool:
        """Whether the step that is looked at lies before the head."""
        return self.state.step < self.run.state.step


Others = list[tuple[str, History]]


def frame(
    run: Run, state: RunState, view: View, size: Size | Space = "l", quick: bool = False, others: Others | None = None,
    points: str = "", ahead: Trace | None = None, found: Along | None = None,
    traced: Ways | None = None,
) -> Frame:  # fmt: skip
    """A whole frame. `quick` ones come many a second: they leave out what Play does not show. `points` says which data
    points the page has already; `ahead` is what the next step computes, if it has been traced, `found` the loss along
    it, where the walkthrough has come to that, and `traced` the ways to the parameter that is selected.

    SpecError for an example or a selected address that there is not.
    """
    spec = state.spec
    batch = view.example is None
    step = ahead if ahead and batch else trace(state, view.example)
    if batch and state is run.state:
        run.seen(step)
    walk, marks = (NO_WALK, Marks()) if quick else _walk(step, view, size)
    seen = surfaces(state) if has_surfaces(state) else None
    chosen = receipt(step, view.select, marks.known) if view.select else None
    marks = replace(marks, select=view.select)
    step_given = view.step if state.step < run.state.step else None
    shown = replace(view, step=step_given, moment=walk.moment.index if walk.moment else None)
    drawing = draw(spec, step, seen, view.lens, batch, marks, size, quick)
    pair = pair_of(spec, view.across, view.up)
    key = points_key(spec, view.tests, pair)
    ended = found is not None and not quick and walk.moment is not None and walk.moment.phase == "again"
    return Frame(
        run, state, Link(run.origin, run.edits, shown), step, drawing, walk, chosen,
        output(state, seen, view.example, view.tests, view.discrete, pair),
        _chart(run, state, view, others or []),
        numbers_of(state, run.metrics if state is run.state else evaluate(state)),
        size, quick, examples_of(spec).count, key, points == key,
        again_of(step, again(step), found, drawing.layout) if found and ended else None,
        traced if traced and traced.is_known(marks.known) else None,
    )  # fmt: skip


def numbers_of(state: RunState, metrics: Mapping[str, Metrics]) -> tuple[tuple[str, str], ...]:
    """What the bar tells of a state, by name."""
    train, test = metrics["train"], metrics["test"]
    numbers = [
        ("step", f"{state.step:,}"),
        ("epoch", f"{state.epoch:,}"),
        ("train loss", fixed(train.loss)),
        ("test loss", fixed(test.loss)),
    ]
    if test.accuracy is not None:
        numbers.append(("test accuracy", percent(test.accuracy)))
    elif train.accuracy is not None:
        numbers.append(("train accuracy", percent(train.accuracy)))
    return tuple(numbers)


def _walk(step: Trace, view: View, size: Size | Space) -> tuple[Walk, Marks]:
    """The walkthrough and what it marks; an index past its end is its last moment."""
    asked = (Quantity.parse(each) for each in (view.place, view.select) if each)
    moments = walkthrough(step, view.grain, tuple(of for of in asked if is_told(step.spec.network, of)))
    parts = _parts(moments)
    if view.moment is None:
        return Walk(len(moments), parts, None, 0.0, (), moments.collapsed), Marks()
    index = min(view.moment, len(moments) - 1)
    moment = moments[index]
    part = next(p for p in parts if p.first <= index < p.first + p.count)
    marker = round(part.x + part.width * (index - part.first + 0.5) / part.count, 1)
    so_far = known(moments, index)
    why = why_of(moments.scene, moment)
    rows = rows_of(moments.scene, moment, _columns(size))
    told = _code(moments, moment), moments.collapsed, rows, why, so_far
    at, picture = place_of(moments.scene, moment), picture_of(moments.scene, moment)
    walk = Walk(len(moments), parts, moment, marker, *told, at, picture)
    return walk, replace(marks_of(step, moment, so_far), chips=chips_of(moments.scene, moment))


POOLING = ("pool", "map_back", "delta")  # moments that pass a max pool, forwards and back


def marks_of(step: Trace, moment: Moment, so_far: frozenset[Quantity]) -> Marks:
    """What the drawing lights at a moment, and what is computed so far."""
    lit = {*moment.links, *moment.nodes}
    for layer, units in enumerate(step.spec.network.sizes):
        if Quantity("a", layer).svg_id in lit:
            lit |= {unit(layer, j).svg_id for j in range(units + 1)}
    tone = {"forward": "forward", "backward": "backward", "loss": "forward", "update": "update"}.get(
        moment.phase, "update"
    )
    network, k = step.spec.network, moment.layer
    won = k in network.pools and network.pools[k].operation == "max_pool" and len(step.examples) == 1
    pools = (k, moment.units) if won and moment.kind in POOLING else (0, ())
    seen = windows(network, moment)
    return Marks(None, frozenset(lit), tone, moment.direction or "", so_far, windows=seen, pools=pools)


def _parts(moments: Walkthrough) -> tuple[BarPart, ...]:
    """Phases side by side, each wide enough for its name, the rest shared out by their moments."""
    least = {"forward": 72, "loss": 38, "backward": 82, "update": 62, "again": 48}
    gap = 3
    phases = moments.phases
    room = BAR_WIDTH - gap * (len(phases) - 1) - sum(least[name] for name, _, _ in phases)
    parts, x = [], 0.0
    for name, first, count in phases:
        width = round(least[name] + room * count / len(moments), 1)
        parts.append(BarPart(name, round(x, 1), width, first, count))
        x += width + gap
    return tuple(parts)


def _columns(size: Size | Space) -> float:
    """How many columns of an equation stand beside each other; on a phone no name stands before them."""
    if isinstance(size, Space):
        return max(7, (size.width - (0 if size.width < PHONE else 110)) / COLUMN)
    return 7 if size == "s" else 16


def _code(moments: Walkthrough, moment: Moment, around: int = 2) -> tuple[tuple[int, str, bool], ...]:
    """The moment's lines of the program with their neighbours: always as many lines."""
    lines, lit = moments.program.lines, moments.code_lines(moment)
    first = max(1, min(moment.code_line - around, len(lines) - 2 * around))
    return tuple((n, lines[n - 1], n in lit) for n in range(first, min(len(lines), first + 2 * around) + 1))


def _chart(run: Run, state: RunState, view: View, others: Others) -> LossChart:
    beside = [(name, np.array(other.steps), other.values[:, :2]) for name, other in others]
    steps, losses = np.array(run.history.steps), run.history.values[:, :2]
    return loss_chart(steps, losses, state.step, view.scale == "log", beside)


def _health(name: str, numbers: list[float]) -> Health:
    norm, ratio, dead, saturated = numbers
    length = round(100 * log_share(norm), 1)
    return Health(name, fixed(norm), length, fixed(ratio), _share(dead), _share(saturated))


def _measure(sampled: Column, counts: Ints, edges: Floats) -> Measure:
    span = " to ".join(label(float(edge), 1) for edge in (edges[0], edges[-1]))
    return Measure(sparkline(sampled[:, 0]), _bars(counts), span)


def _bars(counts: Ints) -> str:
    """A histogram as one path, 3 wide a bin and 16 high."""
    most = max(1, int(counts.max(initial=0)))
    tops = [(3 * i, round(16 - 15 * int(count) / most, 1)) for i, count in enumerate(counts.tolist())]
    return "".join(f"M{x} 16V{top}h2.4V16z" for x, top in tops)


def _share(value: float) -> str:
    return percent(value) if isfinite(value) and value > 0 else ""


def check_view(view: View, state: RunState) -> View:
    """The view without what this network does not have, for a link whose network has changed since."""
    network = state.spec.network
    there = view.select is not None and network.has(Quantity.parse(view.select))
    place = view.place if view.place and has_place(network, Quantity.parse(view.place)) else None
    example = view.example if view.example is None or view.example < examples_of(state.spec).count else None
    across, up = (k + 1 for k in pair) if (pair := pair_of(state.spec, view.across, view.up)) else (None, None)
    select = view.select if there else None
    return replace(view, select=select, place=place, example=example, across=across, up=up)


def table_of(shown: Frame) -> dict[str, Any]:
    """The numbers of the drawing as rows, for those who do not see it; "?" for what is to come, as there."""
    layers, tell = shown.trace.layers, Teller(shown.walk.known)
    names, spec = [layer_name(k, len(layers)) for k in range(len(layers) + 1)], shown.trace.spec
    outputs = output_names(spec) if spec.data else ()
    units = [
        (
            names[k],
            outputs[j] if outputs and k == len(layers) else j + 1,
            tell(float(layer.b[j])),
            tell(float(layer.a[:, j].mean()), unit(k, j + 1)),
            tell(float(layer.dz[:, j].sum()), unit(k, j + 1).like("dz")),
        )
        for k, layer in enumerate(layers, 1)
        for j in range(len(layer.b))
    ]
    weights = [
        (
            own_name(spec, k, at[1] + 1) or ", ".join([names[k], *(str(n + 1) for n in at[1:])]),
            own_name(spec, k + 1, at[0] + 1) or f"{names[k + 1]}, {at[0] + 1}",
            tell(float(layer.W[at])),
            *(
                tell(float(values[at]), Quantity(kind, k + 1, tuple(n + 1 for n in at)))
                for kind, values in (("dW", layer.dW), ("W", layer.W_next))
            ),
        )
        for k, layer in enumerate(layers)
        if layer.W.size <= LISTED
        for at in np.ndindex(*layer.W.shape)
    ]
    wide = [names[k + 1] for k, layer in enumerate(layers) if layer.W.size > LISTED]
    many = text("The weights into {layers} are too many to list; the API has them all.", layers=", ".join(wide))
    return {"units": units[:LISTED], "weights": weights, "left_out": many if wide else ""}
