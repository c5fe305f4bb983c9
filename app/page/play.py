"""An answer of Play: several frames of a run, one after the other, as values that the page's script puts in place.

What has no place of its own in the page, a receipt or a plot whose points move, comes as markup of the last frame.
"""

import asyncio
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import orjson
from fastapi import Response

from app.draw.drawing import draw
from app.draw.marks import Marks
from app.draw.outputs import answered, plot_of
from app.draw.pairs import pair_of
from app.draw.pictures import has_surfaces, surfaces
from app.page.asked import Asked
from app.page.frame import Frame, numbers_of
from app.page.links import View
from app.run.deeds import Step
from app.serve.html import packed
from engine import Metrics, RunState, SpecError, evaluate, trace

MOST_FRAMES = 40  # in one answer
LONGEST_COUNT = 9  # digits
SECONDS = 0.5  # of drawing that one answer gets; the frames that did not fit are left out


def quick_steps(ask: Asked, stop: int | None = None, at: int | None = None) -> Step:
    """The steps of all frames that are asked for; SpecError if `frames` is no list of their counts."""
    text = ask.text("frames") or ask.text("count") or "1"
    counts = text.split(",")
    sound = len(counts) <= MOST_FRAMES and all(n.isdecimal() and len(n) <= LONGEST_COUNT and int(n) for n in counts)
    if not sound:
        raise SpecError("frames", text, "at most {most} counts of steps from 1, with commas between", most=MOST_FRAMES)
    most = ask.runs.settings.steps_per_request
    ends = tuple(end for end in accumulate(map(int, counts)) if end <= most) or (int(counts[0]),)
    return Step(ends[-1], passing=ends[:-1], stop=stop, at=at)


def stop_of(state: RunState, view: View, train: Metrics) -> str:
    """Which stop a run has come to at a state, if any."""
    if state.divergence:
        return "diverged"
    if view.stop_step is not None and state.step >= view.stop_step:
        return "step"
    if view.stop_loss is not None and train.loss is not None and train.loss <= view.stop_loss:
        return "loss"
    if view.stop_accuracy is not None and train.accuracy is not None and 100 * train.accuracy >= view.stop_accuracy:
        return "accuracy"
    return ""


async def played(ask: Asked, shown: Frame, passed: Sequence[RunState], rest: str) -> Response:
    """The frames of the states that were passed, and the one that is shown now with the `rest` of its markup.

    Only one answer at a time is drawn, and between its frames everybody else is served: many who play wait for each
    other, and nobody who steps or walks waits for them.
    """
    loop = asyncio.get_running_loop()
    frames: list[dict[str, Any]] = []
    async with ask.request.app.state.stage:
        until = loop.time() + SECONDS
        for state in passed:
            if loop.time() > until or (frames and frames[-1]["stop"]):
                break
            frames.append(_passed(state, shown))
            await asyncio.sleep(0)
    if not frames or not frames[-1]["stop"]:
        frames.append(_last(shown))
    told = {"frames": frames, "head": shown.run.state.step, "chart": _chart(shown), "health": _health(shown)}
    told["rest"] = rest.strip()
    return packed(ask.request, orjson.dumps(told), "application/json", level=1)


def _passed(state: RunState, shown: Frame) -> dict[str, Any]:
    """A frame on the way, as the last one is looked at."""
    spec, view = state.spec, shown.view
    seen = surfaces(state) if has_surfaces(state) else None
    batch = view.example is None
    drawing = draw(
        spec, trace(state, view.example), seen, view.lens, batch, Marks(select=view.select), shown.size, patch=True
    )
    plot = plot_of(spec, view.tests, pair_of(spec, view.across, view.up))
    surface, curves = answered(state, seen, view.discrete, plot)
    metrics = evaluate(state)
    return {
        "step": state.step,
        "values": drawing.values,
        "numbers": [text for _, text in numbers_of(state, metrics)],
        "surface": surface,
        "curves": [curve.path for curve in curves],
        "stop": stop_of(state, view, metrics["train"]),
    }


def _last(shown: Frame) -> dict[str, Any]:
    return {
        "step": shown.state.step,
        "values": shown.drawing.values,
        "numbers": [text for _, text in shown.numbers],
        "surface": shown.output.surface,
        "curves": [curve.path for curve in shown.output.curves],
        "stop": stop_of(shown.state, shown.view, shown.run.metrics["train"]),
    }


def _chart(shown: Frame) -> dict[str, Any]:
    chart = shown.chart
    return {
        "curves": [curve.path for curve in chart.curves], "x": chart.x_ticks, "y": chart.y_ticks,
        "now": chart.marker, "left": chart.left, "right": chart.right, "top": chart.top, "bottom": chart.bottom,
    }  # fmt: skip


def _health(shown: Frame) -> list[tuple[float, str, str]]:
    return [(each.length, each.norm, each.title) for each in shown.health]
