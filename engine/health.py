"""How gradients fare in every layer of one step; and when something is wrong, one plain sentence: what, where, what
to try.
"""

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

from engine.activations import ACTIVATIONS, Activation
from engine.arrays import Floats, Ints
from engine.network import Network
from engine.state import RunState
from engine.stuck import far_inputs, far_targets, is_bounded, overshoots_by_penalty, stuck
from engine.tracing import LayerTrace, Trace

FLAT = 0.05  # of the steepest slope: flatter than that is saturated
VANISHING = 1e-3  # first layer's gradient against the last one's, as root mean squares
EXPLODING = 1e3
LARGE_UPDATE = 0.5  # of the length of the weights, in one step
MOSTLY = 0.5  # a layer is reported when this share of it is dead
SATURATED = 0.9
WRONG = 0.25  # of an output's whole range: so far off is wrong
BINS = 20
LARGEST = 1e100


@dataclass(frozen=True)
class LayerHealth:
    """One layer in one step, over the trace's examples. `layer` counts from 1.

    `gradient_norm` is the length of (dW, db), `gradient_size` the root mean square of dW. `update_ratio` is the
    length of the weights' step over their own, 0 while they are all 0. `dead_share`: units whose slope is 0 on
    every example, so that they pass nothing back. `saturated_share`: places (example, unit) where a bounded
    activation is nearly flat.
    """

    layer: int
    gradient_norm: float
    gradient_size: float
    update_ratio: float
    dead_share: float
    saturated_share: float


def health(trace: Trace) -> tuple[LayerHealth, ...]:
    """Every layer's health in this step; about the batch, dead means dead on all examples of that batch."""
    network = trace.spec.network
    with np.errstate(all="ignore"):
        lengths = _lengths(network, trace.gradient, trace.parameters, trace.parameters_next)
        blocks = zip(network.activations, network.shapes, trace.passes("z"), trace.passes("a"), strict=True)
        return tuple(
            LayerHealth(
                k, norm, slope / sqrt(units * (columns - 1)), update / size if size else 0.0,
                _dead(activation, z, a), _saturated(activation, a),
            )
            for k, ((norm, slope, size, update), (activation, (units, columns), z, a)) in enumerate(
                zip(lengths, blocks, strict=True), 1
            )
        )  # fmt: skip


def _lengths(network: Network, gradient: Floats, now: Floats, after: Floats) -> list[list[float]]:
    """Of each layer's gradient, its part for the weights, the weights, and their update, from flat vectors."""
    rows = np.stack((gradient, gradient, now, after))
    np.subtract(rows[3], rows[2], rows[3])
    rows[1:, network.biases] = 0.0
    np.multiply(rows, rows, rows)
    return np.sqrt(np.add.reduceat(rows, network.offsets[:-1], axis=1)).T.tolist()  # type: ignore[no-any-return]


def _dead(activation: Activation, z: Floats, a: Floats) -> float:
    """The share of units, of z and a (units, examples), whose slope is 0 everywhere."""
    if activation.derivative is None:
        return 0.0
    slope = np.empty_like(z)
    activation.derivative(z, a, slope)
    return (len(slope) - int(np.count_nonzero(slope.any(axis=1)))) / len(slope)


def _saturated(activation: Activation, a: Floats) -> float:
    """The share of a (units, examples) where a bounded activation is nearly flat."""
    low, high = activation.range
    if not isfinite(high - low) or activation.name == "threshold":
        return 0.0
    # For sigmoid and tanh this is the slope against the steepest one; for softmax a unit's own slope.
    return int(np.count_nonzero((a - low) * (high - a) < FLAT * (0.5 * (high - low)) ** 2)) / a.size


def spread(layer: LayerTrace) -> tuple[Ints, Floats]:
    """How a layer's activations are spread: counts in bins, and the edges of these. What is not finite is in none."""
    a = layer.a.ravel()
    finite = np.clip(a[np.isfinite(a)], -LARGEST, LARGEST)
    low, high = _span(layer.activation, finite)
    # np.histogram says the same of even bins and takes five times as long, mostly to look at its arguments.
    edges = low + np.arange(BINS + 1, dtype=np.float64) * ((high - low) / BINS)
    edges[-1] = high
    return np.bincount(edges[1:-1].searchsorted(finite, "right"), minlength=BINS), edges


