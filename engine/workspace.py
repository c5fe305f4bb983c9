"""One network at one batch size: its buffers, and all its nodes' calls bound to them, so that a pass is a plain loop.

What is general happens here, once: where every block stands, which neighbours share a call, who writes a gradient
first and who adds to it. A step is one list of bound calls, whatever the network is made of.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import chain
from typing import NamedTuple

import numpy as np

from engine.arrays import Floats
from engine.network import Network
from engine.operations.base import NOTHING, Call, Node, Operation, Place

PASSES = ("z", "a", "da", "dz")  # what both passes compute of every layer
Span = tuple[int, int]  # of rows, from and up to
NOWHERE: Span = (0, 0)


@dataclass(frozen=True)
class Wiring:
    """Where one node's blocks stand: what it takes and gives, and what comes back to it.

    For each input, `into` is where its gradient stands, NOWHERE if nobody asks for it, and `own` where the node's own
    contribution goes: the same, or to scratch, to be added, if another node has written there before, on the way back.
    `matrix` is the place of its matrix among all, None for none. `saved` is what it keeps from its way forward.
    """

    node: Node
    operation: Operation
    matrix: int | None
    inputs: tuple[Span, ...]
    out: Span
    back: Span
    slope: Span
    into: tuple[Span, ...]
    own: tuple[Span, ...]
    saved: tuple[Span, ...]


class SlopeRun(NamedTuple):
    """Neighbours with one derivative: the first of them, and the spans of what they take, of what they give, and of
    their slopes."""

    first: Wiring
    taken: Span
    given: Span
    slopes: Span

    def adjoins(self, other: "SlopeRun") -> bool:
        """Whether the other begins where this one ends, in all three."""
        return all(one[1] == after[0] for one, after in zip(self[1:], other[1:], strict=True))

    def joined(self, other: "SlopeRun") -> "SlopeRun":
        """Both in one."""
        taken, given, slopes = ((one[0], after[1]) for one, after in zip(self[1:], other[1:], strict=True))
        return SlopeRun(self.first, taken, given, slopes)


@dataclass(frozen=True)
class Layout:
    """Where every block of a workspace stands in one flat buffer, in rows, each as long as there are examples.

    Blocks of one name stand side by side, so that neighbours can share a call. `spans` are theirs, by name and layer:
    what nodes give by its letter, such as z, a, h, with a d before it what comes back there, and what they save by
    its name, such as mask, xhat, or cols, what a convolution's places look at; slope is a derivative, x a copy of x
    where it is not left open, and scratch a second contribution to a gradient. What passes back what it gets, as a
    shortcut's o, has no block for that: what comes back to it stands in its layer's da. The first `recorded` rows, of
    the blocks of these `names`, are what a trace keeps.
    """

    names: tuple[str, ...]
    spans: dict[tuple[str, int], Span]
    wirings: tuple[Wiring, ...]
    runs: tuple[SlopeRun, ...]
    recorded: int
    total: int

    def lane(self, name: str) -> list[Span]:
        """The spans of one name, layer after layer."""
        return self._lanes.get(name, [])

    @cached_property
    def besides(self) -> frozenset[int]:
        """The layers that have more than what every layer has."""
        return frozenset(k for name, k in self.spans if name in self.names and name not in PASSES)

    @cached_property
    def _lanes(self) -> dict[str, list[Span]]:
        lanes: dict[str, list[Span]] = {}
        for (name, _), span in self.spans.items():
            lanes.setdefault(name, []).append(span)
        return lanes


@lru_cache(maxsize=64)
def layout_of(network: Network) -> Layout:
    """The layout of a network, for any number of examples."""
    told, work = _lanes(network)
    lanes = told | work
    spans: dict[tuple[str, int], Span] = {}
    end = 0
    for name, rows in lanes.items():
        for k, count in rows.items():
            spans[name, k] = (end, end + count)
            end += count
    several = any(len(node.inputs) > 1 for node in network.nodes)  # else nothing is ever used twice
    scratch = sorted({width + 1 for width in network.widths}) if several else [0]
    spans |= {("scratch", rows): (end, end + rows) for rows in scratch}
    wirings = _wirings(network, spans)
    recorded = sum(sum(rows.values()) for rows in told.values())
    return Layout(tuple(told), spans, wirings, _runs(wirings, network.joined is not None), recorded, end + scratch[-1])


def _lanes(network: Network) -> tuple[dict[str, dict[int, int]], dict[str, dict[int, int]]]:
    """How many rows the blocks have, by name and layer: those that a trace keeps, and those that are but worked in."""
    told: dict[str, dict[int, int]] = {name: {} for name in PASSES}
    work = {"slope": told["a"]}
    for value, (node, entry) in enumerate(network.entries, 1):
        for name in (entry.letter,) if entry.passes else (entry.letter, "d" + entry.letter):
            told.setdefault(name, {})[node.layer] = network.widths[value] + 1
        for name, count in network.saved(node).items():  # what begins a layer keeps its own to itself
            (told if entry.rank else work).setdefault(name, {})[node.layer] = count
    return told, work if network.x_is_open else work | {"x": {0: network.inputs + 1}}


def _wirings(network: Network, spans: dict[tuple[str, int], Span]) -> tuple[Wiring, ...]:
    out = [spans.get(("x", 0), NOWHERE)]
    back = [NOWHERE]
    for node, entry in network.entries:
        out.append(spans[entry.letter, node.layer])
        back.append(back[node.inputs[0]] if entry.passes else spans["d" + entry.letter, node.layer])
    written, found = set[Span](), list[Wiring]()
    for value, _, node, entry, matrix, *_ in reversed(network.order):
        into = tuple(NOWHERE if back[v] == back[value] else back[v] for v in node.inputs)
        own = tuple(spans["scratch", span[1] - span[0]] if span in written else span for span in into)
        written |= {*into} - {NOWHERE}
        slope = spans["slope", node.layer] if entry.slope(node) else NOWHERE
        inputs = tuple(out[v] for v in node.inputs)
        saved = tuple(spans[name, node.layer] for name in network.saved(node))
        found.append(Wiring(node, entry, matrix, inputs, out[value], back[value], slope, into, own, saved))
    return tuple(found[::-1])


def _runs(wirings: tuple[Wiring, ...], joined: bool) -> tuple[SlopeRun, ...]:
    """Neighbours share a call for their slopes if their blocks adjoin both where they take and where they give."""
    runs: list[SlopeRun] = []
    for wiring in wirings[: -1 if joined else None]:
        slope = wiring.operation.slope(wiring.node)
        if slope is None:
            continue
        own = SlopeRun(wiring, wiring.inputs[0], wiring.out, wiring.slope)
        if runs and runs[-1].first.operation.slope(runs[-1].first.node) is slope and runs[-1].adjoins(own):
            own = runs.pop().joined(own)
        runs.append(own)
    return tuple(runs)


def _brought(wiring: Wiring, at: Place, blocks: dict[Span, Floats]) -> Iterator[Call]:
    """The calls that bring a node's contributions to where they belong, if it has not written them there."""
    for span, own, into in zip(wiring.into, wiring.own, at.into, strict=True):
        brought = at.d_out if wiring.operation.passes else into
        if brought is not None and own != span:
            yield np.add, blocks[span], brought, blocks[span]
        elif into is not None and wiring.operation.passes:
            yield np.positive, brought, into


