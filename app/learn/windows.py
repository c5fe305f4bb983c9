"""What the lessons on convolution and pooling show: one small image, what looks at it through a window, and the way
back, by the operations that homework is judged by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.homework import BACKWARD
from engine.homework.base import Case, Gradients

Place = tuple[int, int]
NUDGE = 1e-5


@dataclass(frozen=True)
class Seen:
    """An operation on one image with one channel: its case, what it gives, `out`, what that should be, and the loss,
    half the sum of the squared misses; so what comes back to the output, `delta`, is the miss itself.
    """

    operation: str
    arrays: Mapping[str, Floats]
    settings: Mapping[str, Any]
    target: Floats

    @property
    def case(self) -> Case:
        """As homework has it, with the miss coming back."""
        bare = Case(self.arrays, self.settings, np.zeros(()))
        return bare.with_upstream(BACKWARD[self.operation].forward(bare) - self.target)

    @property
    def x(self) -> Floats:
        """The image, (rows, columns)."""
        image: Floats = self.arrays["x"][0, 0]
        return image

    @property
    def filter(self) -> Floats:
        """The filter, (rows, columns)."""
        weights: Floats = self.arrays["W"][0, 0]
        return weights

    @property
    def turned(self) -> Floats:
        """The filter turned by 180 degrees."""
        return self.filter[::-1, ::-1]

    @property
    def delta(self) -> Floats:
        """What comes back to the output."""
        back: Floats = self.case.g[0, 0]
        return back

    @property
    def out(self) -> Floats:
        """What it gives."""
        given: Floats = self.delta + self.target[0, 0]
        return given

    @property
    def loss(self) -> float:
        """Half the sum of the squared misses."""
        return float(0.5 * np.square(self.delta).sum())

    @property
    def back(self) -> Floats:
        """What comes back to the image."""
        given: Floats = self.gradients()["dx"][0, 0]
        return given

    def gradients(self) -> Gradients:
        """All of them."""
        return BACKWARD[self.operation].backward(self.case)

    def moved(self, name: str, place: Place, amount: float) -> "Seen":
        """The same with one number of an array moved."""
        changed = self.arrays[name].copy()
        changed[(0, 0, *place)] += amount
        return Seen(self.operation, {**self.arrays, name: changed}, self.settings, self.target)

    def nudged(self, name: str, place: Place) -> float:
        """How the loss changes with it, by nudging it both ways."""
        up, down = (self.moved(name, place, way).loss for way in (NUDGE, -NUDGE))
        return (up - down) / (2 * NUDGE)


def convolution(head: Any) -> Seen:
    """What the lesson's head sets, through its filter."""
    arrays = {"x": _image(head.x), "W": _image(head.W), "b": np.array([float(head.b)])}
    return Seen("conv2d", arrays, {"stride": 1, "padding": 0}, _image(head.target))


def pool(head: Any, operation: str, stride: int = 2) -> Seen:
    """The lesson's image through a pool of 2 × 2, with as much of its target as there are windows."""
    side = (len(head.x) - 2) // stride + 1
    return Seen(operation, {"x": _image(head.x)}, {"size": 2, "stride": stride}, _image(head.target)[..., :side, :side])


def _image(rows: Any) -> Floats:
    return np.array(rows, np.float64)[None, None]


@dataclass(frozen=True)
class Use:
    """One place where a number was used: where, its two factors, and their product."""

    place: Place
    one: float
    other: float

    @property
    def product(self) -> float:
        """What this place gives."""
        return self.one * self.other


def of_weight(seen: Seen, weight: Place) -> list[Use]:
    """Every place where a weight was used: the pixel below it there, and what comes back to that place."""
    i, j = weight
    return [Use((y, x), float(seen.x[y + i, x + j]), float(seen.delta[y, x])) for y, x in np.ndindex(seen.delta.shape)]


def of_pixel(seen: Seen, pixel: Place) -> list[Use]:
    """Every place that looked at a pixel: what comes back to it, and the weight that lay over the pixel there."""
    W, found = seen.filter, []
    for y, x in np.ndindex(seen.delta.shape):
        i, j = pixel[0] - y, pixel[1] - x
        if 0 <= i < W.shape[0] and 0 <= j < W.shape[1]:
            found.append(Use((y, x), float(seen.delta[y, x]), float(W[i, j])))
    return found


def winner(seen: Seen, window: Place, stride: int) -> Place:
    """The largest pixel of a window of 2 × 2, of equals the first."""
    i, j = window[0] * stride, window[1] * stride
    row, column = divmod(int(seen.x[i : i + 2, j : j + 2].argmax()), 2)
    return i + row, j + column


def won(seen: Seen, pixel: Place) -> list[Place]:
    """The windows, one pixel apart, that a pixel is the winner of."""
    return [place for place in np.ndindex(seen.delta.shape) if winner(seen, place, 1) == pixel]
