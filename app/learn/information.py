"""The information plane of a lesson's run: recorded once, binned as the reader likes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log2
from typing import Any

import numpy as np

from engine import LIMITS, Spec, examples_of
from engine.information import (
    PlanePoint,
    Recording,
    activation_span,
    binned,
    information_plane,
    mutual_information,
    record,
    states,
)

EPOCHS: tuple[int, ...] = tuple(sorted({0} | {round(float(epoch)) for epoch in np.geomspace(1, 400, 24)}))


@dataclass(frozen=True)
class InformationPlane:
    """Every layer's way through the plane; `most_x` and `most_y` are all there is to know, in bits."""

    points: tuple[PlanePoint, ...]
    epochs: tuple[int, ...]
    layers: int
    most_x: float
    most_y: float

    def path(self, layer: int) -> tuple[list[float], list[float]]:
        """A layer's I(X;T) and I(T;Y) over the epochs."""
        own = [point for point in self.points if point.layer == layer]
        return [point.about_input for point in own], [point.about_label for point in own]

    def at(self, layer: int, index: int) -> PlanePoint:
        """A layer at one of the epochs, by its index."""
        return [point for point in self.points if point.layer == layer][min(index, len(self.epochs) - 1)]

    def change(self, layer: int) -> float:
        """How many bits about the input a layer has gained at the end since its largest value."""
        xs, _ = self.path(layer)
        return xs[-1] - max(xs)


def plane(spec: Mapping[str, Any], bins: int) -> InformationPlane:
    """The plane of a run over EPOCHS."""
    return _plane(Spec.make(spec, LIMITS), bins)


@lru_cache(maxsize=64)
def _plane(spec: Spec, bins: int) -> InformationPlane:
    points = information_plane(spec, _recorded(spec), bins)
    train = examples_of(spec).train
    labels = examples_of(spec).targets[0, :train]
    share = float((labels == labels.max()).mean())
    most_y = -(share * log2(share) + (1 - share) * log2(1 - share))
    return InformationPlane(points, tuple(_recorded(spec)), len(spec.network.shapes), log2(train), most_y)


@lru_cache(maxsize=4)
def _recorded(spec: Spec) -> Recording:
    """Training takes a third of a second, so it is done once for all binnings."""
    return record(spec, EPOCHS)


def exactly(spec: Mapping[str, Any], layer: int) -> list[float]:
    """A layer's I(X;T) over EPOCHS with its activations told apart to the last bit, and no bins."""
    made = Spec.make(spec, LIMITS)
    examples = examples_of(made)
    x = states(examples.raw[: examples.train])
    return [mutual_information(x, states(layers[layer - 1])) for layers in _recorded(made).values()]


def at_the_ends(spec: Mapping[str, Any], layer: int, bins: int) -> list[float]:
    """Over EPOCHS, the share of a layer's activations that lie in the first or the last of the plane's bins."""
    made = Spec.make(spec, LIMITS)
    rows = [layers[layer - 1] for layers in _recorded(made).values()]
    low, high = activation_span(np.concatenate(rows).ravel(), made.network.activations[layer - 1].range)
    places = [binned(row, bins, low, high) for row in rows]
    return [float(((place == 0) | (place == bins - 1)).mean()) for place in places]


def ends_of(series: Sequence[tuple[str, Sequence[float], Sequence[float], str]]) -> str:
    """What lines (name, xs, ys, class) come to, in words."""
    return ", ".join(f"{name} {ys[-1]:.1f}" for name, _, ys, _ in series)


def told(plane: InformationPlane, index: int) -> str:
    """The plane at one epoch, in words."""
    rows = [plane.at(layer, index) for layer in range(1, plane.layers + 1)]
    return "; ".join(
        f"layer {row.layer} has {row.about_input:.1f} bits about the input and {row.about_label:.1f} about the label"
        for row in rows
    )
