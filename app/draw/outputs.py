"""What the network answers, as values: the surface or curve with the data on it, and which class was taken for which.

Three kinds of plot: "plane" (two raw inputs), "curve" (one), "scatter" (more: predicted against true values).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from zlib import crc32

import numpy as np
from markupsafe import Markup

from app.draw.charts import Axis, Curve, confusion, path, round_up
from app.draw.pictures import CURVE, GRID, IMAGE, OUTPUT_COLOURS, Surfaces, centred, classes_sprite, inks, sprite
from app.words.numbers import SUBSCRIPTS, signed, target
from engine import DATASETS, Examples, RunState, Spec, examples_of, predict
from engine.arrays import Floats, Ints
from engine.examples import low_target

LEFT, TOP, SIDE = 30.0, 6.0, 240.0
GALLERY = 18
POINTS_AT_MOST = 600


@dataclass(frozen=True)
class Plot:
    """The output's drawing without what changes with every step: `points` are (x, y, class, index)."""

    kind: str
    x: Axis
    y: Axis
    points: tuple[tuple[float, float, str, int], ...]
    hidden: int

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
    gallery: "Gallery | None"


@dataclass(frozen=True)
class Gallery:
    """A few images with what they are and what they are taken for."""

    picture: str
    items: tuple[tuple[int, int, int], ...]


def output(state: RunState, seen: Surfaces | None, example: int | None, tests: bool, discrete: bool) -> Output:
    """Everything about the output of this state."""
    spec, examples = state.spec, examples_of(state.spec)
    classified = spec.task == "multiclass"
    answers = predict(state, examples.x).T if classified or spec.raw_inputs > 2 else None
    plot = _scatter(examples, answers, tests) if spec.raw_inputs > 2 and answers is not None else plot_of(spec, tests)
    if plot is not None and plot.kind == "scatter" and classified:
        plot = None
    predicted = None if answers is None or not classified else answers.argmax(axis=0)
    truth = examples.targets.argmax(axis=0)
    says, chosen = "", None
    if example is not None and example < examples.count:
        chosen = _place(plot, examples, example, answers)
        says = says_of(spec, examples, example)
    surface = "" if seen is None or spec.raw_inputs != 2 else _surface(spec, seen, discrete)
    curves = () if seen is None or spec.raw_inputs != 1 or plot is None else _curves(plot, seen, spec)
    tested = slice(examples.train, None) if examples.train < examples.count else slice(None)
    matrix: tuple[tuple[int, ...], ...] = ()
    if predicted is not None:
        counts = confusion(truth[tested], predicted[tested], len(examples.targets))
        matrix = tuple(tuple(row) for row in counts.tolist())
    gallery = _gallery(spec, truth, predicted) if spec.raw_inputs == IMAGE**2 and predicted is not None else None
    return Output(plot, surface, curves, chosen, says, matrix, gallery)


def says_of(spec: Spec, examples: Examples, example: int) -> str:
    """An example in words."""
    label = examples.labels[example]
    part = "test" if example >= examples.train else "training"
    if spec.raw_inputs > 2:
        return f"Example {example}, {part}, {_label(spec, label)}"
    inputs = ", ".join(
        f"x{i + 1}".translate(SUBSCRIPTS) + f" {signed(v)}" for i, v in enumerate(examples.raw[example].tolist())
    )
    return f"Example {example}, {part}: {inputs}, {_label(spec, label)}"


def _label(spec: Spec, label: Any) -> str:
    if spec.task == "regression":
        return "y " + ", ".join(target(float(v)) for v in np.atleast_1d(label))
    return f"class {int(np.atleast_1d(label)[0])}"


def _surface(spec: Spec, seen: Surfaces, discrete: bool) -> str:
    if len(seen.outputs) > 1 and spec.task != "regression":
        values = seen.outputs if not discrete else (seen.outputs == seen.outputs.max(axis=0)).astype(np.float32)
        if spec.task == "multiclass":
            return classes_sprite(values, GRID)
        return sprite((values[1] - values[0])[None], GRID, OUTPUT_COLOURS)
    values = centred(seen.outputs[:1], spec.output_activation)
    if spec.task == "regression" or spec.output_activation == "identity":
        values = np.clip(seen.outputs[:1], -1, 1)
    if discrete:
        middle = (1 + low_target(spec.output_activation)) / 2 if spec.task == "binary" else 0
        values = np.where(seen.outputs[:1] > middle, 1, -1).astype(np.float32)
    return sprite(values, GRID, OUTPUT_COLOURS)


