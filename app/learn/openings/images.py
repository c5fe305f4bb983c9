"""What the lessons on images open with: a filter that goes over every place, and a weight that meets a window."""

from typing import Any

from app.learn import windows
from app.learn.scenes import Film, Shape, Value, from_frame, label, shape
from app.words.numbers import fixed, fixed_signed
from engine.arrays import Floats

CELL = 33.0
_IMAGE, _FILTER, _OUT = (14.0, 40.0), (284.0, 14.0), (284.0, 131.0)
Corner = tuple[float, float]


def _cells(
    values: Floats, corner: Corner, digits: int, kind: str = "", opacity: list[Value] | None = None
) -> list[Shape]:
    """A small image of numbers, coloured by sign and size."""
    most, shapes = max(float(abs(values).max()), 1e-9), []
    for (i, j), value in sorted(_numbered(values).items()):
        x, y = corner[0] + CELL * j, corner[1] + CELL * i
        role = "positive" if value > 0 else "negative"
        shade = 0.55 * abs(value) / most
        shapes.append(
            shape("rect", f"cell {role}", x=x, y=y, width=CELL, height=CELL, fill_opacity=shade, opacity=opacity)
        )
        text = fixed(value, digits)
        shapes.append(label(f"cell-text {kind}", x + CELL / 2, y + CELL / 2 + 4.5, text, "middle", opacity))
    return shapes


def _numbered(values: Floats) -> dict[tuple[int, int], float]:
    return {(i, j): float(values[i, j]) for i in range(values.shape[0]) for j in range(values.shape[1])}


def _window(
    kind: str,
    corner: Corner,
    places: list[tuple[int, int]],
    sides: list[tuple[int, int]],
    opacity: list[Value] | None = None,
) -> Shape:
    """A frame that goes from place to place."""
    xs: list[Value] = [corner[0] + CELL * j for _, j in places]
    ys: list[Value] = [corner[1] + CELL * i for i, _ in places]
    wide: list[Value] = [CELL * w for _, w in sides]
    high: list[Value] = [CELL * h for h, _ in sides]
    return shape("rect", f"window {kind}", x=xs, y=ys, width=wide, height=high, opacity=opacity)


def convolution(head: Any) -> Film:
    """The filter goes over every place; then what comes back, and for one weight the window of pixels that it met."""
    seen, weight = windows.convolution(head), (1, 2)
    places = [(i, j) for i in range(3) for j in range(3)]
    frames = len(places) + 2
    gradient = float(seen.gradients()["dW"][(0, 0, *weight)])
    shapes = [*_cells(seen.x, _IMAGE, 0), *_cells(seen.filter, _FILTER, 1)]
    shapes += [
        label("dot-label", 262, 66, "W", "middle"),
        label("dot-label", 262, 184, ["z"] * 9 + ["δ"] * 2, "middle"),
    ]
    for k, (i, j) in enumerate(places):
        x, y = _OUT[0] + CELL * j, _OUT[1] + CELL * i
        shapes.append(shape("rect", "edge", x=x, y=y, width=CELL, height=CELL))
        text = fixed(float(seen.out[i, j]), 1)
        shown = from_frame(k, frames, 8)
        shapes.append(label("cell-text forward", x + CELL / 2, y + CELL / 2 + 4.5, text, "middle", shown))
    shapes += _cells(seen.delta, _OUT, 1, "backward", from_frame(9, frames))
    shapes.append(_window("forward", _IMAGE, [*places, (2, 2), weight], [(3, 3)] * frames))
    shapes.append(_window("backward", _OUT, [*places, (0, 0), (0, 0)], [(1, 1)] * 9 + [(3, 3)] * 2))
    x, y, shown = _FILTER[0] + CELL * weight[1], _FILTER[1] + CELL * weight[0], from_frame(10, frames)
    one = shape("rect", "window backward", x=x, y=y, width=CELL, height=CELL, opacity=shown)
    captions = [
        f"The filter lies at row {i + 1}, column {j + 1}: {fixed(float(seen.out[i, j]), 1)}." for i, j in places
    ]
    captions += [
        "Backwards: to every place comes back its δ, the miss.",
        f"One weight met this window of pixels, each times its δ: they add up to {fixed_signed(gradient, 1)}.",
    ]
    title = "One weight is used at every place"
    return Film(title, tuple(captions), (*shapes, one), telling=10, seconds=10)


_POOLED, _GIVEN = (24.0, 54.0), (284.0, 87.0)


def pooling(head: Any) -> Film:
    """Window by window the largest passes; then each δ goes back to its winner alone."""
    seen = windows.pool(head, "max_pool")
    places = [(i, j) for i in range(2) for j in range(2)]
    frames = len(places) + 2
    winners = [windows.winner(seen, place, 2) for place in places]
    shapes = _cells(seen.x, _POOLED, 0, opacity=from_frame(0, frames, 4))
    shapes += _cells(seen.back, _POOLED, 1, "backward", from_frame(5, frames))
    shapes += _cells(seen.delta, _GIVEN, 1, "backward", from_frame(4, frames))
    for k, (i, j) in enumerate(places):
        x, y = _GIVEN[0] + CELL * j, _GIVEN[1] + CELL * i
        shapes.append(shape("rect", "edge", x=x, y=y, width=CELL, height=CELL))
        text, shown = fixed(float(seen.out[i, j]), 0), from_frame(k, frames, 3)
        shapes.append(label("cell-text forward", x + CELL / 2, y + CELL / 2 + 4.5, text, "middle", shown))
        row, column = winners[k]
        at = {"x": _POOLED[0] + CELL * column, "y": _POOLED[1] + CELL * row}
        shapes.append(shape("rect", "window winner", width=CELL, height=CELL, opacity=from_frame(k, frames), **at))
    looked = [(2 * i, 2 * j) for i, j in places]
    shown = from_frame(0, frames, 3)
    shapes.append(_window("forward", _POOLED, [*looked, looked[-1], looked[-1]], [(2, 2)] * frames, shown))
    captions = [f"Of this window the largest passes: {fixed(float(seen.out[place]), 0)}." for place in places]
    captions += [
        "Backwards: each window's δ comes back.",
        "It goes to the winner alone. To all the others comes back 0.",
    ]
    return Film("Only the winner gets it", tuple(captions), tuple(shapes), telling=3, seconds=8)