def _nothing(x: Floats, out: Floats) -> None:
    """What a pass does with x where all that takes it has taken a copy."""


class Workspace:
    """Buffers for one network at one batch size, and the two passes over them.

    `parameters` and `gradient` are flat vectors that the caller owns; the passes read the one and write the other.
    Every buffer keeps room for the row of ones, so that all of them line up and the slopes of many layers are taken in
    one call. Per layer, `z`, `a`, `da` and `dz` are (units, examples), and `recorded` is all of them, and after them
    what some layers have besides. `masks`, (units, examples) by name and layer, are what is drawn, such as what dropout
    keeps: the caller fills them before a pass. `statistics` are, by layer, the mean and the spread of what each unit
    has in the batch that a batch norm met last.
    """

    def __init__(self, network: Network, parameters: Floats, gradient: Floats, examples: int) -> None:
        self.network, self.layout, self._examples = network, layout_of(network), examples
        self.scale = np.array(network.loss.scale(network.sizes[-1], examples))
        self._all = np.zeros(self.layout.total * examples)
        self._recorded = self._all[: self.layout.recorded * examples]
        blocks = {span: self._rows(span).reshape(-1, examples) for span in (NOWHERE, *self.layout.spans.values())}
        for wiring in self.layout.wirings:
            if wiring.operation.rank or not wiring.operation.matrix:
                blocks[wiring.out].fill(1.0)
        for span in self.layout.lane("x"):
            blocks[span].fill(1.0)
        self.z, self.a, self.da, self.dz = ([blocks[span][:-1] for span in self.layout.lane(name)] for name in PASSES)
        self.masks = {drawn: blocks[self.layout.spans[drawn]] for drawn in network.drawn}
        spans = {k: [self.layout.spans[name, k] for name in ("mean", "spread")] for k in network.running}
        self.statistics = {k: (blocks[mean][:, 0], blocks[spread][:, 0]) for k, (mean, spread) in spans.items()}
        self._plan(network.matrices(parameters), network.matrices(gradient), blocks)

    def _rows(self, span: Span) -> Floats:
        """The numbers of a span, flat."""
        return self._all[span[0] * self._examples : span[1] * self._examples]

    def _plan(self, W: list[Floats], dW: list[Floats], blocks: dict[Span, Floats]) -> None:
        """Bind every call of both passes to its arrays once, so that a pass is one plain loop over its calls.

        Only the calls that meet x are left open.
        """
        forward, backward = list[Call](), list[list[Call]]()
        self._take_x: tuple[Callable[[Floats, Floats], object], Floats]
        self._take_x = np.positive, blocks[self.layout.spans.get(("x", 0), NOWHERE)]
        self._dW_into: tuple[Callable[[Floats, Floats], object], Floats] = _nothing, NOTHING
        for wiring in self.layout.wirings:
            node, operation, own = wiring.node, wiring.operation, wiring.matrix
            matrix, gradient = (NOTHING, NOTHING) if own is None else (W[own], dW[own])
            at = Place(
                [blocks[span] for span in wiring.inputs],
                blocks[wiring.out],
                matrix,
                gradient,
                blocks[wiring.back],
                [None if span == NOWHERE else blocks[span] for span in wiring.own],
                blocks[wiring.slope],
                [blocks[span] for span in wiring.saved],
            )
            takes_x = node.inputs == (0,)
            if takes_x and self.network.x_is_open:
                self._take_x = matrix.dot, at.out[:-1]
            else:
                forward += operation.forward(node, at.inputs, at.out, matrix, at.saved)
            if takes_x and operation.on_x:
                self._dW_into = at.d_out[:-1].dot, gradient
            else:
                backward.append([*operation.backward(node, at), *_brought(wiring, at, blocks)])
        if self.network.joined:
            backward.pop()
        slopes = ((run.first.operation.slope(run.first.node), *map(self._rows, run[1:])) for run in self.layout.runs)
        self._forward = [partial(call[0], *call[1:]) for call in forward]
        self._backward = [partial(call[0], *call[1:]) for call in chain(slopes, *backward[::-1])]
        self._loss = self._bind_loss()

    def _bind_loss(self) -> Callable[[Floats], float]:
        z, a, da, dz, scale, joined = self.z[-1], self.a[-1], self.da[-1], self.dz[-1], self.scale, self.network.joined
        if joined:
            value_and_dz = joined.value_and_dz
            return lambda y: value_and_dz(z, a, y, scale, dz)
        value_and_gradient = self.network.loss.value_and_gradient
        return lambda y: value_and_gradient(a, y, scale, da)

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
        take, out = self._take_x
        take(x, out)
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
