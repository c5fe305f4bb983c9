"""A run as a value, without its name: its state now, sampled points of its past, and how it is carried on.

What is sampled, and where, follows from the spec and the step alone, however the run came to it, so one replayed from a
link has the same history as the one it was copied from. Only going back leaves fewer points: those that were kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from math import inf
from time import perf_counter
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from app.costs import step_cost, stride_for, trace_numbers
from app.words.health import diverged
from engine import (
    Divergence,
    Edit,
    Metrics,
    RunState,
    Spec,
    Trace,
    advance,
    apply,
    evaluate,
    start,
    trace,
)
from engine.arrays import Ints
from engine.edits import EXAMPLES, MOST_STEPS, rows_of
from engine.health import health
from engine.training import step_on as engine_step_on

Column = npt.NDArray[np.float64]
RUN_COLUMNS = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
LAYER_COLUMNS = ("gradient_norm", "update_ratio", "dead_share", "saturated_share")
CHECKPOINT_EVERY = 1_000
# Replaying from one checkpoint to the next should take no longer than this, if space allows.
CHECKPOINT_SECONDS = 0.05
SLOW = 4  # times the seconds that a step is expected to take: the machine may be busy
TRACED_NUMBERS = 1_000_000  # in memory at once while a run is carried on


def columns(spec: Spec) -> tuple[str, ...]:
    """Names of a point's numbers: those of the run, then four a layer, such as "gradient_norm.1"."""
    layers = range(1, len(spec.network.shapes) + 1)
    return (*RUN_COLUMNS, *(f"{name}.{layer}" for layer in layers for name in LAYER_COLUMNS))


@dataclass(frozen=True)
class History:
    """Points in order: `steps` (n,), `values` (n, columns) with nan where there is no number."""

    steps: Ints
    values: Column

    def until(self, step: int) -> "History":
        """The points up to and including `step`."""
        count = int(np.searchsorted(self.steps, step, "right"))
        return History(self.steps[:count], self.values[:count])

    def every(self, stride: int) -> "History":
        """The points at multiples of `stride`."""
        chosen = self.steps % stride == 0
        return self if chosen.all() else History(self.steps[chosen], self.values[chosen])

    def plus(self, points: Mapping[int, Column]) -> "History":
        """With these points too, in place of those at the same steps; none of them may lie before the last."""
        if not points:
            return self
        old = self.until(min(points) - 1)
        steps = np.concatenate([old.steps, np.array(list(points), dtype=np.int64)])
        return History(steps, np.concatenate([old.values, np.array(list(points.values()))]))


@dataclass(frozen=True)
class Training:
    """A run without its name: the spec it began with, the edits made so far, its state and metrics.

    `sampled` holds points of its past, and the head's own if the head is at a step that is sampled.
    """

    origin: Spec
    edits: tuple[Edit, ...]
    state: RunState
    metrics: dict[str, Metrics]
    sampled: History

    @cached_property
    def history(self) -> History:
        """The sampled points, and the head as the last one."""
        return self._with_head(None)

    def seen(self, ahead: Trace) -> None:
        """Let `history` use what the next step will compute, where that is at hand, rather than trace it again."""
        vars(self).setdefault("history", self._with_head(ahead))

    def _with_head(self, ahead: Trace | None) -> History:
        step = self.state.step
        if len(self.sampled.steps) and self.sampled.steps[-1] == step:
            return self.sampled
        return self.sampled.plus({step: row(self.metrics, ahead or trace(self.state))})


C = TypeVar("C", bound=Training)
V = TypeVar("V")


@dataclass(frozen=True)
class Head:
    """What an answer says of a run as it stood at one version."""

    id: str
    version: int
    spec: Spec
    edits: tuple[Edit, ...]
    step: int
    epoch: int
    metrics: dict[str, Metrics]
    divergence: Divergence | None


@dataclass(frozen=True)
class Steps:
    """What carrying on came to: the loss of each step, how many were asked for, and why it ended sooner, in words.

    `points` and `kept` are what is new on the way, by step: sampled points, and states worth keeping, each as it was
    before any edit at its step. `passed` are the states that were asked for on the way,
    `before` is the one before the last step, where it was asked for; `ahead` is what the step after them will compute,
    if it has been traced. `earlier` is there if a request with the same idempotency
    key had done all this before: the run as that one was answered.
    """

    losses: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    asked: int = 0
    truncated: str | None = None
    before: RunState | None = None
    ahead: Trace | None = None
    earlier: Head | None = None
    points: dict[int, Column] = field(default_factory=dict)
    kept: dict[int, RunState] = field(default_factory=dict)
    passed: tuple[RunState, ...] = ()

    @property
    def done(self) -> int:
        """Steps taken."""
        return len(self.losses)


