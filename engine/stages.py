"""The nodes of a network by its layers: what each layer makes of what it receives, letter by letter, and what comes
back.

What stands behind an activation is asked of the table here: who tells a step goes through a layer's letters, and knows
none of them by name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

from engine.arrays import Floats
from engine.operations import OPERATIONS
from engine.operations.base import Image, Node, Operation, Vector


@dataclass(frozen=True)
class Nodes:
    """`inputs` numbers in, and the nodes in their order."""

    inputs: int
    nodes: tuple[Node, ...]

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """The table's entry for each node."""
        return tuple(OPERATIONS[node.operation] for node in self.nodes)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """How many numbers every value has for one example; value 0 is x."""
        widths = [self.inputs]
        for node, operation in self.entries:
            widths.append(operation.rows(node, [widths[value] for value in node.inputs]))
        return tuple(widths)

    def _taken(self, node: Node) -> list[int]:
        return [self.widths[value] for value in node.inputs]

    @property
    def entries(self) -> Iterator[tuple[Node, Operation]]:
        """Every node with its operation."""
        return zip(self.nodes, self.operations, strict=True)

    def image(self, layer: int, letter: str = "") -> Image:
        """The shape of the image that a layer's numbers of this letter are; () for plain ones; x as it is taken."""
        if not layer:
            return next((node.takes for node in self.nodes if 0 in node.inputs and node.takes), ())
        return self._images.get((layer, letter or "z"), ())

    @cached_property
    def _images(self) -> dict[tuple[int, str], Image]:
        return {(node.layer, entry.letter): entry.image(node) for node, entry in self.entries}

    @cached_property
    def has_images(self) -> bool:
        """Whether some layer's numbers are images."""
        return any(self._images.values())

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """By layer, from 1: the letters of what its nodes give, one after the other."""
        found: dict[int, str] = {}
        for node, entry in self.entries:
            found[node.layer] = found.get(node.layer, "") + entry.letter
        return tuple(found.values())

    def before(self, layer: int, letter: str) -> str:
        """The letter of what the node of this letter takes, within its layer."""
        stages = self.stages[layer - 1]
        return stages[stages.index(letter) - 1]

    def after(self, layer: int, letter: str) -> str:
        """The letter of what is made of that within its layer; what passes on what it gets on the way back, as a
        shortcut does, is passed over. Nothing at the layer's end."""
        stages = self.changing[layer - 1]
        return stages[stages.index(letter) + 1 :][:1]

    @cached_property
    def changing(self) -> tuple[str, ...]:
        """By layer, from 1: of its stages those that change what comes back to them."""
        passing = {(node.layer, entry.letter) for node, entry in self.entries if entry.passes}
        layers = enumerate(self.stages, 1)
        return tuple("".join(each for each in stages if (k, each) not in passing) for k, stages in layers)

    def attached(self, layer: int) -> str:
        """The letters of what stands behind a layer's activation, one after the other."""
        return self.stages[layer - 1].partition("a")[2]

    def behind(self, layer: int) -> str:
        """Of these those that change what comes back to them."""
        return self.changing[layer - 1].partition("a")[2]

    def at(self, layer: int, letter: str) -> tuple[Node, Operation]:
        """The node that gives a layer's numbers of this letter, and its operation."""
        node = self._placed[layer, letter]
        return node, OPERATIONS[node.operation]

    @cached_property
    def _placed(self) -> dict[tuple[int, str], Node]:
        return {(node.layer, entry.letter): node for node, entry in self.entries}

    def saved(self, node: Node) -> dict[str, int]:
        """What a node keeps on its way forward, or is given: how many rows, by name."""
        return OPERATIONS[node.operation].saves(node, self._taken(node))

    def kept(self, layer: int) -> tuple[str, ...]:
        """The names of what is kept behind a layer's activation."""
        nodes = (self.at(layer, letter)[0] for letter in self.attached(layer))
        return tuple(name for node in nodes for name in self.saved(node))

    @cached_property
    def drawn(self) -> dict[tuple[str, int], Callable[[Floats], tuple[Vector, float]]]:
        """What is drawn anew in every step, by its name and layer: how, from numbers spread evenly from 0 to 1."""
        return {
            (next(iter(self.saved(node))), node.layer): partial(entry.drawn, node)
            for node, entry in self.entries
            if entry.drawn
        }

    @cached_property
    def shortcuts(self) -> dict[int, int]:
        """By layer: the one below, 0 for the inputs, whose values a shortcut adds to its own."""
        added = {node.layer: node.inputs[1] for node in self.nodes if len(node.inputs) > 1}
        return {layer: self.gives.index(value) for layer, value in added.items()}

    @cached_property
    def dropouts(self) -> dict[int, float]:
        """By layer: the share of its numbers that dropout puts to 0."""
        return {node.layer: node.option("rate") for node in self.nodes if node.operation == "dropout"}

    @cached_property
    def pools(self) -> dict[int, Node]:
        """By layer: the pool that makes its feature maps smaller."""
        return {node.layer: node for node, entry in self.entries if entry.letter == "v"}

    @cached_property
    def norms(self) -> dict[int, str]:
        """By layer: which normalization stands between its sums and its activation."""
        return {node.layer: node.operation for node, entry in self.entries if entry.letter == "n"}

    def bent_kind(self, layer: int) -> str:
        """The letter of what a layer's activation takes: n after a normalization, else z."""
        return "n" if layer in self.norms else "z"

    def given_kind(self, layer: int) -> str:
        """The letter of what a layer gives to those above it: that of what is attached last, else a."""
        return self.stages[layer - 1][-1] if layer else "a"

    def back_kind(self, layer: int) -> str:
        """The letter of what comes back to what a layer gives: dh where dropout is last, else da; a shortcut passes it
        on."""
        return "d" + (self.changing[layer - 1][-1] if 0 < layer <= len(self.stages) else "a")

    def joint_kind(self, layer: int) -> str:
        """The letter of what comes back where a shortcut ends: to the sum there, and so over the shortcut."""
        end = next(letter for letter in self.attached(layer) if len(self.at(layer, letter)[0].inputs) > 1)
        return "d" + self.before(layer, end)

    def arcs(self, layer: int) -> list[int]:
        """The layers that shortcuts lead to from this one, 0 being the inputs."""
        return [end for end, source in self.shortcuts.items() if source == layer]

    @cached_property
    def gives(self) -> tuple[int, ...]:
        """The value that each layer gives to those above it; x is layer 0's."""
        last = {node.layer: value for value, node in enumerate(self.nodes, 1)}
        return (0, *last.values())