def _span(activation: str, values: Floats) -> tuple[float, float]:
    low, high = ACTIVATIONS[activation].range
    if not values.size:
        return (0.0, 1.0)
    low, high = low if isfinite(low) else float(values.min()), high if isfinite(high) else float(values.max())
    room = 0.5 * max(1.0, abs(low))  # values that are all alike stand in the middle
    return (low, high) if high - low > 1e-9 * room else (low - room, low + room)


@dataclass(frozen=True)
class Complaint:
    """Something wrong: a short name of what it is, the layer from 1 (0 for all), and the sentence."""

    name: str
    layer: int
    sentence: str


def complaint(trace: Trace, state: RunState | None = None) -> Complaint | None:
    """The most basic thing that is wrong with this step, or None; a diverged `state` says so first."""
    if state is not None and state.divergence:
        if cause := overshoots_by_penalty(state.spec):
            return Complaint("diverged", state.divergence.layer, f"{state.divergence.message} {cause}")
        if far := far_inputs(state.spec) or far_targets(state.spec):
            return Complaint("diverged", state.divergence.layer, f"{state.divergence.message} {far}: scale them.")
        return Complaint("diverged", state.divergence.layer, state.divergence.message)
    with np.errstate(all="ignore"):
        why = stuck(state) if state else None
        if why and why[0] == "regularization":  # weights that it keeps at 0 look as if steps overshot
            return Complaint(why[0], 0, why[1])
        return _first(trace) or (Complaint(why[0], 0, why[1]) if why else None)


def _first(trace: Trace) -> Complaint | None:
    layers = health(trace)
    checks = (_alike, _threshold, _too_strong, _far, _dead_units, _exploding, _vanishing, _flat_units, _sure_and_wrong)
    return next((found for check in checks if (found := check(trace, layers))), None)


def sentence(trace: Trace, state: RunState | None = None) -> str:
    """The complaint's sentence, "" when all is well."""
    found = complaint(trace, state)
    return found.sentence if found else ""


def _place(trace: Trace, k: int) -> str:
    return "the output layer" if k == len(trace.layers) else f"hidden {k}"


