"""How gradients fare in every layer of one step; and if something is wrong, what it is, where, by which numbers."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, fields
from math import inf, isfinite, sqrt

import numpy as np

from engine.activations import ACTIVATIONS, Activation
from engine.arrays import Floats, Ints
from engine.checks import asked_of, other_kind
from engine.network import Network
from engine.session import next_batch
from engine.shown import table
from engine.state import Divergence, RunState, start
from engine.stuck import (
    EARLY,
    Parts,
    far_inputs,
    far_targets,
    grown,
    held_by_l1,
    is_bounded,
    learned,
    overshoots_by_penalty,
    stuck,
)
from engine.tracing import LayerTrace, Trace, trace_of

FLAT = 0.05  # of the steepest slope: flatter than that is saturated
VANISHING = 1e-3  # first layer's gradient against the last one's, as root mean squares
EXPLODING = 1e3
LARGE_UPDATE = 0.5  # of the length of the weights, in one step
MOSTLY = 0.5  # a layer is reported when this share of it is dead
SATURATED = 0.9
WRONG = 0.25  # of an output's whole range: so far off is wrong
BINS = 20
LARGEST = 1e100
LARGEST_TOLD = 1e3  # more than this is said of weights that start at almost nothing
SMALLER = 0.1  # of the weights' length: what a first step is to change of them
CONSEQUENCES = ("dead", "saturated", "vanishing", "plateau")  # what steps that were too large leave behind


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


class Healths(tuple[LayerHealth, ...]):
    """Every layer's, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return table([each.name.replace("_", " ") for each in fields(LayerHealth)], map(astuple, self))


@asked_of(Trace, "layer_health")
def health(trace: Trace) -> Healths:
    """Every layer's health in this step; about the batch, dead means dead on all examples of that batch."""
    network = trace.spec.network
    with np.errstate(all="ignore"):
        lengths = _lengths(network, trace.gradient, trace.parameters, trace.parameters_next)
        blocks = zip(network.activations, network.shapes, trace.bent(), trace.passes("a"), strict=True)
        return Healths(
            LayerHealth(
                k, norm, slope / sqrt(units * (columns - 1)), update / size if size else 0.0,
                _dead(activation, z, a, units), _saturated(activation, a),
            )
            for k, ((norm, slope, size, update), (activation, (units, columns), z, a)) in enumerate(
                zip(lengths, blocks, strict=True), 1
            )
        )  # fmt: skip


def gradient_norms(traces: Trace | Sequence[Trace]) -> Floats:
    """The length of each layer's gradient (dW, db): (layers,) of one trace, (steps, layers) of several, as
    `advance(…, traced=…).traces` has them."""
    if isinstance(traces, list | tuple):
        return np.array([gradient_norms(each) for each in traces])
    if not isinstance(traces, Trace):
        raise other_kind("gradient_norms", Trace, traces)
    return np.array([layer.gradient_norm for layer in health(traces)])


def _lengths(network: Network, gradient: Floats, now: Floats, after: Floats) -> list[list[float]]:
    """Of each layer's gradient, its part for the weights, the weights, and their update, from flat vectors."""
    rows = np.stack((gradient, gradient, now, after))
    np.subtract(rows[3], rows[2], rows[3])
    rows[1:, network.no_weights] = 0.0
    np.multiply(rows, rows, rows)
    summed, layers = np.add.reduceat(rows, network.offsets[:-1], axis=1), len(network.shapes)
    for place, owner in enumerate(network.owners[layers:], layers):  # what is attached to a layer belongs to it
        summed[:, network.nodes[owner].layer - 1] += summed[:, place]
    return np.sqrt(summed[:, :layers]).T.tolist()  # type: ignore[no-any-return]


