"""The network as one flat parameter vector, and the chain rule through it, forwards and backwards.

Each layer's parameters are an (units, inputs + 1) matrix with the bias as last column, and each layer's activations
carry a row of ones, so that one matrix product gives z and one gives dW and db together. All of it is views of a few
flat vectors: nothing is allocated while training, and an optimizer sees one vector whatever the depth.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from engine.activations import ACTIVATIONS, Activation
from engine.arrays import Floats
from engine.losses import LOSSES, Loss

_ADDRESS = re.compile(r"W([1-9]\d{0,3})\.([1-9]\d{0,3})\.([1-9]\d{0,3})|b([1-9]\d{0,3})\.([1-9]\d{0,3})")


@dataclass(frozen=True)
class Network:
    """The shape of a network: units per layer from the inputs to the outputs, and what each layer applies.

    A parameter's *address* is "W2.1.3" (layer 2, to unit 1, from unit 3 of the layer before) or "b2.1" (the bias of
    layer 2, unit 1), counted from 1 as in the diagram and the formulas.
    """

    sizes: tuple[int, ...]
    activation_names: tuple[str, ...]
    loss_name: str

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """One entry per layer, the output's last."""
        return tuple(ACTIVATIONS[name] for name in self.activation_names)

    @cached_property
    def loss(self) -> Loss:
        """The loss's table entry."""
        return LOSSES[self.loss_name]

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """(units, inputs + 1) of every layer's parameter matrix."""
        return tuple((units, below + 1) for below, units in pairwise(self.sizes))

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each layer's parameters begin in the flat vector, and its length last."""
        offsets = [0]
        for units, columns in self.shapes:
            offsets.append(offsets[-1] + units * columns)
        return tuple(offsets)

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return self.offsets[-1]

    def matrices(self, flat: Floats) -> list[Floats]:
        """Views of the flat vector as one (units, inputs + 1) matrix a layer, bias last."""
        starts = pairwise(self.offsets)
        return [flat[i:j].reshape(shape) for (i, j), shape in zip(starts, self.shapes, strict=True)]

    def layers(self, flat: Floats) -> list[tuple[Floats, Floats]]:
        """Views of the flat vector as (W, b) a layer: W (units, inputs), b (units,)."""
        return [(matrix[:, :-1], matrix[:, -1]) for matrix in self.matrices(flat)]

    def flatten(self, layers: Sequence[tuple[Floats, Floats]]) -> Floats:
        """The flat vector of (W, b) pairs: the inverse of `layers`."""
        flat = np.empty(self.size)
        for (W, b), (W_view, b_view) in zip(layers, self.layers(flat), strict=True):
            W_view[...] = W
            b_view[...] = b
        return flat

    @cached_property
    def is_weight(self) -> Floats:
        """1.0 at every weight of the flat vector and 0.0 at every bias."""
        flat = np.ones(self.size)
        for _, b in self.layers(flat):
            b[...] = 0.0
        flat.setflags(write=False)
        return flat

    def locate(self, address: str) -> int:
        """The index of an address in the flat vector; ValueError if there is no such parameter."""
        match = _ADDRESS.fullmatch(address)
        if match:
            layer, unit, source, bias_layer, bias_unit = (int(g) if g else 0 for g in match.groups())
            layer, unit = layer or bias_layer, unit or bias_unit
            if layer <= len(self.shapes):
                units, columns = self.shapes[layer - 1]
                if unit <= units and source < columns:
                    return self.offsets[layer - 1] + (unit - 1) * columns + (source or columns) - 1
        raise ValueError(
            f"no parameter {address!r}, must be W<layer>.<unit>.<input> or b<layer>.<unit>, counted from 1, "
            f"in a network of {' - '.join(map(str, self.sizes))} units"
        )

    def address(self, index: int) -> str:
        """The address of a place in the flat vector: the inverse of `locate`."""
        layer = next(k for k, end in enumerate(self.offsets[1:]) if index < end)
        unit, column = divmod(index - self.offsets[layer], self.shapes[layer][1])
        last = column == self.shapes[layer][1] - 1
        return f"b{layer + 1}.{unit + 1}" if last else f"W{layer + 1}.{unit + 1}.{column + 1}"

    def addresses(self) -> Iterator[str]:
        """Every address, in the order of the flat vector."""
        return (self.address(index) for index in range(self.size))


def with_ones(features: Floats) -> Floats:
    """Batch-first (examples, features) as feature-major (features + 1, examples), its last row ones."""
    extended = np.ones((features.shape[1] + 1, features.shape[0]))
    extended[:-1] = features.T
    return extended


