"""What the lessons before the networks open with: an answer, a line, a valley, a unit."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.draw.charts import Axis
from app.learn import pieces
from app.learn.facts import Facts
from app.learn.plots import Box, plot
from app.learn.scenes import HEIGHT, WIDTH, Film, Shape, Value, label, shape, trail
from app.words.numbers import fixed, fixed_signed

M, B = pieces.M, pieces.B


def error(head: Any) -> Film:
    """The answer slides along the line, and the square of its miss grows and shrinks."""
    run, y = head.run, float(head.y)
    guesses = [2.0, 2.5, 3.0, 2.5, 2.0, 1.5, 1.0, 0.5, 0.0, -0.5, 0.0, 0.5, 1.0]
    states = [run.with_values({"W1.1.1": guess}) for guess in guesses]
    box = Box(Axis(-1.4, 3.4, 20, WIDTH - 20), Axis(0, 1, 200, 0), WIDTH, HEIGHT)
    at, ends = box.px(y), [box.px(each["a1.1"]) for each in states]
    side = [abs(end - at) for end in ends]
    shapes = [
        shape("line", "edge", x1=20, x2=WIDTH - 20, y1=200, y2=200),
        *(label("tick", box.px(tick), 226, anchor="middle", text=fixed(tick, 0)) for tick in range(-1, 4)),
        shape(
            "rect", "square", x=[min(end, at) for end in ends], y=[200 - each for each in side], width=side, height=side
        ),
        shape("line", "residual wide", x1=at, x2=ends, y1=200, y2=200),
        shape("circle", "dot", cx=at, cy=200, r=7),
        shape("circle", "dot forward grip", cx=ends, cy=200, r=9),
        label("dot-label forward", 20, 24, text=[f"answer ŷ = {fixed(each['a1.1'], 1)}" for each in states]),
        label(
            "dot-label backward", 20, 44, text=[f"residual ŷ − y = {fixed_signed(each['da1.1'], 1)}" for each in states]
        ),
        label("dot-label", 20, 64, text=[f"loss = {fixed(each.loss, 3)}" for each in states]),
    ]
    captions = [
        f"The answer is {fixed(each['a1.1'], 1)} where {fixed(y, 0)} is right: half the square of the miss is "
        f"{fixed(each.loss, 3)}."
        for each in states
    ]
    return Film("How far off, as a square", tuple(captions), tuple(shapes), telling=2, seconds=6, flowing=True)


def line(head: Any) -> Film:
    """Two hands on a line: first its height, then its slope, until the loss is as low as it gets."""
    run = head.run
    best = run.after(400)
    lift = [(run[M], run[B] + share * (best[B] - run[B])) for share in (0, 0.25, 0.5, 0.75, 1)]
    turn = [(run[M] + share * (best[M] - run[M]), best[B]) for share in (0.25, 0.5, 0.75, 1)]
    states = [run.with_values({M: m, B: b}) for m, b in lift + turn]
    captions = [
        f"m = {fixed_signed(each[M])}, b = {fixed_signed(each[B])}: the loss is {fixed(each.loss, 3)}."
        for each in states
    ]
    return _line_scene("Two numbers move a line", states, captions)


def slope(head: Any) -> Film:
    """Gradient descent, step by step: the line goes to the points by itself."""
    run = head.run
    states = [run.after(step) for step in (0, 1, 2, 3, 4, 6, 8, 12)]
    captions = [
        f"After {_steps(each.step)} the slopes are {fixed_signed(each[f'd{M}'], 3)} for m and "
        f"{fixed_signed(each[f'd{B}'], 3)} for b; the loss is {fixed(each.loss, 3)}."
        for each in states
    ]
    return _line_scene("The line follows its slopes", states, captions)


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _line_scene(title: str, states: Sequence[Facts], captions: Sequence[str]) -> Film:
    """A line that moves among its points, with the residuals it has in each frame."""
    fits = [pieces.fit(each) for each in states]
    box = plot(fits[0].x_span, fits[0].y_span, WIDTH, HEIGHT)
    left, right = fits[0].x_span
    shapes: list[Shape] = []
    for k, (x, y, _) in enumerate(fits[0].points):
        place, ends = box.px(x), [box.py(fit.points[k][2]) for fit in fits]
        shapes.append(shape("line", "residual", x1=place, x2=place, y1=box.py(y), y2=ends))
    shapes += [shape("circle", "point", cx=box.px(x), cy=box.py(y), r=3.5) for x, y, _ in fits[0].points]
    heights = [[box.py(fit.m * x + fit.b) for fit in fits] for x in (left, right)]
    shapes.append(shape("line", "fit", x1=box.left, x2=box.left + box.inner_width, y1=heights[0], y2=heights[1]))
    shapes.append(
        shape("circle", "dot forward grip", cx=box.px(right - 0.06 * (right - left)), cy=_held(box, fits), r=9)
    )
    losses = [f"loss {fixed(each.loss, 3)}" for each in states]
    shapes.append(label("dot-label", box.left + 60, box.top + 20, text=losses))
    return Film(title, tuple(captions), tuple(shapes), box, "x", "y", telling=len(states) // 2)


def _held(box: Box, fits: Sequence[pieces.Fit]) -> list[Value]:
    """Where the line's right end is held in each frame."""
    low, high = fits[0].x_span
    return [box.py(fit.m * (high - 0.06 * (high - low)) + fit.b) for fit in fits]


