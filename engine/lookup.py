"""The numbers of a trace by their quantities, one or a whole array of them: what equations are evaluated on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.equation import Places
from engine.operations.conv2d import windows
from engine.operations.normalizing import EPSILON
from engine.optimizers import OPTIMIZERS
from engine.quantity import Index, Quantity, Shifted
from engine.receipts import slopes
from engine.tracing import Trace


@dataclass(frozen=True)
class Numbers:
    """`Numbers(trace)(quantity)` is that number; a quantity with letters takes theirs from `at`, arrays too."""

    trace: Trace

    def __call__(self, of: Quantity, at: Places | None = None) -> Any:
        """A quantity's number or numbers; KeyError for what the trace has not."""
        between = len(of.index) == 4 and of.kind in ("p", "q")
        array, index = (self._between(of), of.index[2:]) if between else (self._array(of), of.index)
        array = _laid_out(array, len(index))
        places = (() if of.example is None else (_place(of.example, at),), (_place(i, at, 1) for i in index))
        return array[tuple(place for some in places for place in some)] if index or of.example is not None else array

    def _between(self, of: Quantity) -> Floats:
        """What a channel below gives one at every place, (examples, rows, columns), or what comes back from that; or
        the same of a unit that takes the maps as plain numbers."""
        network, layer = self.trace.spec.network, self.trace.layers[of.layer - 1]
        channel, source = of.unit - 1, of.source - 1
        if not network.image(of.layer):
            image = network.image(of.layer - 1, network.given_kind(of.layer - 1))
            given = self.trace.inputs_of(of.layer - 1).reshape(-1, *image)[:, source]
            times = layer.dz[:, channel, None, None] if of.kind == "q" else given
            return np.asarray(layer.W[channel].reshape(image)[source] * times)
        node = next(node for node in network.nodes if (node.layer, node.operation) == (of.layer, "conv2d"))
        images, back = self.trace.inputs_of(of.layer - 1).reshape(-1, *node.takes)[:, source], of.kind == "q"
        found = np.zeros_like(images if back else layer.dz[:, channel])
        for i, j, rows, columns, their_rows, their_columns in windows(node):
            one = layer.W[channel, source, i, j]
            if back:
                found[:, their_rows, their_columns] += one * layer.dz[:, channel, rows, columns]
            else:
                found[:, rows, columns] += one * images[:, their_rows, their_columns]
        return found

    def _array(self, of: Quantity) -> Any:
        if not of.layer:
            return self.given[of.kind]
        if of.kind in _OF_LAYERS:
            return _OF_LAYERS[of.kind](self, of.layer)
        if of.kind in self._slots:
            return self._slots[of.kind][of.layer]
        return self.trace.layers[of.layer - 1].number(of.kind)  # of what is attached

    @cached_property
    def given(self) -> dict[str, Any]:
        """What belongs to no layer: inputs and targets, the loss, the counts, the settings."""
        step = self.trace
        named = {"a": step.x, "x": step.x, "y": step.y, "loss": step.loss, "penalty": step.penalty, "t": step.t}
        counts = {"count": len(step.x), "outputs": step.y.shape[1], "rate": step.learning_rate, "eps": EPSILON}
        return (
            named | counts | dict(step.spec.optimizer_settings) | {"regularization_rate": step.spec.regularization_rate}
        )

    @cached_property
    def _slots(self) -> dict[str, dict[int, Floats]]:
        """The optimizer's memory before the step, by name and layer: v_W and v_b."""
        found: dict[str, dict[int, Floats]] = {}
        for name, slot in zip(OPTIMIZERS[self.trace.spec.optimizer].slots, self.trace.slots, strict=True):
            for each in self.trace.spec.network.parameters:
                found.setdefault(f"{name}_{each.letter}", {})[each.layer] = each.of(slot)
        return found

    def _field(self, layer: int, name: str) -> Any:
        return getattr(self.trace.layers[layer - 1], name)

    def shared(self, layer: int, name: str) -> Any:
        """A mean or spread: one number an example, or one a unit."""
        return getattr(self.trace.layers[layer - 1].norm, name).ravel()

    def _products(self, layer: int) -> Any:
        return self._field(layer, "W") * self.trace.inputs_of(layer - 1)[:, None, :]

    def _sums(self, layer: int) -> Any:
        return np.add.reduce(self._products(layer), -1)

    def _ways_back(self, layer: int) -> Any:
        return self._field(layer, "W") * self._field(layer, "dz")[:, :, None]

    def _slopes(self, layer: int) -> Any:
        return slopes(self.trace, layer)

    def _pulled(self, layer: int) -> Any:
        return self._field(layer, "dW") + self._field(layer, "dW_penalty")


def _field(name: str) -> Callable[[Numbers, int], Any]:
    return lambda numbers, layer: getattr(numbers.trace.layers[layer - 1], name)


def _of_norm(name: str) -> Callable[[Numbers, int], Any]:
    return lambda numbers, layer: getattr(numbers.trace.layers[layer - 1].norm, name)


_OF_LAYERS: dict[str, Callable[[Numbers, int], Any]] = {
    name: _field(name) for name in ("z", "a", "da", "dz", "W", "b", "dW", "db", "W_next", "b_next")
}
_OF_LAYERS |= {
    name: _of_norm(name)
    for name in ("xhat", "n", "dn", "dxhat", "dz_own", "dz_mean", "dz_spread", "gamma", "beta", "dgamma", "dbeta")
}
_OF_LAYERS |= {name: _of_norm(name) for name in ("gamma_next", "beta_next")}
_OF_LAYERS |= {name: lambda numbers, layer, name=name: numbers.shared(layer, name) for name in ("mean", "spread")}  # type: ignore[misc]
_OF_LAYERS |= {"gb": _field("db"), "dR": _field("dW_penalty"), "gW": Numbers._pulled, "slope": Numbers._slopes}
_OF_LAYERS |= {"p": Numbers._products, "s": Numbers._sums, "q": Numbers._ways_back}


def _laid_out(array: Any, places: int) -> Any:
    """Numbers of examples by so many places: an image as plain numbers, and plain numbers as a square image."""
    if places == 1 and np.ndim(array) == 4:
        return array.reshape(len(array), -1)
    if places == 3 and np.ndim(array) == 2:
        return array.reshape(len(array), 1, isqrt(array.shape[1]), -1)
    return array


def _place(index: Index, at: Places | None, first: int = 0) -> Any:
    if isinstance(index, Shifted):
        return index.at(at or {}) - first
    found: Any = at[index] if at is not None and isinstance(index, str) else index
    return found - first
