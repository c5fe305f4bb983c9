"""What the lesson on normalization shows: one unit's numbers over a batch, forwards and over the three ways back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.learn.facts import Facts
from app.learn.visit import Visit
from engine.arrays import Floats
from engine.homework.base import Case
from engine.homework.norms import EPS, parts
from engine.tracing import NormTrace

Numbers = tuple[float, ...]
NUDGE = 1e-5


@dataclass(frozen=True)
class NormWays:
    """One unit's numbers through a batch norm, an example each: z, x̂, what comes back to x̂, and the way on to z by the
    number itself, by the mean and by the spread, which add up to `delta`.
    """

    mean: float
    spread: float
    z: Numbers
    xhat: Numbers
    back: Numbers
    own: Numbers
    through_mean: Numbers
    through_spread: Numbers
    delta: Numbers

    @property
    def level(self) -> float:
        """The mean of what comes back: the way through the mean takes it away."""
        return float(np.mean(self.back))

    @property
    def tilt(self) -> float:
        """How much what comes back goes with x̂: the way through the spread takes it away."""
        return float(np.mean(np.multiply(self.back, self.xhat)))

    @property
    def left(self) -> Numbers:
        """What is left of what comes back without level and tilt."""
        return tuple(d - self.level - self.tilt * x for d, x in zip(self.back, self.xhat, strict=True))

    def bars(self, example: int) -> tuple[tuple[str, float, float], ...]:
        """Of one example (from 0): each way as (name, where it begins, where it ends), and their sum from 0."""
        names = ("the number", "the mean", "the spread")
        ends = np.cumsum([0.0, self.own[example], self.through_mean[example], self.through_spread[example]]).tolist()
        steps = [(name, ends[k], ends[k + 1]) for k, name in enumerate(names)]
        return (*steps, ("together: δ", 0.0, ends[-1]))


def ways(facts: Facts, unit: int = 1) -> NormWays:
    """A unit of the first layer in the run's next step, its examples in the order of their numbers."""
    layer, order = facts.trace.layers[0], np.argsort(facts.trace.examples)
    norm = norm_of(facts)

    def of(values: Floats) -> Numbers:
        return tuple(values[order, unit - 1].tolist())

    return NormWays(
        float(norm.mean[0, unit - 1]),
        float(norm.spread[0, unit - 1]),
        *map(of, (layer.z, norm.xhat, norm.dxhat, norm.dz_own, norm.dz_mean, norm.dz_spread, layer.dz)),
    )


def norm_of(facts: Facts) -> NormTrace:
    """The first layer's normalization, which the lesson's run has."""
    norm = facts.trace.layers[0].norm
    assert norm is not None
    return norm


def with_back(of: NormWays, back: Sequence[float]) -> NormWays:
    """The same batch with something else coming back to x̂."""
    column = np.array(back)[:, None]
    made = parts(Case({"x": np.array(of.z)[:, None], "gamma": np.ones(1)}, {"eps": EPS}, column), 0)
    own = made.dx(mean=0.0, spread=0.0)
    roads = (column, own, made.dx(spread=0.0) - own, made.dx(mean=0.0) - own, made.dx())
    return NormWays(of.mean, of.spread, of.z, of.xhat, *(tuple(each[:, 0].tolist()) for each in roads))


def moved(facts: Facts, given: Mapping[str, Any], example: int, amount: float) -> dict[str, Any]:
    """The spec as it was given, with the first input of one example (from 0) moved, and with it that unit's z."""
    order = np.argsort(facts.trace.examples)
    x = facts.trace.x[order[example]]
    rows = [list(row) for row in given["data"]["x"]]
    rows[int(np.abs(np.array(rows) - x).sum(1).argmin())][0] += amount
    return {**given, "data": {**given["data"], "x": rows}}


def nudged_slope(at: Visit, spec: Mapping[str, Any], example: int) -> float:
    """How the loss changes with one z of the batch, by nudging it both ways and running the network again."""
    run = at.facts(spec)
    up, down = (at.facts(moved(run, spec, example, way)).loss for way in (NUDGE, -NUDGE))
    return (up - down) / (2 * NUDGE)