def _dead(activation: Activation, z: Floats, a: Floats, units: int) -> float:
    """The share of units, of z and a (units, examples), whose slope is 0 everywhere: of a channel at all places."""
    if activation.derivative is None:
        return 0.0
    slope = np.empty_like(z)
    activation.derivative(z, a, slope)
    moves = slope.reshape(units, -1).any(axis=1)
    return (units - int(np.count_nonzero(moves))) / units


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
    """Something wrong: a short name of what it is, the layer from 1 (0 for all), what was found of it exactly, and the
    numbers and names that belong to it. The words are the app's."""

    name: str
    layer: int
    finding: str
    parts: Parts = field(default_factory=dict)
    divergence: Divergence | None = None


def complaint(trace: Trace, state: RunState | None = None) -> Complaint | None:
    """The most basic thing that is wrong with this step, or None; a diverged `state` says so first."""
    if state is not None and state.divergence:
        causes = {"penalty": overshoots_by_penalty, "inputs": far_inputs, "targets": far_targets}
        named = ((f"diverged by {name}", cause(state.spec)) for name, cause in causes.items())
        finding, parts = next(((name, parts) for name, parts in named if parts), ("diverged", {}))
        return Complaint("diverged", state.divergence.layer, finding, parts, state.divergence)
    with np.errstate(all="ignore"):
        why = stuck(state) if state else None
        held = Complaint(why[0], 0, *why[1:]) if why else None
        first = _first(trace)
        if held and held.name == "regularization":  # weights that it keeps at 0 look as if steps overshot
            return held
        # Targets far from 0 drive the output after them, and what is below it vanishes, saturates or dies.
        if held and held.name == "targets" and first and first.name in ("vanishing", "saturated", "dead"):
            return held
        if state and first and first.name == "dead" and learned(state):  # who needs them?
            first = None
        found = first or held
        if state and (found is None or found.name in CONSEQUENCES):
            return _too_fast(state, found) or found
        return found


def _too_fast(state: RunState, found: Complaint | None) -> Complaint | None:
    """The size of earlier steps, where it is the cause of what is found now: told by the very first, or by the loss."""
    spec, rate = state.spec, state.spec.learning_rate
    if found and state.step:
        begun = start(spec)
        first = trace_of(begun, next_batch(begun))
        layers = health(first)
        if far := _far(first, layers):
            return far
        worst = max(layers, key=lambda layer: layer.update_ratio)
        if LARGE_UPDATE < worst.update_ratio < LARGEST_TOLD:
            parts = {"share": worst.update_ratio, "rate": rate, "such": rate * SMALLER / worst.update_ratio}
            return Complaint("exploding", worst.layer, "overshot at first", parts)
    times = grown(state, found is not None) if state.step >= EARLY else 0.0
    ran_away = {"times": times, "rate": rate, "such": rate * SMALLER}
    return Complaint("exploding", 0, "loss has grown", ran_away) if times else None


def _first(trace: Trace) -> Complaint | None:
    layers = health(trace)
    checks = (_alike, _threshold, _too_strong, _far, _dead_units, _exploding, _vanishing, _flat_units, _sure_and_wrong)
    return next((found for check in checks if (found := check(trace, layers))), None)