def nudge(head: Any) -> Film:
    """One coefficient is pushed to either side, and pushed on where the loss got better."""
    run, amount = head.run, 0.5
    places, told, here = [run[M]], ["Here it begins."], run[M]

    def loss(m: float) -> float:
        return float(run.with_values({M: m}).loss)

    way = -amount
    for _ in range(7):
        there = here + way
        better = loss(there) < loss(here)
        places.append(there)
        told.append(f"{'Up' if way > 0 else 'Down'} by {fixed(amount, 1)}: {'better' if better else 'worse'}.")
        if better:
            here = there
            continue
        places.append(here)
        told.append("Back, and the other way." if way < 0 else "Back: here it was lowest.")
        if way > 0:
            break
        way = -way
    curve = pieces.loss_curve(run, M, -2, 5.5)
    box = plot((-2, 5.5), (0, max(curve.ys)), WIDTH, HEIGHT)
    captions = [
        f"{text} m = {fixed_signed(m, 1)}, loss {fixed(loss(m), 3)}." for text, m in zip(told, places, strict=True)
    ]
    shapes = (
        shape("path", "curve", d=box.line(curve.xs, curve.ys)),
        shape("circle", "dot update", cx=[box.px(m) for m in places], cy=[box.py(loss(m)) for m in places], r=9),
        label("dot-label", box.left + 60, box.top + 40, text=[f"m = {fixed_signed(m, 1)}" for m in places]),
        label("dot-label", box.left + 60, box.top + 60, text=[f"loss {fixed(loss(m), 3)}" for m in places]),
    )
    return Film("A small push, and a look", tuple(captions), shapes, box, "m", "loss", telling=2, seconds=7)


def overshoot(head: Any) -> Film:
    """Three rates on one valley: too short, just right, and so long that it is higher than before."""
    run = head.run
    bend = pieces.curvature(run, M)
    rates = [(run.rate, "update", "short"), (1 / bend, "forward", "just right"), (2.1 / bend, "look", "too long")]
    paths = [_descent(run.with_rate(rate), 5) for rate, _, _ in rates]
    curve = pieces.loss_curve(run, M, -2.6, 7.8)  # as far as the longest jump goes
    box = plot((-2.6, 7.8), (0, 1.45 * max(curve.ys)), WIDTH, HEIGHT)
    shapes = [shape("path", "curve", d=box.line(curve.xs, curve.ys))]
    for path, (rate, kind, name), row in zip(paths, rates, (22, 40, 58), strict=True):
        places = [(box.px(m), box.py(loss)) for m, loss in path]
        shapes.append(trail(places, f"series {kind}"))
        shapes.append(shape("circle", f"dot {kind}", cx=[x for x, _ in places], cy=[y for _, y in places], r=8))
        texts = [f"rate {fixed(rate, 2)}, {name}: loss {fixed(loss, 3)}" for _, loss in path]
        shapes.append(
            label(f"dot-label {kind}", box.left + box.inner_width / 2, box.top + row, anchor="middle", text=texts)
        )
    captions = [
        f"After {_steps(step)} of m alone the losses are "
        + ", ".join(
            f"{fixed(path[step][1], 3)} at rate {fixed(rate, 2)}"
            for path, (rate, _, _) in zip(paths, rates, strict=True)
        )
        + "."
        for step in range(6)
    ]
    return Film("One valley, three rates", tuple(captions), tuple(shapes), box, "m", "loss", telling=2, seconds=6)


def _descent(facts: Facts, steps: int) -> list[tuple[float, float]]:
    """(m, loss) over steps of m alone."""
    path = [(facts[M], facts.loss)]
    for _ in range(steps):
        facts = facts.with_values({M: facts.next(M)})
        path.append((facts[M], facts.loss))
    return path


def neuron(head: Any) -> Film:
    """A sum slides along a sigmoid, and with it the slope that all messages back are multiplied by."""
    zs = [float(z) for z in np.linspace(-5, 5, 21)]
    values = [pieces.activation_at("sigmoid", z) for z in zs]
    curve = pieces.activation_curve("sigmoid", -6, 6)
    box = plot((-6, 6), (-0.2, 1.3), WIDTH, HEIGHT)
    reach = 2.0
    ends = [[box.py(a + side * slope) for a, slope in values] for side in (-reach, reach)]
    shapes = (
        shape("path", "curve", d=box.line(curve.xs, curve.ys)),
        shape(
            "line",
            "tangent",
            x1=[box.px(z - reach) for z in zs],
            x2=[box.px(z + reach) for z in zs],
            y1=ends[0],
            y2=ends[1],
        ),
        shape("circle", "dot forward", cx=[box.px(z) for z in zs], cy=[box.py(a) for a, _ in values], r=8),
        label(
            "dot-label forward",
            box.left + 10,
            box.top + 40,
            text=[f"z = {fixed_signed(z, 1)}, a = {fixed(a, 3)}" for z, (a, _) in zip(zs, values, strict=True)],
        ),
        label(
            "dot-label backward",
            box.left + 10,
            box.top + 60,
            text=[f"slope = {fixed(slope, 3)}" for _, slope in values],
        ),
    )
    captions = [
        f"At z = {fixed_signed(z, 1)} the unit answers {fixed(a, 3)}; a nudge of z comes through "
        f"{fixed(slope, 3)} times as large."
        for z, (a, slope) in zip(zs, values, strict=True)
    ]
    return Film("A sigmoid and its slope", tuple(captions), shapes, box, "z", "a", telling=13, seconds=6, flowing=True)