class Workspace:
    """Buffers for one network at one batch size, and the two passes over them.

    `parameters` and `gradient` are flat vectors that the caller owns; the passes read the one and write the other.
    Every buffer keeps room for the row of ones, so that all of them line up and the slopes of many layers are taken
    in one call. Per layer, `z`, `a`, `da` and `dz` are (units, examples).
    """

    def __init__(self, network: Network, parameters: Floats, gradient: Floats, examples: int) -> None:
        self.network = network
        self.scale = np.array(network.loss.scale(network.sizes[-1], examples))
        self.buffers = {name: np.zeros(sum(u + 1 for u in network.sizes[1:]) * examples) for name in _BUFFERS}
        self.buffers["a"].fill(1.0)
        self.z, _ = self._blocks("z", examples)
        self.a, with_ones_row = self._blocks("a", examples)
        self.da, _ = self._blocks("da", examples)
        self.dz, _ = self._blocks("dz", examples)
        factors, _ = self._blocks("slope", examples)
        for k, activation in enumerate(network.activations):
            if activation.product is not None:
                factors[k] = self.a[k]  # softmax takes its own a where others take their slope
        self._plan(network.matrices(parameters), network.matrices(gradient), with_ones_row, factors)

    def _blocks(self, name: str, examples: int) -> tuple[list[Floats], list[Floats]]:
        """One buffer's layers, without and with the row of ones."""
        flat, start, blocks = self.buffers[name], 0, []
        for units in self.network.sizes[1:]:
            end = start + (units + 1) * examples
            blocks.append(flat[start:end].reshape(units + 1, examples))
            start = end
        return [block[:-1] for block in blocks], blocks

    def _plan(self, W: list[Floats], dW: list[Floats], a_in: list[Floats], factors: list[Floats]) -> None:
        """Bind every call of both passes to its arrays once, so that the passes are plain loops."""
        network, last = self.network, len(W) - 1
        through: list[Any] = [activation.product or np.multiply for activation in network.activations]
        self._forward: list[tuple[Any, ...]] = [
            (W[k].dot, self.z[k], network.activations[k].forward, self.a[k], a_in[k]) for k in range(last + 1)
        ]
        self._backward: list[tuple[Any, ...]] = [
            (
                self.dz[k].dot, a_in[k - 1].T, dW[k],
                W[k][:, :-1].T.dot, self.dz[k], self.da[k - 1],
                through[k - 1], factors[k - 1], self.dz[k - 1],
            )
            for k in range(last, 0, -1)
        ]  # fmt: skip
        self._first = (self.dz[0].dot, dW[0])
        joined = network.loss.from_logits.get(network.activation_names[-1])
        self._joined = joined.value_and_dz if joined else None
        self._output = (self.z[-1], self.a[-1], self.da[-1], self.dz[-1], through[-1], factors[-1])
        self._slopes = list(self._slope_groups(a_in, last if joined else last + 1))

    def _slope_groups(self, blocks: list[Floats], layers: int) -> Iterator[tuple[Any, ...]]:
        """Neighbouring layers with one elementwise activation share one call for their slopes."""
        ends = np.cumsum([0, *(block.size for block in blocks)]).tolist()
        for activation, group in groupby(range(layers), key=lambda k: self.network.activations[k]):
            indices = list(group)
            if activation.derivative is not None:
                span = slice(ends[indices[0]], ends[indices[-1] + 1])
                yield (
                    activation.derivative,
                    *(self.buffers[name][span] for name in ("z", "a", "slope")),
                )

    def forward(self, x: Floats) -> Floats:
        """All z and a from x, (features + 1, examples) with its row of ones; returns the outputs."""
        a_in = x
        for dot, z, activate, a, a_with_ones in self._forward:
            dot(a_in, z)
            activate(z, a)
            a_in = a_with_ones
        return self.a[-1]

    def backward(self, x: Floats, y: Floats) -> float:
        """All da, dz and the gradient from the last `forward`; y is (outputs, examples). Returns the loss."""
        z, a, da, dz, through, factor = self._output
        for derivative, z_flat, a_flat, slope in self._slopes:
            derivative(z_flat, a_flat, slope)
        if self._joined:
            loss = self._joined(z, a, y, self.scale, dz)
        else:
            loss = self.network.loss.value_and_gradient(a, y, self.scale, da)
            through(da, factor, dz)
        for to_dW, a_in_T, dW, to_da, dz, da_below, through, factor, dz_below in self._backward:
            to_dW(a_in_T, dW)
            to_da(dz, da_below)
            through(da_below, factor, dz_below)
        to_dW, dW = self._first
        to_dW(x.T, dW)
        return loss

    def loss(self, y: Floats) -> float:
        """The loss of the last `forward`, without gradients."""
        z, a, da, dz, _, _ = self._output
        if self._joined:
            return self._joined(z, a, y, self.scale, dz)
        return self.network.loss.value_and_gradient(a, y, self.scale, da)

    def complete(self, y: Floats) -> None:
        """Fill in dL/da of the outputs where the joined form of the loss went straight to dz."""
        if self._joined:
            self.network.loss.value_and_gradient(self.a[-1], y, self.scale, self.da[-1])


_BUFFERS = ("z", "a", "da", "dz", "slope")
