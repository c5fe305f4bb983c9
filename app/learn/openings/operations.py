"""What the lessons on single operations open with: one unit through a normalization and back."""

from typing import Any

from app.learn import norms
from app.learn.plots import Box, plot
from app.learn.scenes import HEIGHT, WIDTH, Scene, Shape, Value, from_frame, label, shape
from app.words.numbers import fixed, fixed_signed

SPAN = (-3.2, 3.2)


def normalization(head: Any) -> Scene:
    """The sums of one unit are centred and scaled; then what comes back loses its level and its tilt."""
    w, frames = norms.ways(head.run), 7
    box = plot(SPAN, (-0.2, 0.16), WIDTH, HEIGHT, left=50)
    nothing, levelled = [0.0] * len(w.z), [d - w.level for d in w.back]
    xs = [w.z, [z - w.mean for z in w.z], *[w.xhat] * 5]
    heights = [*[nothing] * 3, w.back, levelled, w.left, w.delta]
    shapes = [
        shape("line", "edge", x1=box.left, x2=box.left + box.inner_width, y1=box.py(0), y2=box.py(0)),
        _across(box, "ghost", w.level, 0.0, from_frame(3, frames, 3)),
        _across(box, "tangent", 0.0, w.tilt, from_frame(4, frames, 4)),
    ]
    for k in range(len(w.z)):
        at: list[Value] = [box.px(row[k]) for row in xs]
        tops: list[Value] = [box.py(row[k]) for row in heights]
        shapes.append(shape("line", "residual wide", x1=at, x2=at, y1=box.py(0), y2=tops))
        shapes.append(shape("circle", "dot forward", cx=at, cy=box.py(0), r=5.5))
        shapes.append(shape("circle", "dot backward", cx=at, cy=tops, r=5.5, opacity=from_frame(3, frames)))
    steps = [
        "z",
        "z − μ",
        "x̂ = (z − μ) / σ",
        "what comes back: d",
        "d − level",
        "d − level − tilt",
        "δ, on to z",
    ]
    shapes.append(label("dot-label", 384, 28, anchor="end", text=steps))
    title = "Forwards to one size, and three ways back"
    return Scene(title, _told(w), tuple(shapes), box, "z, then x̂", telling=3, seconds=9)


def _told(w: norms.Ways) -> tuple[str, ...]:
    return (
        f"The sums z of one unit over a batch of {len(w.z)}: their mean is {fixed(w.mean, 2)}.",
        f"Less the mean: now they lie round 0, with a spread of {fixed(w.spread, 2)}.",
        "Divided by the spread: whatever the sums were, these have mean 0 and spread 1.",
        f"Backwards: something comes back to each. Its level, dashed, is {fixed_signed(w.level, 3)}.",
        f"The way through the mean takes the level away. Left is a tilt, {fixed_signed(w.tilt, 3)} for every 1 of x̂.",
        "The way through the spread takes the tilt away.",
        f"And what is left is divided by the spread, {fixed(w.spread, 2)}: it goes on to the sums.",
    )


def _across(box: Box, kind: str, height: float, slope: float, opacity: list[Value]) -> Shape:
    """A straight line through the whole box."""
    (left, y1), (right, y2) = ((box.px(at), box.py(height + slope * at)) for at in SPAN)
    return shape("line", kind, x1=left, x2=right, y1=y1, y2=y2, opacity=opacity)
