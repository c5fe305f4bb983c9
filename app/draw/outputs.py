"""What the network answers, as values: the surface or curve with the data on it, and which class was taken for which.

Four kinds of plot: "plane" (two raw inputs, or two chosen of more), "curve" (one), "scatter" (more: predicted against
true values), and for classes "map": the two principal components of the inputs.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from zlib import crc32

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from app.draw import pairs
from app.draw.charts import Axis, Curve, confusion, path
from app.draw.pairs import Pair
from app.draw.pictures import CURVE, GRID, IMAGE, OUTPUT_COLOURS, Surfaces, centred, classes_sprite, inks, sprite
from app.words.numbers import SUBSCRIPTS, percent, signed, target
from app.words.texts import text
from engine import DATASETS, Examples, RunState, Spec, examples_of, outputs_of
from engine.arrays import Floats, Ints
from engine.evaluation import classify
from engine.examples import class_names, in_own_units, low_target
from engine.network import with_ones
from engine.wording import Words

LEFT, TOP, SIDE = 30.0, 6.0, 240.0
GALLERY = 18
POINTS_AT_MOST = 600
MOST_TOLD = 6  # inputs of an example that are told in words


@dataclass(frozen=True)
class Plot:
    """The output's drawing without what changes with every step: `points` are (x, y, class, index)."""

    kind: str
    x: Axis
    y: Axis
    points: tuple[tuple[float, float, str, int], ...]
    hidden: int
    names: tuple[str, str] = ("", "")
    """What the axes are, where that needs a word."""
    basis: Floats | None = None
    """Of many inputs the point at 0 0, and what of them runs across and up, (3, inputs) as the network meets them."""
    pair: Pair = (0, 1)
    """Of a plane the inputs that it is over."""

    @cached_property
    def dots(self) -> Markup:
        """The points as circles: put together once for all frames that have them, for there are hundreds."""
        return Markup(
            "".join(
                f'<circle class="{kind}" cx="{x}" cy="{y}" r="3.2" data-i="{index}"/>'
                for x, y, kind, index in self.points
            )
        )


@dataclass(frozen=True)
class Output:
    """The output now: a `surface` picture, or `curves`; `chosen` is where the chosen example stands."""

    plot: Plot | None
    surface: str
    curves: tuple[Curve, ...]
    chosen: tuple[float, float] | None
    says: str
    matrix: tuple[tuple[int, ...], ...]
    classes: tuple[str, ...]
    always: str
    note: str
    gallery: "Gallery | None"
    choices: tuple[pairs.Choice, ...] = ()


@dataclass(frozen=True)
class Gallery:
    """A few images with what they are and what they are taken for."""

    picture: str
    items: tuple[tuple[int, int, int], ...]


def output(
    state: RunState, seen: Surfaces | None, example: int | None, tests: bool, discrete: bool, pair: Pair | None = None
) -> Output:
    """Everything about the output of this state, drawn over a `pair` of inputs if they are chosen of many."""
    spec, examples = state.spec, examples_of(state.spec)
    judged = spec.task == "multiclass" or (spec.task == "binary" and spec.data is not None)
    answers = outputs_of(state, examples.x).T if judged or spec.raw_inputs > 2 else None
    plot = plot_of(spec, tests, pair)
    if plot is None and spec.task == "regression" and answers is not None:
        plot = _scatter(spec, examples, in_own_units(spec, answers.T)[:, 0], tests)
    says, chosen = "", None
    if example is not None and example < examples.count:
        chosen = _place(plot, spec, examples, example, answers)
        says = says_of(spec, examples, example)
    surface, curves = answered(state, seen, discrete, plot)
    matrix, always = _judged(spec, examples, answers) if judged and answers is not None else ((), "")
    predicted = answers.argmax(axis=0) if answers is not None and spec.task == "multiclass" else None
    truth = examples.targets.argmax(axis=0)
    gallery = _gallery(spec, truth, predicted) if spec.raw_inputs == IMAGE**2 and predicted is not None else None
    note, choices = _note(spec, examples, plot), pairs.choices(spec, pair)
    return Output(plot, surface, curves, chosen, says, matrix, class_names(spec), always, note, gallery, choices)