def points_key(spec: Spec, tests: bool) -> str:
    """What tells the drawn points of one spec from those of another; empty where they move with every step."""
    if spec.raw_inputs > 2:
        return ""
    drawn = (
        spec.dataset,
        spec.samples,
        spec.noise,
        spec.test_share,
        spec.seed,
        spec.data,
        spec.output_activation,
        tests,
    )
    return f"{crc32(repr(drawn).encode()):x}"


def plot_of(spec: Spec, tests: bool) -> Plot | None:
    """Axes and points for one or two raw inputs."""
    if spec.raw_inputs > 2:
        return None
    return _plot(examples_of(spec), spec.raw_inputs, spec.task, tests)


_PLOTS: dict[tuple[int, bool], tuple[Examples, Plot]] = {}


def _plot(examples: Examples, inputs: int, task: str, tests: bool) -> Plot:
    """Kept as long as the examples are the same object: they are for every spec that shares them."""
    key = (id(examples), tests)
    if key in _PLOTS and _PLOTS[key][0] is examples:
        return _PLOTS[key][1]
    if len(_PLOTS) > 64:
        _PLOTS.clear()
    plot = _plane(examples, task, tests) if inputs == 2 else _curve_plot(examples, tests)
    _PLOTS[key] = (examples, plot)
    return plot


def _shown(examples: Examples, tests: bool) -> tuple[Ints, int]:
    """Indices of the points that are drawn, and how many are left out."""
    count = examples.count if tests else examples.train
    indices = np.arange(count)
    if count <= POINTS_AT_MOST:
        return indices, 0
    return np.linspace(0, count - 1, POINTS_AT_MOST).astype(np.int64), count - POINTS_AT_MOST


def _plane(examples: Examples, task: str, tests: bool) -> Plot:
    x, y = Axis(*examples.domain, LEFT, LEFT + SIDE), Axis(*examples.domain, TOP + SIDE, TOP)
    indices, hidden = _shown(examples, tests)
    labels = examples.labels.reshape(len(examples.labels), -1)[:, 0]
    points = []
    for i in indices.tolist():
        kind = (
            f"c{int(labels[i]) % 10}"
            if task == "multiclass"
            else "p"
            if labels[i] > (0 if task == "regression" else 0.5)
            else "n"
        )
        points.append((x.at(examples.raw[i, 0]), y.at(examples.raw[i, 1]), _part(examples, i, kind), i))
    return Plot("plane", x, y, tuple(points), hidden)


def _part(examples: Examples, index: int, kind: str) -> str:
    return kind + (" t" if index >= examples.train else "")


def _curve_plot(examples: Examples, tests: bool) -> Plot:
    values = examples.targets
    low, high = float(values.min()), float(values.max())
    reach = 0.12 * (high - low or 1)
    x, y = Axis(*examples.domain, LEFT, LEFT + SIDE), Axis(low - reach, high + reach, TOP + SIDE, TOP)
    indices, hidden = _shown(examples, tests)
    points = tuple((x.at(examples.raw[i, 0]), y.at(values[0, i]), _part(examples, i, "d"), i) for i in indices.tolist())
    return Plot("curve", x, y, points, hidden)


def _scatter(examples: Examples, answers: Floats, tests: bool) -> Plot:
    reach = round_up(float(np.abs(examples.targets).max()))
    x, y = Axis(-reach, reach, LEFT, LEFT + SIDE), Axis(-reach, reach, TOP + SIDE, TOP)
    indices, hidden = _shown(examples, tests)
    points = tuple(
        (x.at(examples.targets[0, i]), y.at(answers[0, i]), _part(examples, i, "d"), i) for i in indices.tolist()
    )
    return Plot("scatter", x, y, points, hidden)


def _place(plot: Plot | None, examples: Examples, i: int, answers: Floats | None) -> tuple[float, float] | None:
    if plot is None:
        return None
    if plot.kind == "plane":
        return plot.x.at(examples.raw[i, 0]), plot.y.at(examples.raw[i, 1])
    if plot.kind == "curve":
        return plot.x.at(examples.raw[i, 0]), plot.y.at(examples.targets[0, i])
    return plot.x.at(examples.targets[0, i]), plot.y.at(float(answers[0, i]) if answers is not None else 0.0)


def _curves(plot: Plot, seen: Surfaces, spec: Spec) -> tuple[Curve, ...]:
    x = plot.x(np.linspace(plot.x.low, plot.x.high, CURVE))
    return tuple(
        Curve(f"output {k + 1}", "fit", path(x, plot.y(row.astype(float)))) for k, row in enumerate(seen.outputs[:3])
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
    return DATASETS[spec.dataset].title if spec.dataset in DATASETS else "My data"
