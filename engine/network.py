"""The network as one flat parameter vector, and the chain rule through it, forwards and backwards.

Each layer's parameters are an (units, inputs + 1) matrix with the bias as last column, and each layer's activations
carry a row of ones, so that one matrix product gives z and one gives dW and db together. All of it is views of a few
flat vectors: nothing is allocated while training, and an optimizer sees one vector whatever the depth.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, groupby, pairwise

import numpy as np

from engine.activations import ACTIVATIONS, Activation
from engine.arrays import Floats, Ints
from engine.losses import LOSSES, FromLogits, Loss
from engine.quantity import Quantity, bias, weight

Call = Callable[[], object]
RECORDED = ("z", "a", "da", "dz")
BUFFERS = (*RECORDED, "slope")  # of a workspace


@dataclass(frozen=True)
class Network:
    """The shape of a network: units per layer from the inputs to the outputs, and what each layer applies.

    A parameter's *address* is "W2.1.3" or "b2.1", as `engine.quantity` has it.
    """

    sizes: tuple[int, ...]
    activation_names: tuple[str, ...]
    loss_name: str

    def __reduce__(self) -> tuple[type["Network"], tuple[object, ...]]:
        return Network, (self.sizes, self.activation_names, self.loss_name)  # what is worked out may not be pickled

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """One entry per layer, the output's last."""
        return tuple(ACTIVATIONS[name] for name in self.activation_names)

    @cached_property
    def loss(self) -> Loss:
        """The loss's table entry."""
        return LOSSES[self.loss_name]

    @cached_property
    def joined(self) -> FromLogits | None:
        """The loss and the output activation in one, where they belong together."""
        return self.loss.from_logits.get(self.activation_names[-1])

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
    def rows(self) -> tuple[int, ...]:
        """Where each layer's rows begin in a buffer of them all, a row of ones after each layer, and their count."""
        return tuple(accumulate((units + 1 for units in self.sizes[1:]), initial=0))

    def blocks(self, flat: Floats, examples: int) -> list[Floats]:
        """Views of a flat buffer as one (units + 1, examples) block a layer, each with its row of ones."""
        return [flat[i * examples : j * examples].reshape(-1, examples) for i, j in pairwise(self.rows)]

    @cached_property
    def is_weight(self) -> Floats:
        """1.0 at every weight of the flat vector and 0.0 at every bias."""
        flat = np.ones(self.size)
        for _, b in self.layers(flat):
            b[...] = 0.0
        flat.setflags(write=False)
        return flat

    @cached_property
    def biases(self) -> Ints:
        """Where the biases are in the flat vector."""
        return np.flatnonzero(self.is_weight == 0.0)

    def locate(self, address: str) -> int:
        """The index of an address in the flat vector; ValueError, saying which there are, if there is none such."""
        try:
            quantity = Quantity.parse(address)
        except ValueError:
            quantity = Quantity("")
        place = self.place(quantity) if quantity.kind in ("W", "b") else None
        if place is None:
            raise ValueError(f"no such parameter, an address is {self.address_form}")
        return place

    def place(self, quantity: Quantity) -> int | None:
        """Where a parameter, its gradient or its next value stands in the flat vectors; None if there is none such."""
        if not quantity.is_parameter or not 1 <= quantity.layer <= len(self.shapes):
            return None
        units, columns = self.shapes[quantity.layer - 1]
        if quantity.unit > units or quantity.source >= columns:
            return None
        return self.offsets[quantity.layer - 1] + (quantity.unit - 1) * columns + (quantity.source or columns) - 1

    def has(self, quantity: Quantity) -> bool:
        """Whether there is such a parameter or, by its activation, such a unit; a0.1 is an input."""
        if quantity.kind != "a":
            return quantity.kind in ("W", "b") and self.place(quantity) is not None
        inside = quantity.layer < len(self.sizes) and len(quantity.index) == 1
        return inside and 1 <= quantity.unit <= self.sizes[quantity.layer]

    @property
    def address_form(self) -> str:
        """What an address looks like here, as an error says it."""
        units = " - ".join(map(str, self.sizes))
        return f"W<layer>.<unit>.<input> or b<layer>.<unit>, counted from 1, in a network of {units} units"

    def address(self, index: int) -> str:
        """The address of a place in the flat vector: the inverse of `locate`."""
        layer = next(k for k, end in enumerate(self.offsets[1:]) if index < end)
        unit, column = divmod(index - self.offsets[layer], self.shapes[layer][1])
        last = column == self.shapes[layer][1] - 1
        return str(bias(layer + 1, unit + 1) if last else weight(layer + 1, unit + 1, column + 1))

    def addresses(self) -> Iterator[str]:
        """Every address, in the order of the flat vector."""
        return (self.address(index) for index in range(self.size))


def with_ones(features: Floats) -> Floats:
    """Batch-first (examples, features) as feature-major (features + 1, examples), its last row ones.

    A view of batch-first memory, where gathering a mini-batch copies whole rows.
    """
    extended = np.ones((len(features), features.shape[1] + 1))
    extended[:, :-1] = features
    return extended.T


