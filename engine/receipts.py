"""Where a number of one step came from: a parameter's way from its old value to the new one, a unit's z, a and delta.

Every number is the trace's own; what is taken apart here adds up to it again.
"""

from dataclasses import dataclass

import numpy as np

from engine.activations import ACTIVATIONS
from engine.arrays import Floats, Ints
from engine.checks import SpecError
from engine.optimizers import OPTIMIZERS
from engine.quantity import Quantity
from engine.session import frozen_mask
from engine.tracing import NormTrace, Trace


@dataclass(frozen=True)
class Part:
    """One thing that an update adds to a parameter.

    `name` is gradient (of the data's loss), penalty (regularization's), memory (the optimizer's), decay (of adamw),
    trial (what trial and error kept) or step (the whole, of a rule that is not taken apart).
    """

    name: str
    value: float


@dataclass(frozen=True)
class ParameterReceipt:
    """One parameter in one step: `now` + the parts = `next`.

    `deltas` and `carried`, an entry per example of the trace, are the factors of the gradient: their products add up
    to it. `carried` is what the link brought, 1 for a bias; of a gain and a shift they are dn, and xhat or 1. `slots`
    has the optimizer's memory before and after.
    """

    address: str
    layer: int
    unit: int
    source: int
    now: float
    next: float
    gradient: float
    penalty_gradient: float
    learning_rate: float
    frozen: bool
    examples: Ints
    deltas: Floats
    carried: Floats
    parts: tuple[Part, ...]
    slots: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class UnitNorm:
    """A unit's part of its layer's normalization: n is gamma × xhat + beta, xhat is (z - mean) / spread, and the
    three ways `dz_own`, `dz_mean` and `dz_spread` from dxhat, which is gamma × dn, add up to dz; an entry per example.
    `running` are the mean and the variance that a batch norm takes where nobody trains.
    """

    mean: Floats
    spread: Floats
    xhat: Floats
    gamma: float
    beta: float
    n: Floats
    dn: Floats
    dxhat: Floats
    dz_own: Floats
    dz_mean: Floats
    dz_spread: Floats
    running: tuple[float, float] | None = None


def _unit_norm(norm: NormTrace | None, j: int) -> UnitNorm | None:
    if norm is None:
        return None
    names = ("mean", "spread", "xhat", "n", "dn", "dxhat", "dz_own", "dz_mean", "dz_spread")
    each = {name: np.broadcast_to(getattr(norm, name), norm.n.shape)[:, j - 1] for name in names}
    running = None if norm.running is None else (float(norm.running[0, j - 1]), float(norm.running[1, j - 1]))
    return UnitNorm(gamma=float(norm.gamma[j - 1]), beta=float(norm.beta[j - 1]), running=running, **each)


@dataclass(frozen=True)
class UnitReceipt:
    """One unit in one step, an entry per example in z, a, da, dz and slope (None for softmax, which mixes its units).

    z is the sum of `incoming` (examples, inputs), weight × activation, plus `bias`. da is the sum of `outgoing`
    (examples, units above), weight × delta; None for an output, whose da is the loss's own gradient. Where shortcuts
    lead from the unit, what comes back over them, `arcs` (examples, shortcuts), is added to that. After dropout the sum
    is dh, and da is `mask` × dh, as `h` is mask × a. With a `norm`, a is of its n, and da times the slope is dn. `o` is
    what the unit gives where a shortcut leads to it: its a, or h, and `added`.
    """

    address: str
    layer: int
    unit: int
    examples: Ints
    z: Floats
    a: Floats
    da: Floats
    dz: Floats
    slope: Floats | None
    bias: float
    incoming: Floats
    outgoing: Floats | None
    arcs: Floats | None
    o: Floats | None
    added: Floats | None
    mask: Floats | None
    h: Floats | None
    dh: Floats | None
    norm: UnitNorm | None = None


def slopes(trace: Trace, k: int) -> Floats | None:
    """The activation's derivative at all that it takes in layer k, (examples, units): what turns da into dz, or before
    a normalization into dn. None for softmax."""
    layer, joined = trace.layers[k - 1], trace.spec.network.joined
    if joined and k == len(trace.layers):
        with np.errstate(all="ignore"):
            return joined.slope(layer.z, layer.a, trace.y) if joined.slope else None
    derivative = ACTIVATIONS[layer.activation].derivative
    if derivative is None:
        return None
    out = np.empty_like(layer.bent, order="C")
    with np.errstate(all="ignore"):
        derivative(np.ascontiguousarray(layer.bent), np.ascontiguousarray(layer.a), out)
    return out


