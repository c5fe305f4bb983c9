"""The order in which one step is computed, as cheap keys: which moments there are, before any of them is written.

A layer that would take too many moments is told more coarsely, so that a walkthrough stays short enough to walk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from app.explain.moments import GRAINS, Grain, Phase
from engine import OPTIMIZERS, Network, Spec

MOST = 1_000  # moments in a walkthrough


class Key(NamedTuple):
    """What a moment is about. `unit` 0 means the whole layer, `layer` 0 (but for inputs) the whole network."""

    phase: Phase
    kind: str
    layer: int = 0
    unit: int = 0
    source: int = 0


@dataclass(frozen=True)
class Plan:
    """The keys in computing order, and the grain of every layer; `grains[0]` is layer 1's."""

    keys: tuple[Key, ...]
    grain: Grain
    grains: tuple[Grain, ...]

    @property
    def collapsed(self) -> tuple[int, ...]:
        """Layers, from 1, that are told more coarsely than was asked."""
        return tuple(k for k, grain in enumerate(self.grains, 1) if grain != self.grain)


def plan_of(spec: Spec, grain: Grain) -> Plan:
    """The plan of a step at a grain; layers with the most moments turn coarser until it has at most `MOST`."""
    searches = OPTIMIZERS[spec.optimizer].search is not None
    return _plan(spec.network, spec.penalized, searches, grain)


@lru_cache(maxsize=64)
def _plan(network: Network, penalty: bool, searches: bool, grain: Grain) -> Plan:
    grains: list[Grain] = [_finest(network, k, grain) for k in range(1, len(network.shapes) + 1)]
    while sum(counts := [_most(network, k, g, penalty) for k, g in enumerate(grains, 1)]) > MOST:
        largest = max(range(len(grains)), key=lambda k: counts[k])
        if grains[largest] not in ("operation", "unit"):
            break
        grains[largest] = GRAINS[GRAINS.index(grains[largest]) + 1]
    return Plan(tuple(_keys(network, grains, penalty, searches)), grain, tuple(grains))


def _finest(network: Network, k: int, grain: Grain) -> Grain:
    """The grain of a layer: of feature maps, and of what takes them, a channel is the smallest thing."""
    maps = network.image(k) or network.image(k - 1, network.given_kind(k - 1) if k > 1 else "")
    return "unit" if grain == "operation" and maps else grain


def _most(network: Network, k: int, grain: Grain, penalty: bool) -> int:
    """At most so many moments a layer takes."""
    (units, columns), more = network.shapes[k - 1], (k in network.shortcuts) + 2 * (k in network.dropouts)
    more += k in network.pools
    normed = k in network.norms
    each = {"operation": (4 + penalty) * columns + 4 + more + 6 * normed, "unit": 4 + more + 4 * normed}.get(grain, 0)
    return units * each + {"operation": normed, "unit": 2 + 2 * normed, "layer": 5 + more, "pass": 1}[grain]


def _keys(network: Network, grains: list[Grain], penalty: bool, searches: bool) -> Iterator[Key]:
    last = len(network.shapes)
    losses = [Key("loss", "loss"), Key("loss", "penalty")][: 1 + penalty]
    yield Key("forward", "inputs")
    if grains[0] == "pass":
        yield from (Key("forward", "forward"), *losses, Key("backward", "backward"), Key("update", "update"))
        yield Key("again", "again")
        return
    for k in range(1, last + 1):
        yield from _forward(network, k, grains[k - 1])
        each = (0,) if grains[k - 1] == "layer" else range(1, network.sizes[k] + 1)
        for letter in network.stages[k - 1]:
            if letter in _ATTACHED:
                yield from (Key("forward", _ATTACHED[letter], k, j) for j in each)
    yield from losses
    for k in range(last, 0, -1):
        yield from _backward(network, k, grains)
    for k in range(1, last + 1):
        yield from _update(network, k, grains[k - 1], penalty and not searches)
    yield Key("again", "again")