def layers_of(network: Network, parameters: Floats, x: Floats) -> Iterator[tuple[Floats, Floats]]:
    """z (units, examples) and a (units + 1, examples, the last row ones) of every layer for x (features + 1, examples).

    The forward pass alone, for any number of examples: a layer's arrays are made as they are asked for. They have the
    type of the parameters.
    """
    a = x
    for matrix, activation in zip(network.matrices(parameters), network.activations, strict=True):
        z = matrix.dot(a)
        a = np.ones((len(z) + 1, x.shape[1]), z.dtype)
        activation.forward(z, a[:-1])
        yield z, a


class Workspace:
    """Buffers for one network at one batch size, and the two passes over them.

    `parameters` and `gradient` are flat vectors that the caller owns; the passes read the one and write the other.
    Every buffer keeps room for the row of ones, so that all of them line up and the slopes of many layers are taken
    in one call. Per layer, `z`, `a`, `da` and `dz` are (units, examples), and `recorded` is all of them.
    """

    def __init__(self, network: Network, parameters: Floats, gradient: Floats, examples: int) -> None:
        self.network = network
        self.scale = np.array(network.loss.scale(network.sizes[-1], examples))
        self._all = np.zeros(len(BUFFERS) * network.rows[-1] * examples)
        self._flat = dict(zip(BUFFERS, self._all.reshape(len(BUFFERS), -1), strict=True))
        self._flat["a"].fill(1.0)
        self._recorded = self._all[: -len(self._flat["slope"])]
        blocks = {name: network.blocks(self._flat[name], examples) for name in BUFFERS}
        self.z, self.a, self.da, self.dz, self._slope = ([block[:-1] for block in blocks[name]] for name in BUFFERS)
        self._plan(network.matrices(parameters), network.matrices(gradient), blocks["a"], blocks["da"])

    def _plan(self, W: list[Floats], dW: list[Floats], a_in: list[Floats], da_in: list[Floats]) -> None:
        """Bind every call of both passes to its arrays once, so that a pass is one plain loop over its calls.

        Only the two calls that meet x are left open.
        """
        z, a, da, dz, last = self.z, self.a, self.da, self.dz, len(W) - 1
        activations, joined = self.network.activations, self.network.joined
        self._z_from, self._dW_into = W[0].dot, (dz[0].dot, dW[0])
        self._forward: list[Call] = []
        for k, activation in enumerate(activations):
            if k > 0:
                self._forward.append(partial(W[k].dot, a_in[k - 1], z[k]))
            self._forward.append(partial(activation.forward, z[k], a[k]))
        self._backward = list(self._slope_calls(a_in, last if joined else last + 1))
        for k in range(last, -1, -1):
            if k < last:
                self._backward.append(partial(W[k + 1].T.dot, dz[k + 1], da_in[k]))
            if k < last or not joined:
                product = activations[k].product  # softmax takes its own a where others take their slope
                to_dz = partial(product, da[k], a[k]) if product else partial(np.multiply, da[k], self._slope[k])
                self._backward.append(partial(to_dz, dz[k]))
            if k > 0:
                self._backward.append(partial(dz[k].dot, a_in[k - 1].T, dW[k]))
        self._loss = self._bind_loss()

    def _bind_loss(self) -> Callable[[Floats], float]:
        z, a, da, dz, scale, joined = self.z[-1], self.a[-1], self.da[-1], self.dz[-1], self.scale, self.network.joined
        if joined:
            value_and_dz = joined.value_and_dz
            return lambda y: value_and_dz(z, a, y, scale, dz)
        value_and_gradient = self.network.loss.value_and_gradient
        return lambda y: value_and_gradient(a, y, scale, da)

    def _slope_calls(self, blocks: list[Floats], layers: int) -> Iterator[Call]:
        """Neighbouring layers with one elementwise activation share one call for their slopes."""
        ends = np.cumsum([0, *(block.size for block in blocks)])
        for activation, group in groupby(range(layers), key=lambda k: self.network.activations[k]):
            indices = list(group)
            if activation.derivative is not None:
                span = slice(ends[indices[0]], ends[indices[-1] + 1])
                yield partial(activation.derivative, *(self._flat[name][span] for name in ("z", "a", "slope")))

    @property
    def recorded(self) -> Floats:
        """z, a, da and dz, one after the other, as they stand."""
        return self._recorded

    @property
    def nbytes(self) -> int:
        """How much memory the buffers take."""
        return self._all.nbytes

    def forward(self, x: Floats) -> Floats:
        """All z and a from x, (features + 1, examples) with its row of ones; returns the outputs."""
        self._z_from(x, self.z[0])
        for call in self._forward:
            call()
        return self.a[-1]

    def loss(self, y: Floats) -> float:
        """The loss of the last `forward` for targets y (outputs, examples), and its gradient at the outputs."""
        return self._loss(y)

    def backward(self, x: Floats, y: Floats) -> float:
        """All da, dz and the gradient from the last `forward`; y is (outputs, examples). Returns the loss."""
        loss = self._loss(y)
        for call in self._backward:
            call()
        product, dW = self._dW_into
        product(x.T, dW)
        return loss

    def complete(self, y: Floats) -> None:
        """Fill in dL/da of the outputs where the joined form of the loss went straight to dz."""
        if self.network.joined:
            self.network.joined.da(self.z[-1], self.a[-1], y, self.scale, self.da[-1])