def parts_at(trace: Trace, indices: Ints) -> dict[str, Floats]:
    """What the update adds to the parameters at these places of the flat vector, by the names of `Part`."""
    spec, optimizer = trace.spec, OPTIMIZERS[trace.spec.optimizer]
    p, after = trace.parameters[indices], trace.parameters_next[indices]
    if optimizer.search:
        return {"trial": after - p}
    if optimizer.parts is None:
        return {"step": after - p}
    data = trace.gradient[indices]
    penalty = trace.penalty_gradient[indices]
    settings = dict(spec.optimizer_settings)
    slots = [slot[indices] for slot in trace.slots]
    with np.errstate(all="ignore"):
        taken = optimizer.parts(p, data + penalty, slots, trace.learning_rate, trace.t, settings)
        free = ~frozen_mask(spec)[indices]
        found = {"gradient": -taken.factor * data, "penalty": -taken.factor * penalty}
        found |= {"memory": -taken.memory * np.ones_like(p), "decay": -taken.decay * np.ones_like(p)}
    return {name: np.where(free, values, 0.0) for name, values in found.items() if name == "gradient" or np.any(values)}


def receipt(trace: Trace, address: str) -> ParameterReceipt | UnitReceipt:
    """The receipt of whatever the address means: a weight or bias, W2.1.3, or a unit, a2.1."""
    try:
        trace.spec.network.locate(address)
    except ValueError:
        return unit_receipt(trace, address)
    return parameter_receipt(trace, address)


def parameter_receipt(trace: Trace, address: str) -> ParameterReceipt:
    """The receipt of a weight "W2.1.3" or a bias "b2.1"; SpecError if there is none."""
    network = trace.spec.network
    try:
        index = network.locate(address)
    except ValueError:
        raise SpecError("address", address, network.address_form) from None
    of = Quantity.parse(address)
    layer, unit, source = of.layer, of.unit, of.source
    before, after = trace.slots[:, index].tolist(), trace.slots_next[:, index].tolist()
    names = OPTIMIZERS[trace.spec.optimizer].slots
    parts = parts_at(trace, np.array([index]))
    return ParameterReceipt(
        address,
        layer,
        unit,
        source,
        float(trace.parameters[index]),
        float(trace.parameters_next[index]),
        float(trace.gradient[index]),
        float(trace.penalty_gradient[index]),
        trace.learning_rate,
        bool(frozen_mask(trace.spec)[index]),
        trace.examples,
        *_factors(trace, of),
        tuple(Part(name, float(values[0])) for name, values in parts.items()),
        {name: (old, new) for name, old, new in zip(names, before, after, strict=True)},
    )


def _factors(trace: Trace, of: Quantity) -> tuple[Floats, Floats]:
    """The two factors of a parameter's gradient, an entry per example."""
    layer, ones = trace.layers[of.layer - 1], np.ones(len(trace.examples))
    if layer.norm and of.kind in ("gamma", "beta"):
        return layer.norm.dn[:, of.unit - 1], layer.norm.xhat[:, of.unit - 1] if of.kind == "gamma" else ones
    return layer.dz[:, of.unit - 1], trace.inputs_of(of.layer - 1)[:, of.source - 1] if of.source else ones


def unit_receipt(trace: Trace, address: str) -> UnitReceipt:
    """The receipt of a unit "a2.1", of layer 1 to the output; SpecError if there is none."""
    k, j = _unit_of(trace, address)
    layer, slope = trace.layers[k - 1], slopes(trace, k)
    above = trace.layers[k] if k < len(trace.layers) else None
    back = [trace.layers[to - 1].back[:, j - 1] for to in trace.spec.network.arcs(k)]
    source = trace.spec.network.shortcuts.get(k)
    return UnitReceipt(
        address,
        k,
        j,
        trace.examples,
        layer.z[:, j - 1],
        layer.a[:, j - 1],
        layer.da[:, j - 1],
        layer.dz[:, j - 1],
        None if slope is None else slope[:, j - 1],
        float(layer.b[j - 1]),
        trace.inputs_of(k - 1) * layer.W[j - 1],
        None if above is None else above.dz * above.W[:, j - 1],
        np.column_stack(back) if back else None,
        None if layer.o is None else layer.o[:, j - 1],
        None if source is None else trace.inputs_of(source)[:, j - 1],
        None if layer.mask is None else layer.mask[:, j - 1],
        None if layer.h is None else layer.h[:, j - 1],
        None if layer.dh is None else layer.dh[:, j - 1],
        _unit_norm(layer.norm, j),
    )


def _unit_of(trace: Trace, address: str) -> tuple[int, int]:
    network = trace.spec.network
    try:
        of = Quantity.parse(address)
    except ValueError:
        of = Quantity("")
    if of.kind == "a" and of.layer and network.has(of):
        return of.layer, of.unit
    allowed = f"a<layer>.<unit>, from a1.1 to a{len(network.shapes)}.{network.sizes[-1]}, or a parameter's address"
    raise SpecError("address", address, allowed)
