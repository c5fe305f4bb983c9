"""The order in which one step is computed, as cheap keys: which moments there are, before any of them is written.

A layer that would take too many moments is told more coarsely, so that a walkthrough stays short enough to walk.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

from app.draw.maps import flattens, told_of
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
    grains: list[Grain] = [grain] * len(network.shapes)
    while sum(counts := [_most(network, k, g, penalty) for k, g in enumerate(grains, 1)]) > MOST:
        largest = max(range(len(grains)), key=lambda k: counts[k])
        if grains[largest] not in ("operation", "unit"):
            break
        grains[largest] = GRAINS[GRAINS.index(grains[largest]) + 1]
    return Plan(tuple(_keys(network, grains, penalty, searches)), grain, tuple(grains))


def _most(network: Network, k: int, grain: Grain, penalty: bool) -> int:
    """At most so many moments a layer takes."""
    units, columns = network.sizes[k], told_of(network, k) + 1
    more = len(network.attached(k)) + sum(kind_of(network, k, letter) != POOL for letter in network.behind(k))
    normed = k in network.norms
    products = 3 if network.image(k) else 2 if flattens(network, k) else 4 + penalty  # moments for each of them
    each = {"operation": products * columns + 4 + more + 6 * normed, "unit": 4 + more + 4 * normed}.get(grain, 0)
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
        yield from _moments("forward", k, each, *(kind_of(network, k, letter) for letter in network.attached(k)))
    yield from losses
    for k in range(last, 0, -1):
        yield from _backward(network, k, grains)
    for k in range(1, last + 1):
        yield from _update(network, k, grains[k - 1], penalty and not searches)
    yield Key("again", "again")


POOL = "pool"  # the moment of what looks at more than one place


def kind_of(network: Network, k: int, letter: str) -> str:
    """The kind of the moment that tells what stands behind an activation: its operation's name."""
    _, entry = network.at(k, letter)
    return entry.name if entry.equation else POOL


def letter_of(network: Network, key: Key) -> str:
    """The letter of what a moment makes of what stands behind an activation, or of what comes back to that; nothing for
    any other moment."""
    _, kind, k, *_ = key
    letters = network.attached(k) if k else ""
    if key.phase == "backward":
        return next((letter for letter in letters if kind == f"d{letter}"), "")
    return next((letter for letter in letters if kind == kind_of(network, k, letter)), "")


def _moments(phase: Phase, k: int, units: Iterable[int], *kinds: str) -> list[Key]:
    """Kind after kind, a moment for each of these units."""
    return [Key(phase, kind, k, j) for kind in kinds for j in units]


def _forward(network: Network, k: int, grain: Grain) -> list[Key]:
    own, normed, sources = range(1, network.sizes[k] + 1), k in network.norms, told_of(network, k)
    each, whole = (partial(_moments, "forward", k, some) for some in (own, (0,)))
    # Softmax needs every z before it can give any a; and so does a normalization.
    together = network.activations[k - 1].product is not None or normed
    if grain == "layer":
        return whole("forward")
    if network.image(k):
        made = [key for j in own for key in _window(k, j, sources if grain == "operation" else 0)]
        return [*made, *(each("map_norm") if normed else [])]
    norm = [*whole("spread"), *each("norm")] if normed else []
    if grain == "unit":
        together_a = each("activation") if normed else whole("activation")
        return [*each("z"), *norm, *together_a] if together else each("forward")
    made, then = list[Key](), ("sum", "bias") if together else ("sum", "bias", "activation")
    for j in own:
        made += [Key("forward", "product", k, j, i) for i in range(1, sources + 1)]
        made += _moments("forward", k, (j,), *then)
    return [*made, *norm, *(each("activation") if together else [])]


def _window(k: int, j: int, kernels: int) -> Iterator[Key]:
    """A channel, after each kernel by itself."""
    yield from (Key("forward", "product", k, j, i) for i in range(1, kernels + 1))
    yield Key("forward", "window", k, j)


def _backward(network: Network, k: int, grains: list[Grain]) -> list[Key]:
    grain, output = grains[k - 1], k == len(network.shapes)
    own, normed = range(1, network.sizes[k] + 1), k in network.norms
    each, whole = (partial(_moments, "backward", k, some) for some in (own, (0,)))
    alone = output and network.joined is not None
    together = network.activations[k - 1].product is not None and not alone
    if grain == "layer":
        return whole("delta", "gradient")
    if network.image(k):
        back = [key for j in own for key in (*_products_back(network, k, j, grains), Key("backward", "map_back", k, j))]
        back += each("map_ways") if normed else []
        return back + (_kernels(network, k) if grain == "operation" else each("kernel"))
    if grain == "unit":
        made = whole("da") if together else []
        if normed:  # gains and shifts, then back to what is normalized, and from there over three ways
            made += [*each("dn" if together else "came_back", "gains"), *whole("dxhat"), *each("three_ways")]
            return [*made, *each("gradient")]
        return [*made, *each("dz" if together else "delta", "gradient")]
    made = [] if alone else [key for j in own for key in _came_back(network, k, j, grains)]
    made += each("dn", "gains", "dxhat", "three_ways") if normed else each("delta" if alone else "dz")
    if flattens(network, k):
        return [*made, *each("gradient")]
    for j in own:
        made += [Key("backward", "dW", k, j, i) for i in range(1, told_of(network, k) + 1)]
        made.append(Key("backward", "db", k, j))
    return made


def _came_back(network: Network, k: int, j: int, grains: list[Grain]) -> Iterator[Key]:
    """What comes back to a unit, product by product where the layer above is told so."""
    yield from _products_back(network, k, j, grains)
    yield from _moments("backward", k, (j,), *(f"d{letter}" for letter in reversed("a" + network.behind(k))))


def _products_back(network: Network, k: int, j: int, grains: list[Grain]) -> Iterator[Key]:
    if k < len(network.shapes) and grains[k] == "operation" and told_of(network, k + 1):
        yield from (Key("backward", "product_back", k + 1, i, j) for i in range(1, network.sizes[k + 1] + 1))


def _kernels(network: Network, k: int) -> list[Key]:
    """Of every kernel a weight, and what belongs to its channel as a whole."""
    made = list[Key]()
    for j in range(1, network.sizes[k] + 1):
        made += [Key("backward", "dW", k, j, i) for i in range(1, told_of(network, k) + 1)]
        made += _moments("backward", k, (j,), "db", *(["gains"] if k in network.norms else []))
    return made


def _update(network: Network, k: int, grain: Grain, penalty: bool) -> Iterator[Key]:
    units, columns = network.shapes[k - 1]
    if grain != "operation" or network.image(k) or flattens(network, k):
        yield from _moments("update", k, (0,) if grain == "layer" else range(1, units + 1), "update")
        return
    for j in range(1, units + 1):
        for i in range(1, columns):
            if penalty:
                yield Key("update", "penalty_gradient", k, j, i)
            yield Key("update", "update_weight", k, j, i)
        gains = ("update_gain", "update_shift") if k in network.norms else ()
        yield from _moments("update", k, (j,), "update_bias", *gains)