def _alike(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    """All weights 0, or a layer whose units are all the same: they stay the same for ever."""
    if len(trace.layers) == 1:
        return None
    ends = {end for ends in trace.spec.network.shortcuts.items() for end in ends}
    for k, layer in enumerate(trace.layers, 1):
        if k in ends:  # what a shortcut brings, or brings back, differs from unit to unit
            continue
        if not layer.W.any():
            return Complaint("zero", k, (
                f"Every weight of {_place(trace, k)} is 0, so nothing passes back through it and its units are all "
                "alike: start from random weights, such as Xavier or He."
            ))  # fmt: skip
        alike = k < len(trace.layers) and len(layer.W) > 1 and (layer.W[0] == layer.W).all()
        alike = alike and (layer.b == layer.b[0]).all()
        if alike and (trace.layers[k].W[:, :1] == trace.layers[k].W).all():  # and what follows treats them alike
            return Complaint("alike", k, (
                f"All units of {_place(trace, k)} are alike and get the same gradient, so they will stay alike: "
                "start from random weights, such as Xavier or He."
            ))  # fmt: skip
    return None


def _threshold(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    for k, layer in reversed(list(enumerate(trace.layers, 1))):
        if layer.activation == "threshold":
            led_round = any(source < k <= end for end, source in trace.spec.network.shortcuts.items())
            before = "it cannot learn by backpropagation" if led_round else (
                "nothing can learn by backpropagation" if k == len(trace.layers) else
                "no layer up to it can learn by backpropagation"
            )  # fmt: skip
            return Complaint("threshold", k, (
                f"The threshold's slope is 0 everywhere, so no gradient passes {_place(trace, k)}: {before}. "
                "Try sigmoid, its smooth sister, or the optimizer trial and error."
            ))  # fmt: skip
    return None


def _dead_units(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    worst = max(layers, key=lambda layer: layer.dead_share)
    if worst.dead_share < MOSTLY:
        return None
    k, units = worst.layer, trace.layers[worst.layer - 1].W.shape[0]
    dead = round(worst.dead_share * units)
    who = "The only unit" if units == 1 else f"All {units} units" if dead == units else f"{dead} of {units} units"
    activation = ACTIVATIONS[trace.layers[k - 1].activation]
    what = (
        f"{who} of {_place(trace, k)} {'gives' if dead == 1 else 'give'} slope 0 on every one of these "
        f"{len(trace.examples)} examples"
    )
    if is_bounded(activation.name):  # not off, as ReLU is, but driven to an end of its range
        return Complaint("saturated", k, (
            f"{what}: {activation.title} is saturated, driven to its ends. Try a new start with smaller weights, such "
            "as Xavier."
        ))  # fmt: skip
    way_out = "leaky ReLU or ELU, a smaller learning rate, or a new start with He"
    return Complaint("dead", k, (
        f"{what}: dead {activation.title}, which no gradient can wake. Try {way_out}."
    ))  # fmt: skip


def _too_strong(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    cause = overshoots_by_penalty(trace.spec)
    return Complaint("regularization", 0, cause) if cause else None


def _far(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    """Inputs so large that units are driven to their ends or off, or targets so large that a step overshoots."""
    driven = any(layer.dead_share >= MOSTLY or layer.saturated_share >= SATURATED for layer in layers)
    overshoots = max(layer.update_ratio for layer in layers) > LARGE_UPDATE
    if (driven or overshoots) and (told := far_inputs(trace.spec)):
        what = (
            f"{ACTIVATIONS[trace.layers[0].activation].title} hardly answers there" if driven else "so steps overshoot"
        )
        return Complaint("inputs", 1, f"{told}: {what}. Scale the inputs to mean 0 and spread 1.")
    if overshoots and (told := far_targets(trace.spec)):
        return Complaint("targets", len(layers), f"{told}, so steps overshoot. Scale them to mean 0 and spread 1.")
    return None


def _exploding(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    grows = len(layers) > 1 and layers[0].gradient_size > EXPLODING * layers[-1].gradient_size > 0
    worst = max(layers, key=lambda layer: layer.update_ratio)
    if not grows and not worst.update_ratio > LARGE_UPDATE:
        return None
    if grows:
        return Complaint("exploding", 1, (
            f"Gradients explode: {_times(layers[0].gradient_size / layers[-1].gradient_size)} as large in hidden 1 as "
            "at the output. Try smaller starting weights (Xavier or He), a smaller learning rate, or fewer layers."
        ))  # fmt: skip
    return Complaint("exploding", worst.layer, (
        f"This step changes the weights of {_place(trace, worst.layer)} by {100 * worst.update_ratio:.0f} % of "
        f"their own length: it overshoots. Try a smaller learning rate than {trace.learning_rate:g}."
    ))  # fmt: skip


def _vanishing(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    first, last = layers[0].gradient_size, layers[-1].gradient_size
    if len(layers) < 3 or not first < VANISHING * last:
        return None
    less = f"1/{_times(last / first).split(' ')[0]}" if first > 0 else "0"
    return Complaint("vanishing", 1, (
        f"Gradients vanish on the way back: in hidden 1 they have {less} of the size they have at the output, "
        "so it hardly learns. Try ReLU or tanh in place of flat activations, Xavier or He, or fewer layers."
    ))  # fmt: skip


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio < 1e9 else f"{ratio:.0e} times"


def _percent(share: float) -> str:
    """80 %; 100 % is all."""
    return f"{100 * share if share == 1 else min(100 * share, 99):.0f} %"


def _flat_units(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    hidden = layers[:-1]  # an output that is sure of itself is flat as well, and that is well
    worst = max(hidden, key=lambda layer: layer.saturated_share, default=None)
    if worst is None or worst.saturated_share < SATURATED:
        return None
    name = ACTIVATIONS[trace.layers[worst.layer - 1].activation].title
    return Complaint("saturated", worst.layer, (
        f"{_percent(worst.saturated_share)} of {_place(trace, worst.layer)} is saturated: {name} is nearly flat "
        "there, so little gradient passes. Try smaller weights, inputs of smaller size, or ReLU."
    ))  # fmt: skip


def _sure_and_wrong(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    output, k = trace.layers[-1], len(layers)
    low, high = ACTIVATIONS[output.activation].range
    if trace.spec.network.joined or layers[-1].saturated_share < SATURATED:
        return None
    if not float(np.abs(output.a - trace.y).mean()) > WRONG * (high - low):
        return None
    name = ACTIVATIONS[output.activation].title
    return Complaint("saturated", k, (
        f"The output is sure of itself and wrong: {name} is flat there, so the loss can hardly correct it. Try a new "
        "start with a smaller learning rate, or cross-entropy, whose gradient does not fade."
    ))  # fmt: skip
