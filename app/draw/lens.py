"""What a lens shows of a trace: the quantity of every link, and the two numbers of every unit.

One of: weights (what is), activations (what flows forwards), gradients (what flows back), updates (what changes).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.draw.numbers import shorts, signed
from engine import Trace
from engine.arrays import Floats

THINNEST, THICKEST = 1.0, 10.0
WEIGHT_REACH = 5.0  # a weight of this size is drawn at full width, as in TensorFlow Playground


@dataclass(frozen=True)
class Labels:
    """Two numbers for every unit of every layer, the inputs first: the text, and the quantity's address letter."""

    above: list[list[str]]
    below: list[list[str]]
    above_name: str
    below_name: str


@dataclass(frozen=True)
class Shown:
    """A lens on a trace. `links` has (units, inputs) a layer, `reach` the size drawn thickest, `biases` (units,)."""

    lens: str
    links: list[Floats]
    reach: float
    biases: list[Floats]
    labels: Labels
    legend: str
    thickest: str = ""
    """The part of the legend that tells a number which a walkthrough has yet to compute."""


def shown(trace: Trace, lens: str, batch: bool) -> Shown:
    """What `lens` shows; `batch` says that numbers of several examples are brought to one."""
    return _LENSES[lens](trace, batch)


def _weights(trace: Trace, batch: bool) -> Shown:
    layers = trace.layers
    labels = Labels(_blank(trace), [[""] * trace.x.shape[1], *(shorts(layer.b.tolist()) for layer in layers)], "", "b")
    return Shown(
        "weights", [layer.W for layer in layers], WEIGHT_REACH, [layer.b for layer in layers], labels,
        "Width: the weight. Below each unit: its bias.",
    )  # fmt: skip


def _activations(trace: Trace, batch: bool) -> Shown:
    means = [trace.x.mean(axis=0), *(layer.a.mean(axis=0) for layer in trace.layers)]
    sums = [layer.z.mean(axis=0) for layer in trace.layers]
    links = [layer.W * means[k] for k, layer in enumerate(trace.layers)]
    labels = Labels(
        [shorts(mean.tolist()) for mean in means],
        [[""] * trace.x.shape[1], *(shorts(z.tolist()) for z in sums)],
        "a",
        "z",
    )
    reach = max(WEIGHT_REACH, _reach(links))
    legend = "Width: weight × activation, what each link carries."
    return Shown(
        "activations", links, reach, [layer.b for layer in trace.layers], labels,
        legend + (" Numbers: means of the batch." if batch else ""),
    )  # fmt: skip


def _gradients(trace: Trace, batch: bool) -> Shown:
    links = [layer.dW for layer in trace.layers]
    deltas = [layer.dz.sum(axis=0) for layer in trace.layers]
    labels = Labels(
        [shorts(mean.tolist()) for mean in (trace.x.mean(axis=0), *(layer.a.mean(axis=0) for layer in trace.layers))],
        [[""] * trace.x.shape[1], *(shorts(delta.tolist(), 3) for delta in deltas)],
        "a",
        "δ",
    )
    reach = _reach(links)
    thickest = f", the thickest {_size(reach)}"
    legend = f"Width: dL/dW{thickest}."
    return Shown(
        "gradients", links, reach, [layer.db for layer in trace.layers], labels,
        legend + (" a: mean of the batch, δ: sum over it." if batch else ""), thickest,
    )  # fmt: skip


def _updates(trace: Trace, batch: bool) -> Shown:
    links = [layer.W_next - layer.W for layer in trace.layers]
    changes = [layer.b_next - layer.b for layer in trace.layers]
    labels = Labels(
        _blank(trace), [[""] * trace.x.shape[1], *(shorts(change.tolist(), 3) for change in changes)], "", "Δb"
    )
    reach = _reach(links)
    thickest = f", the thickest {_size(reach)}"
    return Shown(
        "updates", links, reach, changes, labels,
        f"Width: how this step changes the weight{thickest}. Below each unit: its bias's change.", thickest,
    )  # fmt: skip


_LENSES: dict[str, Callable[[Trace, bool], Shown]] = {
    "weights": _weights,
    "activations": _activations,
    "gradients": _gradients,
    "updates": _updates,
}


def _blank(trace: Trace) -> list[list[str]]:
    return [[""] * trace.x.shape[1], *([""] * len(layer.b) for layer in trace.layers)]


def _reach(links: list[Floats]) -> float:
    """The largest finite size, or 1 where there is none."""
    largest = max((float(np.abs(link[np.isfinite(link)]).max(initial=0.0)) for link in links), default=0.0)
    return largest or 1.0


def _size(value: float) -> str:
    return signed(value, 4).lstrip("+")


def widths(values: Floats, reach: float) -> list[float]:
    """Stroke widths for link quantities, flat: thin for 0, clamped at the thickest; so is what is not finite."""
    shares = np.fmin(np.abs(values.ravel()) / reach, 1.0)
    return list((THINNEST - 0.2 + (THICKEST - THINNEST) * shares).tolist())
