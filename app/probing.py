"""The article's own tests on a parameter of a live run, gathered for their fragment: nudge, check all, slice."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.charts import Axis, path
from app.links import number
from engine import RunState, SpecError
from engine.probes import Slice, check_all, nudge, slice_

CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class SliceChart:
    """The loss along one parameter: its curve, the tangent, where it stands and where steps land."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    curve: str
    tangent: str
    now: tuple[float, float]
    landings: tuple[tuple[float, float, str], ...]


def probe(kind: str, state: RunState, address: str, amount: str, example: int | None) -> dict[str, Any]:
    """What the fragment of this kind shows. SpecError for another kind, address or amount."""
    if kind == "nudge":
        size = number(amount) if amount else 0.001
        if isinstance(size, str):
            raise SpecError("amount", amount, "a number such as 0.001")
        result = nudge(state, address, float(size), example)
        return {"n": result, "amount": amount or "0.001", "reruns": state.spec.network.size}
    if kind == "check":
        return {"k": check_all(state, example, seconds=CHECK_SECONDS)}
    if kind == "slice":
        along = slice_(state, address, example)
        return {"s": along, "chart": slice_chart(along)}
    raise SpecError("kind", kind, "one of: nudge, check, slice")


def slice_chart(along: Slice, width: float = 260, height: float = 150) -> SliceChart:
    """Place a slice; the tangent reaches a third of the width to either side."""
    left, right, top, bottom = 42.0, width - 6, 16.0, height - 22
    finite = along.losses[np.isfinite(along.losses)]
    low, high = float(finite.min()), float(finite.max())
    rim = 0.06 * (high - low) or 0.5
    x = Axis(float(along.values[0]), float(along.values[-1]), left, right)
    y = Axis(low - rim, high + rim, bottom, top)
    reach = (along.values[-1] - along.values[0]) / 3
    ends = np.array([along.now - reach, along.now + reach])
    landed = [
        (x.at(mark.value), y.at(mark.loss), f"{mark.factor}×") for mark in along.landings if np.isfinite(mark.loss)
    ]
    return SliceChart(
        width, height, left, right, bottom, tuple(x.ticks(4)), tuple(y.ticks(4)),
        path(x(along.values), y(along.losses)), path(x(ends), y(along.loss + along.gradient * (ends - along.now))),
        (x.at(along.now), y.at(along.loss)), tuple(landed),
    )  # fmt: skip
