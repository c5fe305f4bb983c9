"""The same examples run again with a step's new parameters, and the loss all along the way that the step goes.

A step goes one way in the space of all parameters: from where they stand to where it puts them. Going that way less or
more far is what a smaller or a larger learning rate would do.
"""

from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

import numpy as np

from engine.arrays import Floats
from engine.checks import SpecError
from engine.examples import examples_of
from engine.probes import Model
from engine.session import examples_for
from engine.state import RunState, start
from engine.tracing import Trace, trace_of

REACH = 10.0  # how many times the step's own length the way goes
FURTHEST = 1_000.0
PLACES = 41  # a quarter of the step from one to the next, so that the step's own end is one of them
WORK = 2e8  # parameters × examples × places
ENOUGH = 0.9  # of what the way has to give: a step that gets it is just right

Verdict = Literal["short", "right", "over", "worse", "still"]


@dataclass(frozen=True)
class Along:
    """The loss on the way that the next step goes, from no step at all to `reach` times its length.

    `lengths` are multiples of the step, `rates` the learning rates that go so far (`rate` is the step's own). `losses`
    are of the examples of the step, `all_losses` of the first `examples` training examples, which are all of them where
    that is affordable; both have the penalty in them, and nothing is rounded. `before` and `after` are the loss at
    length 0 and 1. `promised` is the change that the gradient alone foretells for length 1: its product with the step.
    `verdicts` say of each length what it comes to: "short" of what the way has to give, "right" (at least 0.9 of it),
    "over" the lowest place, "worse" than no step, or "still": the loss is what it was. `best` and `all_best` are the
    lengths with the lowest loss; 0 where no number is finite.
    """

    reach: float
    rate: float
    lengths: Floats
    rates: Floats
    losses: Floats
    all_losses: Floats
    examples: int
    before: float
    after: float
    promised: float
    verdicts: tuple[Verdict, ...]
    best: float
    all_best: float


def again(step: Trace) -> Trace:
    """The step's own examples in the network that the step has made: what running it again gives.

    Dropout keeps what it kept in the step. Its loss, z and a are those after the step; its gradients are those of the
    step that would follow on them.
    """
    spec = step.spec
    state = replace(
        start(spec),
        step=step.step + 1,
        parameters=step.parameters_next,
        slots=step.slots_next,
        running=step.running_next,
    )
    return trace_of(state, step.examples, step.drawn)


def along(state: RunState, example: int | None = None, *, reach: float = REACH, places: int = PLACES) -> Along:
    """The loss on the way of the next step on its mini-batch, or on one example, up to `reach` times its length.

    SpecError for no such example, or a reach that is not from 1 to 1000.
    """
    if not 1 <= reach <= FURTHEST:
        raise SpecError("reach", reach, "a number from 1 to {furthest:g}, in steps", furthest=FURTHEST)
    indices, train = examples_for(state, example), examples_of(state.spec).train
    count = max(1, min(train, int(WORK / (state.spec.network.size * places))))
    step = trace_of(state, indices)
    with np.errstate(all="ignore"):
        way = step.parameters_next - step.parameters
        promised = float((step.gradient + step.penalty_gradient) @ way)
        lengths = np.unique(np.append(np.linspace(0, reach, places), 1.0))
        losses = _walked(Model(state, indices), state, way, lengths)
        everyone = _walked(Model(state, np.arange(count), whole=True), state, way, lengths)
    after = float(losses[np.flatnonzero(lengths == 1.0)[0]])
    return Along(
        reach,
        step.learning_rate,
        lengths,
        lengths * step.learning_rate,
        losses,
        everyone,
        count,
        float(losses[0]),
        after,
        promised,
        tuple(_verdicts(losses, lengths)),
        _lowest(losses, lengths),
        _lowest(everyone, lengths),
    )


def _walked(model: Model, state: RunState, way: Floats, lengths: Floats) -> Floats:
    losses = np.empty(len(lengths))
    for n, length in enumerate(lengths.tolist()):
        np.add(state.parameters, length * way, model.parameters)
        losses[n] = model.loss()
    return losses


def _lowest(losses: Floats, lengths: Floats) -> float:
    """Where the loss is lowest, the nearest such place; nan is never low."""
    return float(lengths[np.where(np.isnan(losses), np.inf, losses).argmin()])


def _verdicts(losses: Floats, lengths: Floats) -> list[Verdict]:
    before, best = float(losses[0]), _lowest(losses, lengths)
    lowest = float(np.nanmin(losses)) if isfinite(before) else before
    return [
        _verdict(loss, before, lowest, length > best) for loss, length in zip(losses.tolist(), lengths, strict=True)
    ]


def _verdict(loss: float, before: float, lowest: float, past: bool) -> Verdict:
    if loss == before:
        return "still"
    if not loss < before:  # nor where it is not a number
        return "worse"
    if before - loss >= ENOUGH * (before - lowest):
        return "right"
    return "over" if past else "short"