def _judged(spec: Spec, examples: Examples, answers: Floats) -> tuple[tuple[tuple[int, ...], ...], str]:
    """Which class was taken for which, of the test examples if there are any; and what always guessing one would do."""
    truth, predicted = classify(spec, examples.targets), classify(spec, answers)
    tested = slice(examples.train, None) if examples.train < examples.count else slice(None)
    names = class_names(spec)
    counts = confusion(truth[tested], predicted[tested], len(names))
    sizes = counts.sum(axis=1)
    largest = int(sizes.argmax())
    share = percent(float(sizes[largest] / max(1, sizes.sum())))
    always = text("Always guessing {name} would be right in {share}.", name=names[largest], share=share)
    return tuple(tuple(row) for row in counts.tolist()), always if spec.data else ""


def _note(spec: Spec, examples: Examples, plot: Plot | None) -> str:
    if plot is not None and plot.kind == "plane" and plot.basis is not None:
        return pairs.told(spec, examples, plot.pair)
    if plot is None or plot.kind not in ("map", "scatter"):
        return ""
    if plot.kind == "scatter":
        return text("Each example: what is predicted over what is true. On the line both are the same.")
    told = "A map: the two principal components of the {inputs} inputs, all that lies off it at its mean."
    return text(told, inputs=spec.raw_inputs)


def _over_many(state: RunState, plot: Plot) -> NDArray[np.float32]:
    """The outputs (outputs, GRID x GRID) over a plane through many inputs, top row first."""
    assert plot.basis is not None
    middles = (np.arange(GRID) + 0.5) / GRID
    across = plot.x.low + (plot.x.high - plot.x.low) * middles
    up = plot.y.low + (plot.y.high - plot.y.low) * middles[::-1]
    scores = np.column_stack([np.tile(across, GRID), np.repeat(up, GRID)])
    x = plot.basis[0] + scores @ plot.basis[1:]
    return np.asarray(outputs_of(state, with_ones(x)).T, np.float32)


def answered(
    state: RunState, seen: Surfaces | None, discrete: bool, plot: Plot | None
) -> tuple[str, tuple[Curve, ...]]:
    """The surface or the curves, whichever the network has."""
    spec = state.spec
    if plot is not None and plot.basis is not None:
        return _surface(spec, _over_many(state, plot), discrete), ()
    if seen is None or plot is None:
        return "", ()
    if spec.raw_inputs == 2:
        return _surface(spec, seen.outputs, discrete), ()
    return "", _curves(plot, seen, spec)


def says_of(spec: Spec, examples: Examples, example: int) -> str:
    """An example in words."""
    tests, told = example >= examples.train, _label(spec, examples, example)
    if spec.raw_inputs > MOST_TOLD:
        message: Words = "Example {example}, test, {told}" if tests else "Example {example}, training, {told}"
        return text(message, example=example, told=told)
    names = spec.data.names if spec.data else ()
    names = names or tuple(f"x{i + 1}".translate(SUBSCRIPTS) for i in range(spec.raw_inputs))
    values = examples.raw[example].tolist()
    inputs = ", ".join(f"{name} {signed(v)}" for name, v in zip(names, values, strict=True))
    where: Words = "Example {example}, training: {inputs}, {told}"
    if tests:
        where = "Example {example}, test: {inputs}, {told}"
    return text(where, example=example, inputs=inputs, told=told)


def _label(spec: Spec, examples: Examples, example: int) -> str:
    """What is to be predicted; of one's own classes also the number that stands for it."""
    label = np.atleast_1d(examples.labels[example])
    if spec.task == "regression":
        return "y " + ", ".join(target(float(v)) for v in label)
    told = text("class {name}", name=class_names(spec)[int(label[0])])
    code = examples.targets[:, example]
    if not spec.data or len(code) != 1:
        return told
    return text("{name} (target {target})", name=told, target=target(float(code[0])))


def _surface(spec: Spec, outputs: NDArray[np.float32], discrete: bool) -> str:
    if len(outputs) > 1 and spec.task != "regression":
        values = outputs if not discrete else (outputs == outputs.max(axis=0)).astype(np.float32)
        if spec.task == "multiclass":
            return classes_sprite(values, GRID)
        return sprite((values[1] - values[0])[None], GRID, OUTPUT_COLOURS)
    values = centred(outputs[:1], spec.output_activation)
    if spec.task == "regression" or spec.output_activation == "identity":
        values = np.clip(outputs[:1], -1, 1)
    if discrete:
        middle = (1 + low_target(spec.output_activation)) / 2 if spec.task == "binary" else 0
        values = np.where(outputs[:1] > middle, 1, -1).astype(np.float32)
    return sprite(values, GRID, OUTPUT_COLOURS)


