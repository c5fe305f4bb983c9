"""The numbers of one state by their names, so that prose and questions ask the engine and never hold a number.

`Facts(state)["dW2.1.3"]` is a gradient, `["delta2.1"]` a unit's delta, `["W2.1.3"]` a weight: addresses as everywhere.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from engine import Quantity, RunState, Trace, advance, apply, evaluate, trace
from engine.arrays import Floats
from engine.receipts import slopes

_OF_UNITS = ("a", "z", "da", "dz", "slope")


@dataclass(frozen=True)
class Facts:
    """One state, and what its next step computes: on one example, or with `example` None on its mini-batch."""

    state: RunState
    example: int | None = None

    @cached_property
    def trace(self) -> Trace:
        """What the next step computes."""
        return trace(self.state, self.example)

    @property
    def loss(self) -> float:
        """The loss of the trace's examples."""
        return self.trace.loss

    @property
    def residuals(self) -> Floats:
        """Output minus target, (examples, outputs)."""
        difference: Floats = self.trace.layers[-1].a - self.trace.y
        return difference

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.trace.learning_rate

    @property
    def step(self) -> int:
        """Steps taken so far."""
        return self.state.step

    @property
    def layers(self) -> int:
        """Layers with parameters."""
        return len(self.trace.layers)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Loss and accuracy over "train" and "test"."""
        return dict(evaluate(self.state))

    def __getitem__(self, name: str) -> float:
        """The quantity of that name: W2.1.3, b2.1, dW2.1.3, dgamma2.1, a2.1, z2.1, da2.1, delta2.1, slope2.1.

        Quantities of a unit are those of the first example; `slope` is the activation's derivative there. ValueError
        for a name that this network does not have.
        """
        of = Quantity.parse(name)
        if of.kind in _OF_UNITS:
            return self._of_unit(of)
        if of.letter and of.kind == f"d{of.letter}":
            return float(self.trace.gradient[self._index(str(of.like(of.letter)))])
        return float(self.state.parameters[self._index(name)])

    def is_plain(self, layer: int) -> bool:
        """Whether a layer has plain numbers, and takes such: of feature maps there are too many to ask of one."""
        network = self.state.spec.network
        below = 1 < layer <= self.layers and network.image(layer - 1, network.given_kind(layer - 1))
        return not network.image(layer) and not below

    def given(self, layer: int, unit: int) -> float:
        """What a unit, or with layer 0 an input, gives to those above it, on the first example."""
        return float(self.trace.inputs_of(layer)[0, unit - 1])

    def next(self, address: str) -> float:
        """A parameter after the step."""
        return float(self.trace.parameters_next[self._index(address)])

    def change(self, address: str) -> float:
        """How far the step moves a parameter."""
        return self.next(address) - self[address]

    def with_values(self, values: dict[str, float]) -> "Facts":
        """The same with other parameters."""
        state = self.state
        for address, value in values.items():
            state = apply(state, address, float(value))
        return replace(self, state=state)

    def with_rate(self, rate: float) -> "Facts":
        """The same with another learning rate."""
        return replace(self, state=apply(self.state, "learning_rate", float(rate)))

    def after(self, steps: int = 1) -> "Facts":
        """The same some steps later, or at the last finite one."""
        return replace(self, state=_later(_Same(self.state), steps))

    def on(self, example: int | None) -> "Facts":
        """The same on another example."""
        return replace(self, example=example)

    def _index(self, address: str) -> int:
        return self.state.spec.network.locate(address)

    def _of_unit(self, of: Quantity) -> float:
        network = self.state.spec.network
        if not network.has(of.like("a")) or (of.layer == 0 and of.kind != "a"):
            raise ValueError(f"no quantity {of} in a network of {' - '.join(map(str, network.sizes))} units")
        if of.layer == 0:
            return float(self.trace.x[0, of.unit - 1])
        if of.kind == "slope":
            return float(self._slopes(of.layer)[of.unit - 1])
        return float(getattr(self.trace.layers[of.layer - 1], of.kind)[0, of.unit - 1])

    def _slopes(self, layer: int) -> Floats:
        """a'(z) of a layer's units on the first example; for softmax, the diagonal of its Jacobian."""
        found = slopes(self.trace, layer)
        if found is not None:
            first: Floats = found[0]
            return first
        a = self.trace.layers[layer - 1].a[0]
        diagonal: Floats = a * (1.0 - a)
        return diagonal


class _Same:
    """A state as a key: equal where spec, place and numbers are."""

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.key = (state.spec, state.step, state.cursor, state.parameters.tobytes(), state.slots.tobytes())

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.key == other.key


@lru_cache(maxsize=512)
def _later(same: _Same, steps: int) -> RunState:
    return advance(same.state, steps).state
