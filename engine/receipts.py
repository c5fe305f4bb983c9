"""Where a number of one step came from: a parameter's way from its old value to the new one, a unit's z, a and delta.

Every number is the trace's own; what is taken apart here adds up to it again.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.activations import ACTIVATIONS
from engine.arrays import Floats, Ints, Value
from engine.checks import SpecError, asked_of
from engine.operations import behind
from engine.operations.base import Parameter
from engine.operations.conv2d import windows
from engine.optimizers import OPTIMIZERS
from engine.quantity import Quantity
from engine.session import frozen_mask
from engine.shown import Brief, lines, summed, written
from engine.tracing import NormTrace, Trace
from engine.wording import Words


@dataclass(frozen=True)
class Part:
    """One thing that an update adds to a parameter.

    `name` is gradient (of the data's loss), penalty (regularization's), memory (the optimizer's), decay (of adamw),
    trial (what trial and error kept) or step (the whole, of a rule that is not taken apart).
    """

    name: str
    value: float


@dataclass(frozen=True, eq=False)
class ParameterReceipt(Value):
    """One parameter in one step: `now` + the parts = `next`.

    `deltas` and `carried`, an entry per example of the trace, are the factors of the gradient: their products add up
    to it. `carried` is what the link brought, 1 for a bias; of a gain and a shift they are dn, and xhat or 1. What is
    used at every place of a feature map has an entry for each of them, too: (examples, rows, columns). `slots` has the
    optimizer's memory before and after.
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

    def __repr__(self) -> str:
        return f"ParameterReceipt({self.address}: {self.now:.4g} to {self.next:.4g}, gradient {self.gradient:.4g})"

    def _repr_html_(self) -> str:
        """As a notebook shows it: its gradient and its update as equations."""
        deltas, carried = self.deltas.ravel(), self.carried.ravel()
        brought = bool(self.source) or not np.all(carried == 1.0)
        pairs = zip(deltas, carried, strict=True) if brought else ((delta,) for delta in deltas)
        gradient = summed(f"d{self.address}", [*pairs], self.gradient)
        notes = ["now", *(part.name for part in self.parts)]
        update = summed("next", _ones([self.now, *(part.value for part in self.parts)]), self.next, notes)
        return lines(repr(self), [gradient, update])


@dataclass(frozen=True, eq=False)
class UnitNorm(Value):
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


@dataclass(frozen=True, eq=False)
class NodeReceipt(Value):
    """What one unit and one channel have in common: the first axis of each array is the examples. `others` is what any
    other operation behind the activation gives, gets back and keeps, by its name."""

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
    others: Mapping[str, Floats]

    def number(self, name: str) -> Floats:
        """Its numbers of this name, such as z, h or dh."""
        found: Floats = self.others[name] if name in self.others else getattr(self, name)
        return found

    def _of_others(self, back: bool = False) -> Iterator[str]:
        """What operations that have no field of their own give, or get back."""
        for name in (each for each in self.others if behind(each) and (each[:1] == "d") == back):
            yield f"{name}{{of}} = {written(float(self.others[name].flat[0]))}"


@dataclass(frozen=True, eq=False)
class UnitReceipt(NodeReceipt):
    """One unit in one step, an entry per example in z, a, da, dz and slope (None for softmax, which mixes its units).

    z is the sum of `incoming` (examples, inputs), weight × activation, plus `bias`. da is the sum of `outgoing`
    (examples, units above), weight × delta; None for an output, whose da is the loss's own gradient. Where shortcuts
    lead from the unit, what comes back over them, `arcs` (examples, shortcuts), is added to that. After dropout the sum
    is dh, and da is `mask` × dh, as `h` is mask × a. With a `norm`, a is of its n, and da times the slope is dn. `o` is
    what the unit gives where a shortcut leads to it: its a, or h, and `added`.
    """

    incoming: Floats
    outgoing: Floats | None
    arcs: Floats | None
    o: Floats | None
    added: Floats | None
    mask: Floats | None
    h: Floats | None
    dh: Floats | None
    norm: UnitNorm | None = None

    def __repr__(self) -> str:
        first = f"example {self.examples[0]}: " if len(self.examples) else ""
        return f"UnitReceipt({self.address}, {first}z {self.z[0]:.4g}, a {self.a[0]:.4g}, dz {self.dz[0]:.4g})"

    def _repr_html_(self) -> str:
        """As a notebook shows it: the equations of both passes, of its first example."""
        of = f"{self.layer}.{self.unit}"
        return lines(repr(self), [each.format(of=of) for each in (*self._forward(), *self._backward())])

    def _forward(self) -> Iterator[str]:
        yield summed("z{of}", [*_ones(self.incoming[0]), (self.bias,)], self.z[0])
        if self.norm:
            norm = self.norm
            yield summed("n{of}", [(norm.gamma, norm.xhat[0]), (norm.beta,)], norm.n[0])
        yield f"a{{of}} = the activation of {'n' if self.norm else 'z'}{{of}} = {written(self.a[0])}"
        if self.mask is not None and self.h is not None:
            yield summed("h{of}", [(self.mask[0], self.a[0])], self.h[0])
        if self.added is not None and self.o is not None:
            yield summed("o{of}", _ones([(self.a if self.h is None else self.h)[0], self.added[0]]), self.o[0])
        yield from self._of_others()

    def _backward(self) -> Iterator[str]:
        back = self.da if self.dh is None else self.dh
        above = [] if self.outgoing is None else [*self.outgoing[0]]
        arcs = [] if self.arcs is None else [*self.arcs[0]]
        name = "da{of}" if self.dh is None else "dh{of}"
        if above or arcs:
            yield summed(name, _ones([*above, *arcs]), back[0])
        elif self.slope is not None:
            yield f"{name} = {written(back[0])}, the slope of the loss"
        yield from self._of_others(back=True)
        if self.mask is not None and self.dh is not None:
            yield summed("da{of}", [(self.mask[0], self.dh[0])], self.da[0])
        if self.slope is None:
            yield f"dz{{of}} = {written(self.dz[0])}, of softmax, which mixes its units"
            return
        bent = self.norm.dn if self.norm else self.dz
        yield summed("dn{of}" if self.norm else "dz{of}", [(self.da[0], self.slope[0])], bent[0])
        if self.norm:
            yield summed(
                "dz{of}", _ones([self.norm.dz_own[0], self.norm.dz_mean[0], self.norm.dz_spread[0]]), self.dz[0]
            )


def _ones(numbers: Iterable[float]) -> list[tuple[float, ...]]:
    """Terms of one factor each."""
    return [(float(number),) for number in numbers]


@dataclass(frozen=True, repr=False, eq=False)
class ChannelReceipt(Brief, NodeReceipt):
    """One channel of a convolution in one step, a feature map an example in all that is (examples, rows, columns).

    z is what the `kernels` (channels below, rows, columns) add up over every window, plus `bias`; a is of it, or with a
    `norm` of its n. `v` is what a pool makes of that, (examples,) if it is of the whole map, `h` what dropout lets
    through, and `o` what is given where a shortcut adds to it; what comes back to these is dv, dh and da.
    """

    kernels: Floats
    h: Floats | None
    v: Floats | None
    o: Floats | None
    dh: Floats | None
    dv: Floats | None
    gamma: float | None
    beta: float | None
    n: Floats | None
    dn: Floats | None

    def _repr_html_(self) -> str:
        """As a notebook shows it: the equations of its first example's first place."""
        of, place = f"{self.layer}.{self.unit}.1.1", (0, 0, 0)
        bent, back = ("z", self.dz) if self.n is None or self.dn is None else ("n", self.dn)
        told = [f"z{of} = {written(float(self.z[place]))}, the kernels over the window there, and the bias"]
        if self.n is not None:
            told.append(f"n{of} = {written(float(self.n[place]))}, that normalized")
        told.append(f"a{of} = the activation of {bent}{of} = {written(float(self.a[place]))}")
        if self.slope is not None:
            told.append(summed(f"d{bent}{of}", [(float(self.da[place]), float(self.slope[place]))], float(back[place])))
        return lines(repr(self), told)


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


@asked_of(Trace)
def receipt(trace: Trace, address: str) -> ParameterReceipt | UnitReceipt | ChannelReceipt:
    """The receipt of whatever the address means: a weight or bias, W2.1.3, a unit, a2.1, or a channel, which is one."""
    try:
        trace.spec.network.locate(address)
    except ValueError:
        layer, _ = _unit_of(trace, address)
        return (channel_receipt if trace.spec.network.image(layer) else unit_receipt)(trace, address)
    return parameter_receipt(trace, address)


def parameter_receipt(trace: Trace, address: str) -> ParameterReceipt:
    """The receipt of a weight "W2.1.3" or a bias "b2.1"; SpecError if there is none."""
    network = trace.spec.network
    try:
        index = network.locate(address)
    except ValueError:
        raise SpecError("address", address, network.address_form) from None
    of = Quantity.parse(network.address(index))
    address = str(of)
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
    layer = trace.layers[of.layer - 1]
    ones = np.ones(layer.dz[:, of.unit - 1].shape)
    if layer.norm and of.kind in ("gamma", "beta"):
        return layer.norm.dn[:, of.unit - 1], layer.norm.xhat[:, of.unit - 1] if of.kind == "gamma" else ones
    if of.source and trace.spec.network.image(of.layer):
        return layer.dz[:, of.unit - 1], _met(trace, of)
    return layer.dz[:, of.unit - 1], trace.inputs_of(of.layer - 1)[:, of.source - 1] if of.source else ones


def terms_at_places(trace: Trace, of: Parameter) -> Floats:
    """What each example adds to the gradients of a parameter that feature maps share, over all its places: (examples,
    and the parameter's own axes)."""
    layer = trace.layers[of.layer - 1]
    if of.letter != "W":
        deltas = layer.dz if of.letter == "b" or layer.norm is None else layer.norm.dn
        carried = layer.norm.xhat if of.letter == "gamma" and layer.norm else np.ones_like(deltas)
        return np.asarray(np.einsum("ncyx,ncyx->nc", deltas, carried))
    found = np.empty((len(trace.examples), *of.shape))
    for c, i, j in np.ndindex(*of.shape[1:]):
        met = _met(trace, Quantity("W", of.layer, (1, c + 1, i + 1, j + 1)))
        found[:, :, c, i, j] = np.einsum("nfyx,nyx->nf", layer.dz, met)
    return found


def _met(trace: Trace, of: Quantity) -> Floats:
    """What a weight of a kernel lies over at every place, (examples, rows, columns); outside the image 0."""
    network = trace.spec.network
    node = next(node for node in network.nodes if (node.layer, node.operation) == (of.layer, "conv2d"))
    found = np.zeros((len(trace.examples), *network.image(of.layer)[1:]))
    images = trace.inputs_of(of.layer - 1).reshape(-1, *node.takes)
    for i, j, rows, columns, their_rows, their_columns in windows(node):
        if (i + 1, j + 1) == of.index[2:]:
            found[:, rows, columns] = images[:, of.source - 1, their_rows, their_columns]
    return found


def unit_receipt(trace: Trace, address: str) -> UnitReceipt:
    """The receipt of a unit "a2.1", of layer 1 to the output; SpecError if there is none."""
    k, j = _unit_of(trace, address)
    if trace.spec.network.image(k):
        raise SpecError("address", address, "a unit of a dense layer; of a convolution it is a channel's receipt")
    network = trace.spec.network
    layer, source = trace.layers[k - 1], network.shortcuts.get(k)
    above = trace.layers[k] if k < len(trace.layers) and not network.image(k + 1) else None
    back = [trace.layers[to - 1].back[:, j - 1] for to in network.arcs(k)]
    return UnitReceipt(
        **_node(trace, address, "h", "o", "dh", "mask"),
        incoming=trace.inputs_of(k - 1) * layer.W[j - 1],
        outgoing=None if above is None else above.dz * above.W[:, j - 1],
        arcs=np.column_stack(back) if back else None,
        added=None if source is None else trace.inputs_of(source)[:, j - 1],
        norm=_unit_norm(layer.norm, j),
    )


def channel_receipt(trace: Trace, address: str) -> ChannelReceipt:
    """The receipt of a channel "a1.2" of a convolution; SpecError if there is none."""
    k, j = _unit_of(trace, address)
    if not trace.spec.network.image(k):
        raise SpecError("address", address, "a channel of a convolution")
    layer = trace.layers[k - 1]
    norm = layer.norm
    return ChannelReceipt(
        **_node(trace, address, "h", "v", "o", "dh", "dv"),
        kernels=layer.W[j - 1],
        gamma=None if norm is None else float(norm.gamma[j - 1]),
        beta=None if norm is None else float(norm.beta[j - 1]),
        n=None if norm is None else norm.n[:, j - 1],
        dn=None if norm is None else norm.dn[:, j - 1],
    )


def _node(trace: Trace, address: str, *names: str) -> dict[str, Any]:
    """What a receipt of a unit or a channel has of its layer's arrays, by their names; None for what that has not."""
    k, j = _unit_of(trace, address)
    layer = trace.layers[k - 1]
    arrays = {name: getattr(layer, name) for name in ("z", "a", "da", "dz", *names)} | {"slope": slopes(trace, k)}
    own = {name: None if array is None else array[:, j - 1] for name, array in arrays.items()}
    others = {name: array[:, min(j, array.shape[1]) - 1] for name, array in layer.others.items()}
    named = {"address": address, "layer": k, "unit": j, "examples": trace.examples, "bias": float(layer.b[j - 1])}
    return named | own | {"others": others}


def _unit_of(trace: Trace, address: str) -> tuple[int, int]:
    network = trace.spec.network
    try:
        of = Quantity.parse(address)
    except (TypeError, ValueError):
        of = Quantity("")
    if of.kind == "a" and of.layer and network.has(of):
        return of.layer, of.unit
    last = f"a{len(network.shapes)}.{network.sizes[-1]}"
    form: Words = "a<layer>.<unit>, from a1.1 to {last}, or {address_form}"
    raise SpecError("address", address, form, last=last, address_form=network.address_form)
