"""Training: a state and a number of steps give the state after them.

The fast loop in `advance` and the trace of a single step go through the same two passes of `Workspace`.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from time import perf_counter

import numpy as np

from engine.arrays import Floats, Ints
from engine.recording import Recording
from engine.session import Session
from engine.state import RunState
from engine.tracing import Trace, diagnose, next_batch, update_traced


@dataclass(frozen=True)
class Progress:
    """What `advance` did: the state, the loss of each step's mini-batch, and how many of the steps were asked for.

    `recorded` holds, if asked for, flat copies of the buffers z, a, da, dz and of the gradient of each step; `traces`
    those of the steps that were asked for.
    """

    state: RunState
    losses: Floats
    asked: int
    recorded: Sequence[dict[str, Floats]] = ()
    traces: Sequence[Trace] = ()

    @property
    def done(self) -> int:
        """Steps taken; fewer than asked when the time was up or the run diverged."""
        return len(self.losses)


def advance(
    state: RunState,
    count: int = 1,
    *,
    seconds: float | None = None,
    record: bool = False,
    traced: Container[int] = (),
) -> Progress:
    """Take up to `count` steps; stop early after `seconds`, or at the last finite step if the run diverges.

    `record` keeps what every step computes. `traced`, a range or a set, are steps whose whole trace is wanted: the
    one at 20 leads from step 20 to 21.
    """
    if state.divergence or count < 1:
        return Progress(state, np.empty(0), count)
    progress = _run(state, count, seconds, record, traced)
    return progress if _is_finite(progress) else _to_the_last_finite_step(state, count, record, traced)


def step_on(state: RunState, examples: Ints) -> Progress:
    """One step on these examples in place of the next mini-batch: the epoch goes on as if that had been used."""
    if state.divergence:
        return Progress(state, np.empty(0), 1)
    with Session(state) as session, np.errstate(all="ignore"):
        x, y = session.chosen(examples)
        workspace = session.workspace(len(examples))
        workspace.forward(x)
        loss = workspace.backward(x, y)
        session.update(x, y, workspace)
        session.cursor += len(next_batch(state))
        progress = Progress(session.result(), np.array([loss]), 1)
    if _is_finite(progress):
        return progress
    return Progress(replace(state, divergence=diagnose(state, examples)), np.empty(0), 1)


def _run(state: RunState, count: int, seconds: float | None, record: bool, traced: Container[int]) -> Progress:
    """Up to `count` steps, the last of them possibly the first of a run that diverges."""
    losses: list[float] = []
    recorded, traces = Recording(), list[Trace]()
    deadline = inf if seconds is None else perf_counter() + seconds
    with Session(state) as session, np.errstate(all="ignore"):
        for workspace, x, y in session.batches(count):
            workspace.forward(x)
            loss = workspace.backward(x, y)
            losses.append(loss)
            if record:
                workspace.complete(y)
                recorded.add(workspace, session.gradient, count - len(losses) + 1)
            if session.step in traced:
                traces.append(update_traced(session, workspace, x, y, loss, session.last(x.shape[1])))
            else:
                session.update(x, y, workspace)
            if len(losses) == count or not isfinite(loss) or perf_counter() > deadline:
                break
        return Progress(session.result(), np.array(losses), count, recorded, traces)


def _is_finite(progress: Progress) -> bool:
    numbers = (progress.losses, progress.state.parameters, progress.state.slots)
    return all(np.isfinite(array).all() for array in numbers)


def _to_the_last_finite_step(state: RunState, count: int, record: bool, traced: Container[int]) -> Progress:
    """The same steps again, which is exact, in ever shorter strides up to the first number that is not finite.

    Nothing that has once overflowed turns finite again, so a stride with a finite end is finite all along.
    """
    done: list[Progress] = []
    for stride in (256, 16, 1):
        while _is_finite(ahead := _run(state, stride, None, record, traced)):
            done.append(ahead)
            state = ahead.state
    losses = np.concatenate([np.empty(0), *(part.losses for part in done)])
    recorded = [step for part in done for step in part.recorded]
    traces = [trace for part in done for trace in part.traces]
    return Progress(replace(state, divergence=diagnose(state)), losses, count, recorded, traces)
