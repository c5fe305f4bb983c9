"""The network as nodes over one flat parameter vector, and the chain rule through it, forwards and backwards.

A node's parameters are a matrix with the bias as last column, and each layer's activations carry a row of ones, so
that one matrix product gives z and one gives dW and db together. All of it is views of a few flat vectors: nothing is
allocated while training, and an optimizer sees one vector whatever the depth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import accumulate, pairwise
from operator import add
from typing import NamedTuple

import numpy as np

from engine.activations import ACTIVATIONS, Activation
from engine.arrays import Floats, Ints
from engine.losses import LOSSES, FromLogits, Loss
from engine.operations.base import NOTHING, Cost, Forward, Node, Operation, Parameter, Vector
from engine.quantity import Quantity, form_of
from engine.shown import network_picture
from engine.stages import Nodes
from engine.wording import Words


class Turn(NamedTuple):
    """One node's turn in a pass.

    The value it gives and how many rows that has with its ones; its matrix's place among all, None for none; whether
    this is what its layer gives, and the values that nobody takes after it; its calls where nobody trains, whether it
    begins a layer, and how many rows it keeps for itself on the way.
    """

    value: int
    rows: int
    node: Node
    operation: Operation
    matrix: int | None
    last: bool
    dropped: tuple[int, ...]
    calls: Forward
    begins: bool
    kept: tuple[int, ...]


@dataclass(frozen=True)
class Network(Nodes):
    """What is computed: `inputs` numbers in, the nodes in their order, the loss of what the last one gives.

    A parameter's *address* is "W2.1.3" or "b2.1", as `engine.quantity` has it. A layer is a node with weights and what
    is attached to it, so layers, and not nodes, are what an address counts.
    """

    loss_name: str

    @classmethod
    def chain(cls, sizes: Sequence[int], activations: Sequence[str], loss_name: str) -> "Network":
        """Dense layers one after the other: units per layer, the inputs first, and what each layer applies."""
        nodes: list[Node] = []
        for layer, (units, name) in enumerate(zip(sizes[1:], activations, strict=True), 1):
            nodes.append(Node("dense", layer, (len(nodes),), (("units", units),)))
            nodes.append(Node("activation", layer, (len(nodes),), (("function", name),)))
        return cls(sizes[0], tuple(nodes), loss_name)

    def __reduce__(self) -> tuple[type["Network"], tuple[object, ...]]:
        return Network, (self.inputs, self.nodes, self.loss_name)  # what is worked out may not be pickled

    def drawing(self, parameters: Floats | None = None) -> str:
        """Its drawing as SVG; with parameters, a link's width and colour are its weight's size and sign."""
        image = self.image(0)
        titles = ("image" if image else "inputs", *(f"{k} {name}" for k, name in enumerate(self.activation_names, 1)))
        sizes = ((*image, self.inputs)[0], *self.sizes[1:])
        weights = () if parameters is None else [W for W, _ in self.layers(parameters)]
        return network_picture(sizes, titles, self.shortcuts, weights)

    def __repr__(self) -> str:
        return f"Network({'-'.join(map(str, self.sizes))}, {', '.join(self.activation_names)}, {self.loss_name})"

    _repr_html_ = _repr_svg_ = drawing  # as a notebook shows it

    @cached_property
    def _hash(self) -> int:
        return hash((self.inputs, self.nodes, self.loss_name))

    def __hash__(self) -> int:
        return self._hash  # cached: buffers are looked up by it in every request

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Units per layer, the inputs first; a channel of an image is one."""
        return tuple(self.image(k)[0] if k and self.image(k) else self.widths[v] for k, v in enumerate(self.gives))

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """One entry per layer, the output's last."""
        return tuple(ACTIVATIONS[name] for name in self.activation_names)

    @cached_property
    def activation_names(self) -> tuple[str, ...]:
        """The same by name."""
        return tuple(node.option("function") for node in self.nodes if node.operation == "activation")

    @cached_property
    def loss(self) -> Loss:
        """The loss's table entry."""
        return LOSSES[self.loss_name]

    @cached_property
    def joined(self) -> FromLogits | None:
        """The loss and the output activation in one, where they belong together."""
        return self.loss.from_logits.get(self.activation_names[-1])

    @cached_property
    def cost(self) -> Cost:
        """What one example takes on its way through all nodes."""
        costs = (operation.cost(node, self._taken(node)) for node, operation in self.entries)
        return reduce(add, costs)

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """(units, inputs + 1) of every layer's own parameter matrix."""
        return tuple(op.matrix(node, self._taken(node)) for node, op in self.entries if op.matrix and not op.rank)

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """The places of the nodes that have a matrix, in the order of the flat vector: what begins a layer first, and
        after all of these what is attached to one."""
        found = (place for place, operation in enumerate(self.operations) if operation.matrix)
        return tuple(sorted(found, key=lambda place: self.operations[place].rank > 0))

    @cached_property
    def matrix_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape of every matrix, in the order of the flat vector."""
        found = ((self.nodes[place], self.operations[place].matrix) for place in self.owners)
        return tuple(shape(node, self._taken(node)) for node, shape in found if shape)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each matrix begins in the flat vector, and its length last."""
        return (0, *accumulate(rows * columns for rows, columns in self.matrix_shapes))

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All that is in the flat vector, by name: W and b of every layer, then what is attached to one."""
        owned = ((self.nodes[place], self.operations[place].parameters) for place in self.owners)
        return tuple(
            each.placed(node.layer, start)
            for (node, named), start in zip(owned, self.offsets[:-1], strict=True)
            if named
            for each in named(node, self._taken(node))
        )

    @cached_property
    def _named(self) -> dict[tuple[str, int], Parameter]:
        return {(each.letter, each.layer): each for each in self.parameters}

    def named(self, flat: Vector) -> dict[str, Vector]:
        """Views of the flat vector by name: W1, b1, gamma1."""
        return {f"{each.letter}{each.layer}": each.of(flat) for each in self.parameters}

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return self.offsets[-1]

    def matrices(self, flat: Floats) -> list[Floats]:
        """Views of the flat vector as one matrix for each node that has one: of a layer (units, inputs + 1), bias last;
        after all layers' those of what is attached to them."""
        starts = pairwise(self.offsets)
        return [flat[i:j].reshape(shape) for (i, j), shape in zip(starts, self.matrix_shapes, strict=True)]

    def layers(self, flat: Floats) -> list[tuple[Floats, Floats]]:
        """Views as (W, b) a layer: W (units, inputs) or (channels, channels below, height, width), and b (units,)."""
        return [(W.of(flat), b.of(flat)) for W, b in self._pairs]

    @cached_property
    def _pairs(self) -> list[tuple[Parameter, Parameter]]:
        return [(self._named["W", k], self._named["b", k]) for k in range(1, len(self.shapes) + 1)]

    def flatten(self, layers: Sequence[tuple[Floats, Floats]]) -> Floats:
        """The flat vector of (W, b) pairs, the inverse of `layers`; what is attached to layers is as at a start."""
        flat = np.empty(self.size)
        for each in self.parameters:
            each.of(flat)[...] = each.first
        for (W, b), (W_view, b_view) in zip(layers, self.layers(flat), strict=True):
            W_view[...] = W
            b_view[...] = b
        return flat

    @cached_property
    def x_is_open(self) -> bool:
        """Whether all that takes x takes it as it comes, another array in every step; else it is copied first."""
        return all(operation.on_x for node, operation in self.entries if 0 in node.inputs)

    @cached_property
    def order(self) -> tuple["Turn", ...]:
        """The nodes as a pass meets them."""
        last_use = {value: place for place, node in enumerate(self.nodes, 1) for value in node.inputs}
        matrices = {place: number for number, place in enumerate(self.owners)}
        return tuple(
            Turn(
                value,
                self.widths[value] + 1,
                node,
                entry,
                matrices.get(value - 1),
                value == self.gives[node.layer],
                tuple(v for v, last in last_use.items() if last == value),
                entry.evaluate or entry.forward,
                bool(entry.matrix) and not entry.rank,
                () if entry.evaluate else tuple(self.saved(node).values()),
            )
            for value, (node, entry) in enumerate(self.entries, 1)
        )

    @cached_property
    def running(self) -> dict[int, tuple[int, int]]:
        """By layer: where the running mean and variance of its batch norm begin in their flat vector, and how many
        units they have."""
        found, end = dict[int, tuple[int, int]](), 0
        for node, entry in self.entries:
            if entry.running:
                found[node.layer] = end, entry.running(node, self._taken(node))[1]
                end += 2 * found[node.layer][1]
        return found

    @property
    def mixes_examples(self) -> bool:
        """Whether the examples of a mini-batch move each other, so that one has no step of its own."""
        return bool(self.running)

    def running_of(self, flat: Floats) -> dict[int, Floats]:
        """By layer: views (2, units) of the running means and variances."""
        return {k: flat[start : start + 2 * units].reshape(2, units) for k, (start, units) in self.running.items()}

    def spread_by(self, layer: int) -> str:
        """The activation whose range holds what a layer gives: its own, or with something added the boundless one."""
        return "identity" if layer in self.shortcuts else self.activation_names[layer - 1]

    @cached_property
    def is_weight(self) -> Floats:
        """1.0 at every weight of the flat vector and 0.0 at every other parameter, such as a bias."""
        flat = np.zeros(self.size)
        for parameter in self.parameters:
            parameter.of(flat)[...] = parameter.is_weight
        flat.setflags(write=False)
        return flat

    @cached_property
    def no_weights(self) -> Ints:
        """Where all but the weights stand in the flat vector."""
        return np.flatnonzero(self.is_weight == 0.0)

    def locate(self, address: str) -> int:
        """The index of an address in the flat vector; ValueError, saying which there are, if there is none such."""
        try:
            quantity = Quantity.parse(address)
        except (TypeError, ValueError):
            quantity = Quantity("")
        place = self.place(quantity) if quantity.kind == quantity.letter else None
        if place is None:
            raise ValueError(f"no such parameter, an address is {self.address_form}")
        return place

    def place(self, quantity: Quantity) -> int | None:
        """Where a parameter, its gradient or its next value stands in the flat vectors; None if there is none such."""
        parameter = self._named.get((quantity.letter, quantity.layer))
        index = [i for i in quantity.index if isinstance(i, int)]
        if parameter and len(parameter.shape) == 4 and len(index) == 2:  # a whole kernel is meant by its middle
            return parameter.place([*index, *((side + 1) // 2 for side in parameter.shape[2:])])
        return parameter.place(index) if parameter and len(index) == len(quantity.index) else None

    def has(self, quantity: Quantity) -> bool:
        """Whether there is such a parameter or, by its activation, such a unit; a0.1 is an input."""
        if quantity.kind != "a":
            return quantity.kind == quantity.letter and self.place(quantity) is not None
        inside = quantity.layer < len(self.sizes) and len(quantity.index) == 1
        return inside and 1 <= quantity.unit <= self.sizes[quantity.layer]

    @property
    def address_form(self) -> Words:
        """What an address looks like here, as an error says it."""
        return form_of([each.letter for each in self.parameters], self.sizes, self.has_images)

    def address(self, index: int) -> str:
        """The address of a place in the flat vector: the inverse of `locate`."""
        found = ((each, each.index(index)) for each in self.parameters)
        return next(str(Quantity(each.letter, each.layer, at)) for each, at in found if at)

    def addresses(self) -> Iterator[str]:
        """Every address, in the order of the flat vector."""
        return (self.address(index) for index in range(self.size))


def first_running(network: Network) -> Floats:
    """Running means of 0 and variances of 1."""
    flat = np.zeros(2 * sum(units for _, units in network.running.values()))
    for _, variance in network.running_of(flat).values():
        variance.fill(1.0)
    return flat


def with_ones(features: Floats) -> Floats:
    """Batch-first (examples, features) as feature-major (features + 1, examples), its last row ones.

    A view of batch-first memory, where gathering a mini-batch copies whole rows.
    """
    extended = np.ones((len(features), features.shape[1] + 1))
    extended[:, :-1] = features
    return extended.T


def layers_of(
    network: Network, parameters: Floats, x: Floats, running: Floats | None = None
) -> Iterator[tuple[Floats, Floats]]:
    """z (units, examples) of every layer, and what it gives, (units + 1, examples) with a last row of ones.

    The forward pass alone, for x (features + 1, examples) with any number of examples: a node's arrays are made as
    they are asked for, and let go after their last use. They have the type of the parameters. `running` are the means
    and variances that batch norms take in place of a batch's, 0 and 1 if there are none yet.
    """
    means = network.running_of(first_running(network) if running is None else running)
    matrices, examples = network.matrices(parameters), x.shape[1]
    values: list[Floats] = [x]
    z, dtype = x, parameters.dtype
    for _, rows, node, operation, own, last, dropped, calls, begins, kept in network.order:
        out = np.empty((rows, examples), dtype)
        values.append(out)
        if begins:
            z = out[:-1]
        if last or not begins:  # nobody but its own layer takes what begins one, and none of that takes the ones
            out[-1] = 1.0
        matrix = NOTHING if own is None else matrices[own]
        saved = [*means[node.layer]] if operation.running else [np.empty((count, examples), dtype) for count in kept]
        for call in calls(node, [values[each] for each in node.inputs], out, matrix, saved):
            call[0](*call[1:])
        if last:
            yield z, out
        for each in dropped:
            values[each] = NOTHING
