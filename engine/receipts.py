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
from engine.tracing import Trace


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
    to it. `carried` is what the link brought, 1 for a bias. `slots` has the optimizer's memory before and after.
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
class UnitReceipt:
    """One unit in one step, an entry per example in z, a, da, dz and slope (None for softmax, which mixes its units).

    z is the sum of `incoming` (examples, inputs), weight × activation, plus `bias`. da is the sum of `outgoing`
    (examples, units above), weight × delta; None for an output, whose da is the loss's own gradient. Where shortcuts
    lead from the unit, what comes back over them, `arcs` (examples, shortcuts), is added to that. After dropout the sum
    is dh, and da is `mask` × dh, as `h` is mask × a. `o` is what the unit gives where a shortcut leads to it: its a, or
    h, and `added`.
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


def slopes(trace: Trace, k: int) -> Floats | None:
    """The activation's derivative at every z of layer k, (examples, units): what turns da into dz. None for softmax."""
    layer, joined = trace.layers[k - 1], trace.spec.network.joined
    if joined and k == len(trace.layers):
        with np.errstate(all="ignore"):
            return joined.slope(layer.z, layer.a, trace.y) if joined.slope else None
    derivative = ACTIVATIONS[layer.activation].derivative
    if derivative is None:
        return None
    out = np.empty_like(layer.z, order="C")
    with np.errstate(all="ignore"):
        derivative(np.ascontiguousarray(layer.z), np.ascontiguousarray(layer.a), out)
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
        trace.layers[layer - 1].dz[:, unit - 1],
        trace.inputs_of(layer - 1)[:, source - 1] if source else np.ones(len(trace.examples)),
        tuple(Part(name, float(values[0])) for name, values in parts.items()),
        {name: (old, new) for name, old, new in zip(names, before, after, strict=True)},
    )


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
        *(None if each is None else each[:, j - 1] for each in (layer.mask, layer.h, layer.dh)),
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