def points_key(spec: Spec, tests: bool, pair: Pair | None = None) -> str:
    """What tells the drawn points of one spec from those of another; empty where they move with every step."""
    if spec.raw_inputs > 2 and pair is None and not _has_map(spec):
        return ""
    return f"{crc32(repr((spec.drawn, tests, pair)).encode()):x}"


def _has_map(spec: Spec) -> bool:
    return spec.data is not None and spec.raw_inputs > 2 and spec.task != "regression"


def plot_of(spec: Spec, tests: bool, pair: Pair | None = None) -> Plot | None:
    """Axes and points for one or two raw inputs, or of more for a pair of them or a map."""
    if spec.raw_inputs > 2 and pair is None and not _has_map(spec):
        return None
    return _plot(examples_of(spec), spec, tests, pair)


_PLOTS: dict[tuple[int, bool, Pair | None], tuple[Examples, Plot]] = {}


def _plot(examples: Examples, spec: Spec, tests: bool, pair: Pair | None) -> Plot:
    """Kept as long as the examples are the same object: they are for every spec that shares them."""
    key = (id(examples), tests, pair)
    if key in _PLOTS and _PLOTS[key][0] is examples:
        return _PLOTS[key][1]
    if len(_PLOTS) > 64:
        _PLOTS.clear()
    if pair is not None:
        plot = replace(_plane(examples, spec, tests, pair), basis=pairs.plane_over(examples, pair))
    else:
        draw = {1: _curve_plot, 2: _plane}.get(spec.raw_inputs, _map)
        plot = draw(examples, spec, tests)
    _PLOTS[key] = (examples, plot)
    return plot


def _axes(x: tuple[float, float], y: tuple[float, float]) -> tuple[Axis, Axis]:
    return Axis(*x, LEFT, LEFT + SIDE), Axis(*y, TOP + SIDE, TOP)


def _own_names(spec: Spec, count: int) -> tuple[str, ...]:
    names = spec.data.names[:count] if spec.data else ()
    return names or ("",) * count


def _kinds(examples: Examples, spec: Spec) -> list[str]:
    """The colour of every point: its class, or its sign."""
    if spec.task == "multiclass":
        return [f"c{int(k) % 10}" for k in examples.labels.reshape(-1)]
    positive = examples.targets[0] > (0 if spec.task == "regression" else (1 + low_target(spec.output_activation)) / 2)
    if len(examples.targets) == 2 and spec.task == "binary":
        positive = examples.targets[1] > examples.targets[0]
    return ["p" if flag else "n" for flag in positive.tolist()]


def _map(examples: Examples, spec: Spec, tests: bool) -> Plot:
    """The inputs, as the network meets them, along the two directions in which the training rows differ most."""
    x = examples.x[:-1].T
    middle = x[: examples.train].mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(x[: examples.train].T, bias=True))
    basis = vectors[:, [-1, -2]].T
    basis *= np.sign(basis[np.arange(2), np.abs(basis).argmax(axis=1)])[:, np.newaxis]
    scores = (x - middle) @ basis.T
    low, high = scores.min(axis=0), scores.max(axis=0)
    room = 0.06 * np.maximum(high - low, 1e-9)
    axis_x, axis_y = _axes(*zip((low - room).tolist(), (high + room).tolist(), strict=True))
    names = ("component 1", "component 2")
    points, hidden = _points(examples, spec, tests, axis_x, axis_y, scores)
    return Plot("map", axis_x, axis_y, points, hidden, names, np.vstack([middle, basis]))


Points = tuple[tuple[float, float, str, int], ...]


def _points(
    examples: Examples, spec: Spec, tests: bool, x: Axis, y: Axis, places: Floats, kind: str = ""
) -> tuple[Points, int]:
    """Those that are drawn, and how many are left out."""
    indices, hidden = _shown(examples, tests)
    kinds = [kind] * examples.count if kind else _kinds(examples, spec)
    points = tuple((x.at(places[i, 0]), y.at(places[i, 1]), _part(examples, i, kinds[i]), i) for i in indices.tolist())
    return points, hidden


