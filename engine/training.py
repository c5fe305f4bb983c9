"""Training: a state and a number of steps give the state after them.

The fast loop in `advance` and the trace of a single step go through the same two passes of `Workspace`.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from html import escape
from math import inf, isfinite
from operator import index
from time import perf_counter
from typing import Any

import numpy as np

from engine.arrays import Floats, Ints, Value
from engine.checks import SpecError, kinds_hold, kinds_of, other_kind, short_form
from engine.frames import frame
from engine.recording import Recording
from engine.session import Session, next_batch, pause, resume
from engine.shown import sparkline
from engine.state import RunState, quickly
from engine.tracing import Trace, diagnose, update_traced


@dataclass(frozen=True, eq=False)
class Progress(Value):
    """What `advance` did: the state, the loss of each step's mini-batch, and how many of the steps were asked for.

    `recorded` holds, if asked for, flat copies of the buffers z, a, da, dz and of the gradient of each step; `traces`
    those of the steps that were asked for. Of a stretch that `progress` is called with, `asked` is how many were asked
    for in all, and `before` how many of them were taken before it.
    """

    state: RunState
    losses: Floats
    asked: int
    recorded: Sequence[dict[str, Floats]] = ()
    traces: Sequence[Trace] = ()
    before: int = 0

    @property
    def done(self) -> int:
        """Steps taken; fewer than asked when the time was up or the run diverged."""
        return len(self.losses)

    def __repr__(self) -> str:
        last = f", loss {self.losses[-1]:.4g}" if self.done else ""
        return f"Progress({self.before + self.done:,} of {self.asked:,} steps to {self.state.step:,}{last})"

    def _repr_html_(self) -> str:
        """As a notebook shows it: how the loss went."""
        return f"<p>{escape(repr(self))}</p>{sparkline(self.losses)}"

    def to_frame(self) -> Any:
        """A row a step, as a frame of pandas: the step that was taken, and the loss of its mini-batch."""
        first = self.state.step - self.done
        return frame({"step": np.arange(first, first + self.done), "loss": self.losses})


def advance(
    state: RunState,
    count: int = 1,
    *,
    seconds: float | None = None,
    record: bool = False,
    traced: Container[int] = (),
    progress: Callable[["Progress"], object] | None = None,
) -> Progress:
    """Take up to `count` steps; stop early after `seconds`, or at the last finite step if the run diverges.

    `record` keeps what every step computes. `traced`, a range or a set, are steps whose whole trace is wanted: the
    one at 20 leads from step 20 to 21. `progress` is called with the Progress of each hundredth of the steps.
    """
    if not isinstance(state, RunState):
        raise other_kind("advance", RunState, state)
    if not isinstance(count, int) or count < 0:
        count = steps_of("advance", count)
    if seconds is not None or progress is not None or not isinstance(traced, tuple):
        kinds_hold(_KINDS, {"seconds": seconds, "traced": traced, "progress": progress})
    if state.divergence or count < 1:
        return Progress(state, np.empty(0), count)
    if progress is not None:
        return _told(state, count, seconds, record, traced, progress)
    return _run(state, count, seconds, record, traced) or _to_the_last_finite_step(state, count, record, traced)


_KINDS = kinds_of(advance)


def steps_of(asked: str, count: object) -> int:
    """A number of steps that is asked for; TypeError or SpecError for what can be none."""
    try:
        found = index(count)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{asked} takes a whole number of steps, not {short_form(count)}") from None
    if found < 0:
        raise SpecError("count", found, "a whole number of steps, 0 or more: going back is another advance from start")
    return found


def _told(
    state: RunState,
    count: int,
    seconds: float | None,
    record: bool,
    traced: Container[int],
    tell: Callable[[Progress], object],
) -> Progress:
    """The same steps to the same bits in a hundred stretches, each told of when it is done."""
    deadline = inf if seconds is None else perf_counter() + seconds
    stretch, parts = -(-count // 100), list[Progress]()
    while (left := count - sum(part.done for part in parts)) and perf_counter() <= deadline:
        now = parts[-1].state if parts else state
        rest = None if seconds is None else max(0.0, deadline - perf_counter())
        parts.append(advance(now, min(stretch, left), seconds=rest, record=record, traced=traced))
        tell(replace(parts[-1], asked=count, before=now.step - state.step))
        if parts[-1].state.divergence:
            break
    return _joined(parts, parts[-1].state if parts else state, count)


def _joined(parts: Sequence[Progress], state: RunState, count: int) -> Progress:
    """Stretches one after the other as one Progress."""
    losses = np.concatenate([np.empty(0), *(part.losses for part in parts)])
    recorded = [step for part in parts for step in part.recorded]
    return Progress(state, losses, count, recorded, [trace for part in parts for trace in part.traces])


def step_on(state: RunState, examples: Ints) -> Progress:
    """One step on these examples in place of the next mini-batch: the epoch goes on as if that had been used."""
    if state.divergence:
        return Progress(state, np.empty(0), 1)
    with Session(state) as session, np.errstate(all="ignore"):
        workspace, x, y = session.chosen(examples)
        workspace.forward(x)
        loss = workspace.backward(x, y)
        session.update(x, y, workspace)
        session.cursor += len(next_batch(state))
        if session.is_finite(loss):
            return Progress(session.result(), np.array([loss]), 1)
    return Progress(replace(state, divergence=diagnose(state, examples)), np.empty(0), 1)


def _run(state: RunState, count: int, seconds: float | None, record: bool, traced: Container[int]) -> Progress | None:
    """Up to `count` steps; None if one of them has a number that is not finite."""
    session = resume(state)
    progress = session.quiet.run(_steps, session, count, seconds, record, traced)
    if progress is None:
        session.close()
    else:
        pause(session, progress.state)
    return progress


def _steps(
    session: Session, count: int, seconds: float | None, record: bool, traced: Container[int]
) -> Progress | None:
    losses: list[float] = []
    traces: list[Trace] = []
    recorded = Recording() if record else None
    deadline = inf if seconds is None else perf_counter() + seconds
    for workspace, x, y in session.batches(count):
        workspace.forward(x)
        loss = workspace.backward(x, y)
        losses.append(loss)
        if recorded is not None:
            workspace.complete(y)
            recorded.add(workspace, session.gradient, count - len(losses) + 1)
        if session.step in traced:
            traces.append(update_traced(session, workspace, x, y, loss, session.last(x.shape[1])))
        else:
            session.update(x, y, workspace)
        if len(losses) == count or not isfinite(loss) or perf_counter() > deadline:
            break
    if not session.is_finite(loss):
        return None
    return quickly(
        Progress, state=session.result(), losses=np.array(losses), asked=count, recorded=recorded or (), traces=traces
    )


def _to_the_last_finite_step(state: RunState, count: int, record: bool, traced: Container[int]) -> Progress:
    """The same steps again, which is exact, in ever shorter strides up to the first number that is not finite.

    Nothing that has once overflowed turns finite again, so a stride with a finite end is finite all along.
    """
    done: list[Progress] = []
    for stride in (256, 16, 1):
        while ahead := _run(state, stride, None, record, traced):
            done.append(ahead)
            state = ahead.state
    return _joined(done, replace(state, divergence=diagnose(state)), count)
