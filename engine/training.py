"""Training: a state and a number of steps give the state after them.

The fast loop in `advance` and the trace of a single step go through the same two passes of `Workspace`.
"""

from dataclasses import dataclass, replace
from math import isfinite
from time import perf_counter

import numpy as np

from engine.arrays import Floats
from engine.evaluation import Metrics, evaluate, predict
from engine.session import Session, free_indices, frozen_mask, penalty_gradient, penalty_of
from engine.state import Divergence, RunState, start
from engine.tracing import LayerTrace, Trace, diagnose, next_batch, trace, trace_of

__all__ = [
    "Divergence",
    "LayerTrace",
    "Metrics",
    "Progress",
    "RunState",
    "Trace",
    "advance",
    "evaluate",
    "free_indices",
    "frozen_mask",
    "next_batch",
    "penalty_gradient",
    "penalty_of",
    "predict",
    "start",
    "trace",
    "trace_of",
]


@dataclass(frozen=True)
class Progress:
    """What `advance` did: the state, the loss of each step's mini-batch, and how many of the steps were asked for.

    `recorded` holds, if asked for, a flat copy of the buffers z, a, da, dz and the gradient of each step.
    """

    state: RunState
    losses: Floats
    asked: int
    recorded: tuple[dict[str, Floats], ...] = ()

    @property
    def done(self) -> int:
        """Steps taken; fewer than asked when the time was up or the run diverged."""
        return len(self.losses)


def advance(state: RunState, count: int = 1, *, seconds: float | None = None, record: bool = False) -> Progress:
    """Take up to `count` steps; stop early after `seconds`, or at the last finite step if the run diverges."""
    if state.divergence or count < 1:
        return Progress(state, np.empty(0), count)
    session = Session(state)
    losses: list[float] = []
    recorded: list[dict[str, Floats]] = []
    deadline = None if seconds is None else perf_counter() + seconds
    with np.errstate(all="ignore"):
        for workspace, x, y in session.batches():
            workspace.forward(x)
            loss = workspace.backward(x, y)
            if not isfinite(loss):
                return _stop_at_last_finite(state, len(losses), count)
            losses.append(loss)
            if record:
                workspace.complete(y)
                recorded.append(
                    {k: v.copy() for k, v in workspace.buffers.items()} | {"gradient": session.gradient.copy()}
                )
            session.update(x, y, workspace)
            if len(losses) == count or (deadline is not None and perf_counter() > deadline):
                break
        if not np.isfinite(session.parameters).all():
            return _stop_at_last_finite(state, len(losses) - 1, count)
    return Progress(session.result(), np.array(losses), count, tuple(recorded))


def _stop_at_last_finite(state: RunState, steps: int, asked: int) -> Progress:
    """Replay the finite steps, which is exact, and say which number of the next one is not."""
    progress = advance(state, steps)
    last = progress.state
    if last.divergence is None:
        last = replace(last, divergence=diagnose(last))
    return Progress(last, progress.losses, asked)