@dataclass(frozen=True)
class Retention:
    """How much of the past is kept: points of history, states, and their bytes."""

    points: int = 75
    states: int = 16
    state_bytes: int = 8 << 20

    def state_stride(self, spec: Spec, step: int) -> int:
        """Every how many steps a state is kept by a run at `step`: closer where steps are slow, doubling with time."""
        bytes_each = 8 * spec.network.size * 4
        most = max(2, min(self.states, self.state_bytes // bytes_each))
        stride = CHECKPOINT_EVERY
        while stride > 1 and stride * step_cost(spec) > CHECKPOINT_SECONDS:
            stride = (stride + 1) // 2
        while step / stride > most:
            stride *= 2
        return stride


def begin(spec: Spec) -> Training:
    """A run before its first step."""
    state = start(spec)
    metrics = evaluate(state)
    nothing = History(np.empty(0, np.int64), np.empty((0, len(columns(spec)))))
    return Training(spec, (), state, metrics, nothing.plus({0: row(metrics, trace(state))}))


def carry(
    training: C,
    count: int,
    seconds: float,
    retention: Retention,
    before: bool = False,
    most: int = MOST_STEPS,
    passing: Sequence[int] = (),
) -> tuple[C, Steps]:
    """Up to `count` more steps, `most` of them, within `seconds`: at least one, unless the run has diverged.

    `passing` are counts of them after which the state is wanted too, in order.
    """
    asked, count = count, min(count, most)
    sure = int(min(count, max(1, seconds / (SLOW * step_cost(training.state.spec)))))
    carried, steps = _carry(training, count, seconds, retention, before, sure, passing)
    if 0 < steps.done < sure:  # it diverged, or a step takes even longer: too little was sampled for so few steps
        again, closer = _carry(training, steps.done, inf, retention, before, steps.done)
        carried = replace(carried, sampled=again.sampled)
        steps = replace(steps, before=closer.before, ahead=closer.ahead, points=closer.points, kept=closer.kept)
    steps = replace(steps, asked=asked)
    return carried, replace(steps, truncated=_why(carried.state, steps, seconds, most))


def _carry(
    training: C, count: int, seconds: float, retention: Retention, before: bool, sure: int, passing: Sequence[int] = ()
) -> tuple[C, Steps]:
    """The same, for `sure` steps at least: from there on, whichever step is the last, all that is sampled up to it is
    there."""
    deadline = perf_counter() + seconds
    spec, state, last, losses = training.state.spec, training.state, None, []
    target, sure = state.step + count, state.step + sure
    few = max(1, TRACED_NUMBERS // trace_numbers(spec.network, spec.batch_size))
    points, kept, traces = dict[int, Column](), dict[int, RunState](), dict[int, Trace]()
    ways, passed = [state.step + each for each in passing if each < count], list[RunState]()
    while state.step < target:
        every, keep = _strides(spec, max(sure, state.step + 1), retention)
        ends = [every * retention.points, _next(state.step, keep), _next(state.step, few * every), target, *ways]
        stop = min(end for end in ends if end > state.step)
        if before and stop == target and stop - state.step > 1:
            stop -= 1
        sampled = range(_next(training.state.step, every), stop, every)
        progress = advance(state, stop - state.step, seconds=max(0.0, deadline - perf_counter()), traced=sampled)
        losses.append(progress.losses)
        traces = _at(every, traces) | {step.step: step for step in progress.traces}
        if len(traces) >= few:  # measured many at a time, which takes a third less than one by one
            points |= _points(state, traces)
            traces = {}
        last = state if progress.done == 1 else None if progress.done else last
        state = progress.state
        if progress.done and state.step % keep == 0:
            kept[state.step] = state
        passed += [state] * (state.step in ways)
        if state.step < stop or perf_counter() > deadline:
            break
    every, keep = _strides(spec, state.step, retention)
    points = _at(every, points | _points(state, _at(every, traces)))
    metrics, ahead = evaluate(state), None
    if losses and state.step > training.state.step and state.step % every == 0:
        ahead = trace(state)
        points[state.step] = row(metrics, ahead)
    steps = Steps(np.concatenate([np.empty(0), *losses]), count, None, last, ahead, None, points, _at(keep, kept))
    steps = replace(steps, passed=tuple(passed))
    return replace(training, state=state, metrics=metrics, sampled=training.sampled.every(every).plus(points)), steps


def again(
    training: C, edits: Sequence[Edit], step: int, seconds: float, retention: Retention, allow: Callable[[Spec], None]
) -> tuple[C, dict[int, RunState]]:
    """Brought on to `step` with these edits on the way, as far as the seconds go, and states worth keeping.

    `allow` raises SpecError for what an edit may not come to.
    """
    deadline, kept = perf_counter() + seconds, dict[int, RunState]()
    for edit in [*(edit for edit in edits if edit.after <= step), None]:
        target = edit.step if edit else step
        if target > training.state.step:
            left = max(0.0, deadline - perf_counter())
            training, steps = carry(training, target - training.state.step, left, retention)
            kept |= steps.kept
        if training.state.step < target:
            break
        if edit and edit.field == EXAMPLES:
            training, steps = step_on(training, edit.value, retention)
            kept |= steps.kept
        elif edit:
            training = change(training, edit.field, edit.value)
            allow(training.state.spec)
    return training, kept


def step_on(training: C, examples: Sequence[int], retention: Retention) -> tuple[C, Steps]:
    """One step on these examples in place of the next mini-batch, kept as an edit; none if the numbers run out."""
    before = training.state
    progress = engine_step_on(before, rows_of(before, examples))
    state = progress.state
    if not progress.done:
        return replace(training, state=state), Steps(
            asked=1, truncated=diverged(state.spec, state.divergence) if state.divergence else None
        )
    every, keep = _strides(state.spec, state.step, retention)
    metrics, ahead = evaluate(state), trace(state)
    points = _at(every, {state.step: row(metrics, ahead)})
    edits = (*training.edits, Edit(before.step, EXAMPLES, list(examples)))
    sampled = training.sampled.every(every).plus(points)
    steps = Steps(progress.losses, 1, None, before, ahead, None, points, _at(keep, {state.step: state}))
    return replace(training, state=state, edits=edits, metrics=metrics, sampled=sampled), steps


def _strides(spec: Spec, step: int, retention: Retention) -> tuple[int, int]:
    """Every how many steps a run that has come to `step` has a point of its history, and a state of its past."""
    return stride_for(spec, step, retention.points), retention.state_stride(spec, step)


def change(training: C, name: str, value: object) -> C:
    """One change made now; SpecError if it is not allowed. A point sampled at this step is taken again."""
    state = apply(training.state, name, value)
    edits = (*training.edits, Edit(state.step, name, value))
    metrics = evaluate(state)
    again = {state.step: row(metrics, trace(state))} if state.step in training.sampled.steps[-1:] else {}
    return replace(training, state=state, edits=edits, metrics=metrics, sampled=training.sampled.plus(again))


def agreement(some: Sequence[Edit], others: Sequence[Edit]) -> int:
    """The last step at which two trainings from one start are alike, as they were before any edit at that step."""
    for one, other in zip_longest(some, others):
        if one != other:
            return min(edit.step for edit in (one, other) if edit)
    return MOST_STEPS


def back(training: C, state: RunState) -> C:
    """The training as it was at an earlier state of it: later edits and points are gone."""
    edits = tuple(edit for edit in training.edits if edit.after <= state.step)
    sampled = training.sampled.until(state.step)
    return replace(training, state=state, edits=edits, metrics=evaluate(state), sampled=sampled)


def row(metrics: Mapping[str, Metrics], step: Trace) -> Column:
    """One point of the history: losses and accuracies over whole sets, and each layer's health in the next step."""
    train, test = metrics["train"], metrics["test"]
    numbers = [_number(value) for value in (train.loss, test.loss, train.accuracy, test.accuracy)]
    for layer in health(step):
        numbers += [getattr(layer, name) for name in LAYER_COLUMNS]
    return np.array(numbers)


def _points(state: RunState, traces: Mapping[int, Trace]) -> dict[int, Column]:
    return {at: row(evaluate(replace(state, parameters=step.parameters)), step) for at, step in traces.items()}


def _at(stride: int, found: Mapping[int, V]) -> dict[int, V]:
    return {step: value for step, value in found.items() if step % stride == 0}


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _next(step: int, every: int) -> int:
    return step - step % every + every


def _why(state: RunState, steps: Steps, seconds: float, most: int) -> str | None:
    if steps.done >= steps.asked:
        return None
    if state.divergence:
        return diverged(state.spec, state.divergence)
    if steps.done == most:
        return f"One request takes at most {most:,} of the {steps.asked:,} steps. Ask again for the rest."
    return (
        f"{steps.done:,} of {steps.asked:,} steps fitted into the {seconds:g} s of computing that one request gets. "
        "Ask again for the rest."
    )