_ATTACHED = {"h": "dropout", "o": "shortcut", "v": "pool"}


def _forward(network: Network, k: int, grain: Grain) -> Iterator[Key]:
    units, columns = network.shapes[k - 1]
    # Softmax needs every z before it can give any a; and so does a normalization.
    normed = k in network.norms
    together = network.activations[k - 1].product is not None or normed
    if grain == "layer":
        yield Key("forward", "forward", k)
        return
    each = range(1, units + 1)
    if network.image(k):
        yield from (Key("forward", "window", k, j) for j in each)
        yield from (Key("forward", "map_norm", k, j) for j in each if normed)
        return
    for j in each:
        if grain == "unit":
            yield Key("forward", "z" if together else "forward", k, j)
            continue
        yield from (Key("forward", "product", k, j, i) for i in range(1, columns))
        yield from (Key("forward", "sum", k, j), Key("forward", "bias", k, j))
        if not together:
            yield Key("forward", "activation", k, j)
    if normed:
        yield from (Key("forward", "spread", k), *(Key("forward", "norm", k, j) for j in each))
    if together and grain == "unit" and not normed:
        yield Key("forward", "activation", k)
    elif together:
        yield from (Key("forward", "activation", k, j) for j in each)


def _backward(network: Network, k: int, grains: list[Grain]) -> Iterator[Key]:
    units, columns = network.shapes[k - 1]
    grain, output = grains[k - 1], k == len(network.shapes)
    alone = output and network.joined is not None
    together = network.activations[k - 1].product is not None and not alone
    if grain == "layer":
        yield from (Key("backward", "delta", k), Key("backward", "gradient", k))
        return
    each, normed = range(1, units + 1), k in network.norms
    if network.image(k):
        yield from (Key("backward", "map_back", k, j) for j in each)
        yield from (Key("backward", "map_ways", k, j) for j in each if normed)
        yield from (Key("backward", "kernel", k, j) for j in each)
        return
    if grain == "unit":
        if together:
            yield Key("backward", "da", k)
        if normed:
            yield from (Key("backward", "dn" if together else "came_back", k, j) for j in each)
            yield from _through_norm(k, each, Key("backward", "dxhat", k))
        else:
            yield from (Key("backward", "dz" if together else "delta", k, j) for j in each)
        yield from (Key("backward", "gradient", k, j) for j in each)
        return
    if not alone:
        for j in each:
            if not output and grains[k] == "operation":
                yield from (Key("backward", "product_back", k + 1, i, j) for i in range(1, network.sizes[k + 1] + 1))
            if k in network.dropouts:
                yield Key("backward", "dh", k, j)
            yield Key("backward", "da", k, j)
    if normed:
        yield from (Key("backward", "dn", k, j) for j in each)
        yield from _through_norm(k, each, *(Key("backward", "dxhat", k, j) for j in each))
    else:
        yield from (Key("backward", "delta" if alone else "dz", k, j) for j in each)
    for j in each:
        yield from (Key("backward", "dW", k, j, i) for i in range(1, columns))
        yield Key("backward", "db", k, j)


def _through_norm(k: int, each: range, *back: Key) -> Iterator[Key]:
    """Gains and shifts, then back to what is normalized, and from there over three ways."""
    yield from (Key("backward", "gains", k, j) for j in each)
    yield from back
    yield from (Key("backward", "three_ways", k, j) for j in each)


def _update(network: Network, k: int, grain: Grain, penalty: bool) -> Iterator[Key]:
    units, columns = network.shapes[k - 1]
    if grain == "layer":
        yield Key("update", "update", k)
        return
    for j in range(1, units + 1):
        if grain == "unit":
            yield Key("update", "update", k, j)
            continue
        for i in range(1, columns):
            if penalty:
                yield Key("update", "penalty_gradient", k, j, i)
            yield Key("update", "update_weight", k, j, i)
        yield Key("update", "update_bias", k, j)
        if k in network.norms:
            yield from (Key("update", "update_gain", k, j), Key("update", "update_shift", k, j))