def _alike(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    """All weights 0, or a layer whose units are all the same: they stay the same for ever."""
    if len(trace.layers) == 1:
        return None
    ends = {end for ends in trace.spec.network.shortcuts.items() for end in ends}
    for k, layer in enumerate(trace.layers, 1):
        if k in ends:  # what a shortcut brings, or brings back, differs from unit to unit
            continue
        if not layer.W.any():
            return Complaint("zero", k, "zero")
        alike = k < len(trace.layers) and len(layer.W) > 1 and (layer.W[0] == layer.W).all()
        alike = alike and (layer.b == layer.b[0]).all()
        if alike and _treated_alike(trace.layers[k].W, len(layer.W)):
            return Complaint("alike", k, "alike")
    return None


def _treated_alike(W: Floats, units: int) -> bool:
    """Whether a layer's weights from each of so many units, or channels, below are the same."""
    by_unit = W.reshape(len(W), units, -1)
    return bool((by_unit[:, :1] == by_unit).all())


def _threshold(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    for k, layer in reversed(list(enumerate(trace.layers, 1))):
        if layer.activation == "threshold":
            led_round = any(source < k <= end for end, source in trace.spec.network.shortcuts.items())
            stopped = "threshold led round" if led_round else "threshold"
            return Complaint("threshold", k, "threshold at the output" if k == len(trace.layers) else stopped)
    return None


def _dead_units(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    worst = max(layers, key=lambda layer: layer.dead_share)
    if worst.dead_share < MOSTLY:
        return None
    k, units = worst.layer, trace.layers[worst.layer - 1].W.shape[0]
    dead = round(worst.dead_share * units)
    name = trace.layers[k - 1].activation
    # A bounded unit is not off, as ReLU is, but driven to an end of its range.
    what = "saturated" if is_bounded(name) else "dead"
    parts = {"dead": dead, "units": units, "examples": len(trace.examples), "function": ACTIVATIONS[name].title}
    return Complaint(what, k, f"{what} units", parts)


def _too_strong(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    if held_by_l1(trace.spec, trace.parameters, trace.gradient):
        return Complaint("regularization", 0, "held back")
    cause = overshoots_by_penalty(trace.spec)
    return Complaint("regularization", 0, "overshoots by penalty", cause) if cause else None


def _far(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    """Inputs so large that units are driven to their ends or off, or targets so large that a step overshoots."""
    driven = any(layer.dead_share >= MOSTLY or layer.saturated_share >= SATURATED for layer in layers)
    overshoots = max(layer.update_ratio for layer in layers) > LARGE_UPDATE
    if (driven or overshoots) and (parts := far_inputs(trace.spec)):
        name = ACTIVATIONS[trace.layers[0].activation].title
        finding = "far inputs drive" if driven else "far inputs overshoot"
        return Complaint("inputs", 1, finding, {**parts, "function": name})
    if (driven or overshoots) and (parts := far_targets(trace.spec)):  # units are driven by steps that overshot
        return Complaint("targets", len(layers), "far targets overshoot", parts)
    return None


def _exploding(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    grows = len(layers) > 1 and layers[0].gradient_size > EXPLODING * layers[-1].gradient_size > 0
    worst = max(layers, key=lambda layer: layer.update_ratio)
    if not grows and not worst.update_ratio > LARGE_UPDATE:
        return None
    if grows:
        return Complaint("exploding", 1, "explodes", {"times": layers[0].gradient_size / layers[-1].gradient_size})
    parts = {"share": worst.update_ratio, "rate": trace.learning_rate}
    return Complaint("exploding", worst.layer, "overshoots", parts)


def _vanishing(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    first, last = layers[0].gradient_size, layers[-1].gradient_size
    if len(layers) < 3 or not first < VANISHING * last:
        return None
    return Complaint("vanishing", 1, "vanishes", {"times": last / first if first > 0 else inf})


def _flat_units(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    hidden = layers[:-1]  # an output that is sure of itself is flat as well, and that is well
    worst = max(hidden, key=lambda layer: layer.saturated_share, default=None)
    if worst is None or worst.saturated_share < SATURATED:
        return None
    name = ACTIVATIONS[trace.layers[worst.layer - 1].activation].title
    return Complaint("saturated", worst.layer, "flat", {"share": worst.saturated_share, "function": name})


def _sure_and_wrong(trace: Trace, layers: tuple[LayerHealth, ...]) -> Complaint | None:
    output, k = trace.layers[-1], len(layers)
    low, high = ACTIVATIONS[output.activation].range
    if trace.spec.network.joined or layers[-1].saturated_share < SATURATED:
        return None
    if not float(np.abs(output.a - trace.y).mean()) > WRONG * (high - low):
        return None
    name = ACTIVATIONS[output.activation].title
    return Complaint("saturated", k, "sure and wrong", {"function": name})
