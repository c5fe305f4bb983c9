"""Plots of a lesson as values: a box with two axes, and the places of points, lines and pictures in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from app.draw.charts import Axis, Framed, path
from engine.arrays import Floats

FAR = 4_000.0  # a place outside the box that every browser can still draw to


@dataclass(frozen=True)
class Box(Framed):
    """A box of the drawing: data from `x` and `y` lie between left and right, bottom and top.

    Places are not clipped, so that a line leaves the box where it should; the template clips what it draws.
    """

    TICKS = (5, 4)

    @property
    def inner_width(self) -> float:
        """The width of the box."""
        return self.x.end - self.x.start

    @property
    def inner_height(self) -> float:
        """The height of the box."""
        return self.y.start - self.y.end

    def px(self, value: float) -> float:
        """A place along the bottom."""
        return _place(self.x, value)

    def py(self, value: float) -> float:
        """A place along the left side."""
        return _place(self.y, value)

    def line(self, xs: Sequence[float] | Floats, ys: Sequence[float] | Floats) -> str:
        """The path through the points that are finite."""
        places = [(self.px(float(x)), self.py(float(y))) for x, y in zip(xs, ys, strict=True)]
        return path(np.array([x for x, _ in places]), np.array([y for _, y in places]))

    def tangent(self, x: float, y: float, slope: float) -> str:
        """The straight line through a point, across the whole box."""
        ends = [self.x.low, self.x.high]
        return self.line(ends, [y + slope * (end - x) for end in ends])

    def inside(self, x: float, y: float) -> bool:
        """Whether a point lies in the box."""
        return self.x.low <= x <= self.x.high and self.y.low <= y <= self.y.high


@dataclass(frozen=True)
class Grip:
    """What can be dragged in a box: where it is, and what it sets, each of a place as offset, per x and per y."""

    name: str
    x: float
    y: float
    sets: dict[str, tuple[float, float, float]]
    value: float
    span: tuple[float, float]


def along(box: Box, name: str, value: float, y: float) -> Grip:
    """One that sets a number by where it stands along the bottom."""
    per = (box.x.high - box.x.low) / box.inner_width
    sets = {name: (box.x.low - per * box.left, per, 0.0)}
    return Grip(name, box.px(value), y, sets, value, (box.x.low, box.x.high))


def line_ends(box: Box, m: float, b: float) -> tuple[Grip, Grip]:
    """Both ends of a line, short of the box's edges: each sets m and b so that the other stays where it is."""
    per = (box.y.low - box.y.high) / box.inner_height
    zero = box.y.high - per * box.top
    at = [box.x.low + share * (box.x.high - box.x.low) for share in (0.06, 0.94)]

    def end(n: int, name: str) -> Grip:
        x, other, height = at[n], at[1 - n], m * at[1 - n] + b
        slope = [(part - held) / (x - other) for part, held in ((zero, height), (per, 0.0))]
        shift = [height - other * slope[0], -other * slope[1]]
        sets = {"m": (slope[0], 0.0, slope[1]), "b": (shift[0], 0.0, shift[1])}
        place = min(max(box.py(m * x + b), box.top + 9), box.top + box.inner_height - 9)
        return Grip(name, box.px(x), place, sets, m * x + b, (box.y.low, box.y.high))

    return end(0, "left"), end(1, "right")


def plot(
    x: tuple[float, float],
    y: tuple[float, float],
    width: float = 400,
    height: float = 260,
    log_x: bool = False,
    log_y: bool = False,
    left: float = 46,
) -> Box:
    """A box of that size, with room for the labels of its ticks."""
    return Box(Axis(*x, left, width - 10, log_x), Axis(*y, height - 34, 10, log_y), width, height)


def _place(axis: Axis, value: float) -> float:
    if not isfinite(value):
        return FAR if value > 0 else -FAR
    if axis.log:
        return axis.at(value)
    share = (value - axis.low) / (axis.high - axis.low)
    return round(min(max(axis.start + share * (axis.end - axis.start), -FAR), FAR), 1)
