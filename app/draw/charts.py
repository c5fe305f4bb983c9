"""Charts as values: scales, ticks and paths for the loss curve, the output, the slice and the health strips.

Everything is in the units of the drawing, rounded to a tenth; templates only place it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, isfinite, log10
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from app.words.numbers import MINUS

Floats = NDArray[np.floating]


RUNAWAY = 10  # times the first loss


@dataclass(frozen=True)
class Axis:
    """A scale from data to drawing: `low` at `start`, `high` at `end`, straight or by powers of ten."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: Floats) -> Floats:
        """Data to drawing, clipped to the ends."""
        low, high = self.low, self.high
        if self.log:
            values = np.log10(np.maximum(values, low))
            low, high = log10(low), log10(high)
        share = np.clip((values - low) / (high - low), 0, 1)
        return np.asarray(self.start + share * (self.end - self.start))

    def at(self, value: float) -> float:
        """One number to drawing; plain arithmetic, for a NumPy call on one number costs ten times as much."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = log10(max(value, low)), log10(low), log10(high)
        share = (value - low) / (high - low)
        share = share if 0 <= share <= 1 else 0.0 if share < 0 else 1.0
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, most: int = 5) -> list[tuple[float, str]]:
        """Places and labels at round numbers."""
        values = decades(self.low, self.high, most) if self.log else round_numbers(self.low, self.high, most)
        return [(self.at(v), tick_label(v)) for v in values]


def round_numbers(low: float, high: float, most: int) -> list[float]:
    """At most `most` + 1 multiples of 1, 2 or 5 times a power of ten, within [low, high]."""
    step = _round_step((high - low) / most)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def _round_step(rough: float) -> float:
    power = 10.0 ** floor(log10(rough))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))


def decades(low: float, high: float, most: int) -> list[float]:
    """Powers of ten within [low, high], every one or every few."""
    first, last = ceil(log10(low) - 1e-9), floor(log10(high) + 1e-9)
    return [10.0**k for k in range(first, last + 1, max(1, ceil((last - first + 1) / most)))]


def tick_label(value: float) -> str:
    """0.2, 500, 1.5k, 10⁻³."""
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-3:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("-", MINUS)
    if size >= 10_000:
        return f"{value / 1000:g}k".replace("-", MINUS)
    return f"{round(value, 6) + 0.0:g}".replace("-", MINUS)


def round_up(value: float) -> float:
    """The next round number: the top of an axis that does not shift with every frame."""
    if not isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(power * m for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if power * m >= value)


def path(x: Floats, y: Floats) -> str:
    """A polyline through the points that are numbers."""
    keep = np.isfinite(x) & np.isfinite(y)
    points = np.column_stack([x[keep], y[keep]]).ravel().round(1).tolist()
    if len(points) < 4:
        return ""
    return "M" + "L".join(["%g %g"] * (len(points) // 2)) % tuple(points)


@dataclass(frozen=True)
class Curve:
    """One line of a chart: its name, its class and its path."""

    name: str
    kind: str
    path: str


@dataclass(frozen=True)
class Framed:
    """A chart of some size, whose axes lie between left and right, and between bottom and top."""

    x: Axis
    y: Axis
    width: float
    height: float
    TICKS: ClassVar[tuple[int, int]] = (4, 4)

    @property
    def left(self) -> float:
        """Where the frame begins."""
        return self.x.start

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.x.end

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y.start

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.y.end

    @cached_property
    def x_ticks(self) -> list[tuple[float, str]]:
        """Places and labels along the bottom."""
        return self.x.ticks(self.TICKS[0])

    @cached_property
    def y_ticks(self) -> list[tuple[float, str]]:
        """Places and labels along the left side."""
        return self.y.ticks(self.TICKS[1])


@dataclass(frozen=True)
class LossChart(Framed):
    """The loss over steps, and where the step that is looked at stands."""

    curves: tuple[Curve, ...]
    marker: tuple[float, float]
    head: int


Others = Sequence[tuple[str, NDArray[np.int64], Floats]]


def thinned(steps: NDArray[np.int64], most: int = 100) -> NDArray[np.int64]:
    """Indices of at most so many points, evenly over the steps, the first and the last among them."""
    if len(steps) <= most:
        return np.arange(len(steps))
    wanted = np.linspace(steps[0], steps[-1], most)
    return np.unique(np.searchsorted(steps, wanted).clip(0, len(steps) - 1))


def loss_chart(
    steps: NDArray[np.int64],
    losses: Floats,
    step: int,
    log: bool = False,
    others: Others = (),
    width: float = 276,
) -> LossChart:
    """The chart of one run, `losses` (points, 2) being train and test; others are laid over it by name."""
    left, right, top, bottom, height = 40.0, width - 8, 8.0, 126.0, 148.0
    head = int(steps[-1])
    every = [losses, *(values for _, _, values in others)]
    finite = np.concatenate([v[np.isfinite(v)].ravel() for v in every])
    highest = float(finite.max(initial=0.0)) or 1.0
    first = max((value for value in losses[0].tolist() if isfinite(value)), default=highest)
    if not log and highest > RUNAWAY * first > 0:  # a run that explodes leaves the chart, rather than flatten its past
        highest = RUNAWAY * first
    x = Axis(0, max(1, head, *(int(s[-1]) for _, s, _ in others)), left, right)
    if log:
        lowest = max(float(finite[finite > 0].min(initial=highest)), highest * 1e-8)
        y = Axis(10.0 ** floor(log10(lowest)), 10.0 ** ceil(log10(highest) + 1e-9), bottom, top, log=True)
    else:
        y = Axis(0, round_up(highest), bottom, top)
    keep = thinned(steps)
    across = x(steps[keep].astype(float)).round()
    own = [Curve(name, name, path(across, y(losses[keep, column]))) for column, name in ((1, "test"), (0, "train"))]
    nearest = int(np.searchsorted(steps, step).clip(0, len(steps) - 1))
    now = float(losses[nearest, 0])
    marker = x.at(step), y.at(now if isfinite(now) else highest)
    return LossChart(x, y, width, height, (*_others(others, x, y), *own), marker, head)


def _others(others: Others, x: Axis, y: Axis) -> Iterator[Curve]:
    """The training losses of other runs: (name, steps, losses)."""
    for i, (name, steps, values) in enumerate(others):
        yield Curve(name, f"other o{i % 4}", path(x(steps.astype(float)), y(values[:, 0])))


def sparkline(values: Floats, width: float = 60, height: float = 16, log: bool = True) -> str:
    """A small line without axes up to the last value, through some 40 of them."""
    if len(values) < 2:
        return ""
    stride = len(values) // 40 + 1
    values = values[(len(values) - 1) % stride :: stride]
    if log:
        values = np.log10(np.maximum(values, 1e-12))
    usable = values[np.isfinite(values)]
    if not len(usable):
        return ""
    low, high = float(usable.min()), float(usable.max())
    y = Axis(low, high if high > low else low + 1, height - 1, 1)
    return path(np.linspace(0, width, len(values)), y(values))


def log_share(value: float, low: float = 1e-6, high: float = 10.0) -> float:
    """Where a size stands between two powers of ten, 0 to 1: the length of a bar."""
    if not isfinite(value):
        return 1.0
    if value <= low:
        return 0.0
    return min(1.0, (log10(value) - log10(low)) / (log10(high) - log10(low)))


def confusion(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Counts (true class, predicted class)."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)