def _shown(examples: Examples, tests: bool) -> tuple[Ints, int]:
    """Indices of the points that are drawn, and how many are left out."""
    count = examples.count if tests else examples.train
    indices = np.arange(count)
    if count <= POINTS_AT_MOST:
        return indices, 0
    return np.linspace(0, count - 1, POINTS_AT_MOST).astype(np.int64), count - POINTS_AT_MOST


def _plane(examples: Examples, spec: Spec, tests: bool, pair: Pair = (0, 1)) -> Plot:
    x, y = _axes(*(examples.domains[k] for k in pair))
    points, hidden = _points(examples, spec, tests, x, y, examples.raw[:, pair])
    across, up = (_own_names(spec, spec.raw_inputs)[k] for k in pair)
    return Plot("plane", x, y, points, hidden, (across, up), pair=pair)


def _part(examples: Examples, index: int, kind: str) -> str:
    return kind + (" t" if index >= examples.train else "")


def _values(examples: Examples) -> Floats:
    """Targets (n, outputs) in units of their own."""
    scale = examples.targets_by
    return scale.undo(examples.targets.T) if scale else examples.targets.T


def _curve_plot(examples: Examples, spec: Spec, tests: bool) -> Plot:
    values = _values(examples)
    low, high = float(values.min()), float(values.max())
    reach = 0.12 * (high - low or 1)
    x, y = _axes(examples.domains[0], (low - reach, high + reach))
    points, hidden = _points(examples, spec, tests, x, y, np.column_stack([examples.raw[:, 0], values[:, 0]]), "d")
    own = spec.data.targets if spec.data else ()
    return Plot("curve", x, y, points, hidden, (_own_names(spec, 1)[0], own[0] if own else ""))


def _scatter(spec: Spec, examples: Examples, answers: Floats, tests: bool) -> Plot:
    """Predicted against true, in units of the data, with one scale on both axes."""
    truth = _values(examples)[:, 0]
    low, high = float(truth.min()), float(truth.max())
    room = 0.1 * (high - low or 1)
    x, y = _axes((low - room, high + room), (low - room, high + room))
    points, hidden = _points(examples, spec, tests, x, y, np.column_stack([truth, answers]), "d")
    own = spec.data.targets[0] if spec.data and spec.data.targets else ""
    return Plot(
        "scatter",
        x,
        y,
        points,
        hidden,
        (text("true {name}", name=own).strip(), text("predicted {name}", name=own).strip()),
    )


def _place(
    plot: Plot | None, spec: Spec, examples: Examples, i: int, answers: Floats | None
) -> tuple[float, float] | None:
    if plot is None:
        return None
    if plot.kind == "plane":
        across, up = examples.raw[i, plot.pair].tolist()
    elif plot.basis is not None:
        across, up = ((examples.x[:-1, i] - plot.basis[0]) @ plot.basis[1:].T).tolist()
    elif plot.kind == "curve":
        across, up = examples.raw[i, 0], _values(examples)[i, 0]
    else:
        across = _values(examples)[i, 0]
        up = float(in_own_units(spec, answers.T)[i, 0]) if answers is not None else 0.0
    return plot.x.at(across), plot.y.at(up)


def _curves(plot: Plot, seen: Surfaces, spec: Spec) -> tuple[Curve, ...]:
    x = plot.x(np.linspace(plot.x.low, plot.x.high, CURVE))
    outputs = in_own_units(spec, seen.outputs.T.astype(float)).T
    return tuple(
        Curve(text("output {unit}", unit=k + 1), "fit", path(x, plot.y(row))) for k, row in enumerate(outputs[:3])
    )


def _gallery(spec: Spec, truth: Ints, predicted: Ints) -> Gallery:
    examples = examples_of(spec)
    first = examples.train if examples.train < examples.count else 0
    indices = range(first, min(examples.count, first + GALLERY))
    items = tuple((i, int(truth[i]), int(predicted[i])) for i in indices)
    return Gallery(_images(tuple(indices), examples.raw[list(indices)].tobytes()), items)


@lru_cache(maxsize=16)
def _images(indices: tuple[int, ...], pixels: bytes) -> str:
    return inks(np.frombuffer(pixels).reshape(len(indices), -1), IMAGE)


def title_of(spec: Spec) -> str:
    """What people call the dataset."""
    return text(DATASETS[spec.dataset].title if spec.dataset in DATASETS else "My data")
