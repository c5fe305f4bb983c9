"""What a lens shows of a trace: the quantity of every link, and the two numbers of every unit.

One of: weights (what is), activations (what flows forwards), gradients (what flows back), updates (what changes).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.draw.maps import means, strongest, sums
from app.words.numbers import unsigned
from app.words.texts import text
from engine import Trace
from engine.arrays import Floats
from engine.wording import Words

THINNEST, THICKEST = 1.0, 10.0
WEIGHT_REACH = 5.0  # a weight of this size is drawn at full width, as in TensorFlow Playground


@dataclass(frozen=True)
class Below:
    """The number below every unit, (units,) a layer: what it is called, in full too, and its letter in addresses.

    `places` are the decimal places of its label.
    """

    name: str
    full: str
    letter: str
    values: list[Floats]
    places: int = 2


@dataclass(frozen=True)
class Shown:
    """A lens on a trace. `links` has (units, inputs) a layer, `reach` the size drawn thickest, `biases` (units,).

    `above` says whether every unit's activation stands above it.
    """

    lens: str
    links: list[Floats]
    reach: float
    biases: list[Floats]
    below: Below
    above: bool
    width: str
    """What the width of a link stands for, in words."""
    thickest: float | None = None
    """How much the thickest is, where that is told."""
    under: str = ""
    """What stands below each unit, in a sentence."""
    means: Words = ""
    """How the numbers of a batch came to one, in a sentence."""
    batch: bool = False
    """Whether a number stands for several examples."""
    each_link: tuple[bool, ...] = ()
    """By layer: whether each of its links is one weight."""

    def legend(self, known: bool, labelled: bool) -> str:
        """What is to be said under the drawing: all is `known` if no walkthrough has yet to compute it, and units are
        `labelled` if there is room for what stands below them."""
        width = text("Width: {what}.", what=self.width)
        if known and self.thickest is not None:
            width = text("Width: {what}, the thickest {size}.", what=self.width, size=unsigned(self.thickest))
        return " ".join(filter(None, (width, self.under if labelled else "", self.means)))


def shown(trace: Trace, lens: str, batch: bool, walking: bool = False, width: str = "") -> Shown:
    """What `lens` shows; `batch` says that numbers of several examples are brought to one, `width` what that of a lit
    link stands for at a moment that adds up.

    In a walkthrough units show what it computes of them, whatever the links show of what does not change meanwhile.
    """
    shapes = [layer.W.shape for layer in trace.layers]
    what = LENSES[lens](trace, batch)
    each = tuple(of == links.shape for of, links in zip(shapes, what.links, strict=True))
    what = replace(what, batch=batch, each_link=each, width=width or what.width)
    if not walking or lens != "weights":
        return what
    return replace(what, below=_deltas(trace, batch), above=True, under="", means=_of_units(batch))


def _weights(trace: Trace, batch: bool) -> Shown:
    network, layers = trace.spec.network, trace.layers
    biases = [layer.b for layer in layers]
    return Shown(
        lens="weights",
        links=strongest(network, [layer.W for layer in layers]),
        reach=WEIGHT_REACH,
        biases=biases,
        below=Below("b", "b", "b", biases),
        above=False,
        width=text("a kernel's strongest weight") if network.has_images else text("the weight"),
        under=text("Below each unit: its bias."),
    )


def _activations(trace: Trace, batch: bool) -> Shown:
    network, weights = trace.spec.network, [layer.W for layer in trace.layers]
    given = [trace.x.mean(axis=0), *(means(layer.gives) for layer in trace.layers)]
    kernels = zip(strongest(network, weights), given, strict=False)
    links = [W * (below if W.shape[1] == len(below) else below.mean()) for W, below in kernels]
    averaged = batch or network.has_images
    below = Below("z", text("mean z") if averaged else "z", "z", [means(layer.z) for layer in trace.layers])
    return Shown(
        lens="activations",
        links=links,
        reach=max(WEIGHT_REACH, _reach(links)),
        biases=[layer.b for layer in trace.layers],
        below=below,
        above=True,
        width=text("a kernel's strongest weight × the map's mean")
        if network.has_images
        else text("weight × activation, what each link carries"),
        means=text("Numbers: means of the batch.") if batch else "",
    )


def _gradients(trace: Trace, batch: bool) -> Shown:
    links = strongest(trace.spec.network, [layer.dW for layer in trace.layers])
    reach = _reach(links)
    return Shown(
        lens="gradients",
        links=links,
        reach=reach,
        biases=[layer.db for layer in trace.layers],
        below=_deltas(trace, batch),
        above=True,
        width="∂L/∂W",
        thickest=reach,
        under=text("Its colour: the sign; the pictures show activations."),
        means=_of_units(batch),
    )


def _deltas(trace: Trace, batch: bool) -> Below:
    summed = batch or trace.spec.network.has_images
    return Below("δ", text("sum of δ") if summed else "δ", "dz", [sums(layer.dz) for layer in trace.layers], 3)


def _of_units(batch: bool) -> str:
    return text("a: mean of the batch, δ: sum over it.") if batch else ""


def _updates(trace: Trace, batch: bool) -> Shown:
    links = strongest(trace.spec.network, [layer.W_next - layer.W for layer in trace.layers])
    changes = [layer.b_next - layer.b for layer in trace.layers]
    reach = _reach(links)
    return Shown(
        lens="updates",
        links=links,
        reach=reach,
        biases=changes,
        below=Below("Δb", "Δb", "b", changes, 3),
        above=False,
        width=text("how this step changes the weight"),
        thickest=reach,
        under=text("Below each unit: its bias's change."),
    )


LENSES: dict[str, Callable[[Trace, bool], Shown]] = {
    "weights": _weights,
    "activations": _activations,
    "gradients": _gradients,
    "updates": _updates,
}


def _reach(links: list[Floats]) -> float:
    """The largest finite size, or 1 where there is none."""
    largest = max((float(np.abs(link[np.isfinite(link)]).max(initial=0.0)) for link in links), default=0.0)
    return largest or 1.0


def widths(values: Floats, reach: float) -> list[float]:
    """Stroke widths for link quantities, flat: thin for 0, clamped at the thickest; so is what is not finite."""
    shares = np.fmin(np.abs(values.ravel()) / reach, 1.0)
    return list((THINNEST - 0.2 + (THICKEST - THINNEST) * shares).tolist())
