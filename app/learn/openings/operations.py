"""What the lessons on single operations open with: a unit through a normalization, a block and its shortcut."""

from typing import Any

from app.learn import norms
from app.learn.plots import Box, plot
from app.learn.residual import ResidualBlock, block
from app.learn.scenes import HEIGHT, WIDTH, Film, Shape, Value, from_frame, label, shape
from app.words.numbers import fixed, fixed_signed

SPAN = (-3.2, 3.2)


def normalization(head: Any) -> Film:
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
    return Film(title, _told(w), tuple(shapes), box, "z, then x̂", telling=3, seconds=9)


def _told(w: norms.NormWays) -> tuple[str, ...]:
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


_AT = (66.0, 200.0, 334.0)  # hidden 1, the block, the joints


def _row(unit: int) -> float:
    return 52.0 + 74.0 * unit


def residual(head: Any) -> Film:
    """A layer goes through a block and past it; one unit of the block is out; what comes back to a joint goes both
    ways, and adds up.
    """
    b, frames = block(head.run), 7
    units = range(len(b.given))
    shapes = [*_ways_of(b), *_pulses(b, frames)]
    for k in units:
        shapes += [shape("circle", "scene-unit", cx=_AT[column], cy=_row(k), r=22) for column in (0, 1)]
        shapes.append(shape("circle", "scene-unit", cx=_AT[2], cy=_row(k), r=22))
        out = k in b.out
        middle = [fixed_signed(b.a[k], 2)] * 2 + ["" if out else fixed_signed(b.h[k], 2)] * 5
        shapes.append(_value(0, k, [fixed_signed(b.given[k], 2)] * frames, from_frame(0, frames)))
        shapes.append(_value(1, k, middle, from_frame(1, frames)))
        shapes.append(_value(2, k, [fixed_signed(b.sums[k], 2)] * frames, from_frame(3, frames)))
        if out:
            shapes += _cross(_AT[1], _row(k), from_frame(2, frames))
        shapes.append(_delta(2, k, b.back[k], from_frame(4, frames)))
        shapes.append(_delta(1, k, b.back_a[k], from_frame(5, frames)))
        shapes.append(_delta(0, k, b.total[k], from_frame(6, frames)))
    title = "One unit is out, and one value is used twice"
    return Film(title, _told_of(b), tuple(shapes), telling=6, seconds=9)


def _told_of(b: ResidualBlock) -> tuple[str, ...]:
    out, k = b.out[0], 0
    return (
        "The first hidden layer has its numbers. They go two ways: into a block, and past it.",
        "The block makes something of them.",
        f"Dropout: unit {out + 1} is out and gives 0; the others are made larger for it.",
        "At each joint, what went past the block is added to what the block gives.",
        f"Backwards: to the first joint comes back {fixed_signed(b.back[k], 2)}.",
        f"It goes both ways. Into the block by the same mask: {fixed_signed(b.back_a[k], 2)}; to unit {out + 1}, 0.",
        f"Past the block it comes back unchanged. Both ways add up: {fixed_signed(b.back[k], 2)} and "
        f"{fixed_signed(b.through[k], 2)} are {fixed_signed(b.total[k], 2)}.",
    )


def _ways_of(b: ResidualBlock) -> list[Shape]:
    """The links into the block, from it to the joints, and the arcs past it."""
    units = range(len(b.given))
    into = [
        shape("line", "edge", x1=_AT[0], y1=_row(j), x2=_AT[1], y2=_row(k), opacity=0.5) for j in units for k in units
    ]
    on = [shape("line", "edge", x1=_AT[1], y1=_row(k), x2=_AT[2], y2=_row(k)) for k in units]
    return [*into, *on, *(shape("path", "bow", d=_bow(k)) for k in units)]


def _bow(unit: int) -> str:
    y = _row(unit)
    return f"M{_AT[0]:g} {y:g}C{_AT[0] + 40:g} {y - 38:g} {_AT[2] - 40:g} {y - 38:g} {_AT[2]:g} {y:g}"


def _pulses(b: ResidualBlock, frames: int) -> list[Shape]:
    """What comes back over each arc: from the joint to its top, where it is in the middle, and to the layer below."""
    shapes = []
    for k in range(len(b.given)):
        stops = [(_AT[2], _row(k)), (_AT[1], _row(k) - 28.5), (_AT[0], _row(k))]
        places = [stops[min(max(frame - 4, 0), 2)] for frame in range(frames)]
        xs, ys = ([place[axis] for place in places] for axis in (0, 1))
        shown = from_frame(5, frames, 5)
        shapes.append(shape("circle", "dot backward", cx=xs, cy=ys, r=6, opacity=shown))
    return shapes


def _value(column: int, unit: int, texts: list[str], opacity: list[Value]) -> Shape:
    return label("dot-label forward", _AT[column], _row(unit) + 5, list(texts), anchor="middle", opacity=opacity)


def _delta(column: int, unit: int, value: float, opacity: list[Value]) -> Shape:
    text = fixed_signed(value, 2) if value else "0"
    return label("dot-label backward", _AT[column], _row(unit) + 36, text, anchor="middle", opacity=opacity)


def _cross(x: float, y: float, opacity: list[Value]) -> list[Shape]:
    return [
        shape("line", "crossed", x1=x - 15, y1=y - way, x2=x + 15, y2=y + way, opacity=opacity) for way in (15, -15)
    ]
