"""Trace: every number that one step computes, and the one that is the first to run out of range."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from engine.arrays import Floats, Ints, Value
from engine.checks import asked_of, integer
from engine.examples import examples_of
from engine.frames import frame
from engine.operations import behind
from engine.session import Session, examples_for, penalty_gradient, penalty_of
from engine.shown import Brief, table
from engine.spec import Spec, SpecError
from engine.state import Divergence, RunState, frozen, quickly
from engine.workspace import PASSES, Layout, Span, Workspace, layout_of

Drawn = Mapping[tuple[str, int], Floats]  # by name and layer
_PLAIN: dict[str, Any] = {"others": {}}  # what a layer has that has nothing behind its activation


@dataclass(frozen=True, repr=False, eq=False)
class NormTrace(Brief):
    """The normalization between a layer's sums and its activation, batch-first.

    `mean` and `spread` (the root of the variance and a little) are one number an example, (examples, 1), or one a unit,
    (1, units); of feature maps with two axes more. `xhat` is (z - mean) / spread and `n`, which the activation takes,
    gamma × xhat + beta; all of these (examples, units). `dn` and `dxhat` are what comes back there, and `dz_own`,
    `dz_mean` and `dz_spread` the three
    ways on from dxhat, which add up to the layer's dz. `gamma`, `beta`, their gradients and next values are (units,).
    Of a batch norm `running` has the means and variances, (2, units), that it takes where nobody trains.
    """

    mean: Floats
    spread: Floats
    xhat: Floats
    n: Floats
    dn: Floats
    gamma: Floats
    beta: Floats
    dgamma: Floats
    dbeta: Floats
    gamma_next: Floats
    beta_next: Floats
    running: Floats | None = None
    running_next: Floats | None = None

    @property
    def _axis(self) -> tuple[int, ...]:
        """What the mean is over: all but the examples, or all but the units."""
        return tuple(axis for axis in range(self.n.ndim) if axis != (0 if self.running is None else 1))

    @cached_property
    def dxhat(self) -> Floats:
        """What comes back to xhat."""
        return self.gamma.reshape(-1, *[1] * (self.n.ndim - 2)) * self.dn

    @property
    def dz_own(self) -> Floats:
        """Through the number itself."""
        return self.dxhat / self.spread

    @property
    def dz_mean(self) -> Floats:
        """Through the mean: alike for all that share it."""
        return np.broadcast_to(-self.dxhat.mean(axis=self._axis, keepdims=True) / self.spread, self.n.shape)

    @property
    def dz_spread(self) -> Floats:
        """Through the spread: the further from the mean, the more."""
        tilt: Floats = (self.dxhat * self.xhat).mean(axis=self._axis, keepdims=True)
        return -self.xhat * tilt / self.spread


@dataclass(frozen=True, repr=False, eq=False)
class LayerTrace(Brief):
    """One layer in one step, batch-first: z, a, da, dz (examples, units); W, dW (units, inputs); b, db (units,). Of a
    convolution they are (examples, channels, height, width), and W and dW (channels, channels below, height, width).

    `da` is dL/da and `dz` is dL/dz of the data's loss alone, `dW` and `db` likewise; `dW_penalty` is what
    regularization adds to dW. `W_next`, `b_next` are the parameters after the step. Where dropout follows the
    activation, `h` is what it lets through, `mask` × a, and `dh` what comes back to it; `v` is what a pool gives, and
    `dv` what comes back to that. `o` is what the layer gives
    where a shortcut adds to that; dL/do is dh, or da. `norm` is its normalization, which the activation follows: a is
    then of norm.n, not of z. What a layer has not is None. `others` has by name what any other operation behind
    the activation gives, gets back and keeps. `end` and `back_end` name what it gives, and what comes back to that.
    """

    activation: str
    W: Floats
    b: Floats
    z: Floats
    a: Floats
    da: Floats
    dz: Floats
    dW: Floats
    db: Floats
    dW_penalty: Floats
    W_next: Floats
    b_next: Floats
    o: Floats | None = None
    h: Floats | None = None
    dh: Floats | None = None
    mask: Floats | None = None
    norm: NormTrace | None = None
    v: Floats | None = None
    dv: Floats | None = None
    end: str = "a"
    back_end: str = "da"
    others: Mapping[str, Floats] = field(default_factory=dict)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Floats | None:
            """What has no field of its own; None for a letter of the table that the layer has not."""
            others = self.__dict__.get("others", {})
            if name not in others and behind(name) is None:
                raise AttributeError(name)
            return others.get(name)

    @property
    def bent(self) -> Floats:
        """What its activation takes, (examples, units): z, or norm.n."""
        return self.z if self.norm is None else self.norm.n

    @property
    def asked(self) -> Floats:
        """What comes back to that, (examples, units): dz, or norm.dn."""
        return self.dz if self.norm is None else self.norm.dn

    @property
    def gives(self) -> Floats:
        """What the layers above receive, (examples, units) or (examples, channels, height, width): o, v, h, or a."""
        return self.number(self.end)

    @property
    def back(self) -> Floats:
        """What comes back to what it gives: dv, dh, or da."""
        return self.number(self.back_end)

    def number(self, name: str) -> Floats:
        """Its numbers of this name, such as z, h or dh."""
        found: Floats = self.others[name] if name in self.others else getattr(self, name)
        return found


@dataclass(frozen=True, eq=False)
class Trace(Value):
    """Everything that one step computes, from a state: derived, never stored.

    `examples` are indices into the run's examples; x (examples, features), y (examples, outputs). `loss` is the data's,
    `gradient` its gradient as a flat vector, `recorded` the buffers z, a, da, dz and what some layers have besides, one
    after the other, as the passes left them. `t` counts the updates of the optimizer, this one included. `slots` and
    `slots_next` are its memory before and after, `running` and `running_next` what batch norms take where nobody
    trains.
    """

    spec: Spec
    step: int
    examples: Ints
    x: Floats
    y: Floats
    loss: float
    learning_rate: float
    t: int
    recorded: Floats
    gradient: Floats
    parameters: Floats
    parameters_next: Floats
    slots: Floats
    slots_next: Floats
    running: Floats
    running_next: Floats

    @cached_property
    def penalty(self) -> float:
        """What regularization adds to the loss."""
        with np.errstate(all="ignore"):
            return penalty_of(self.spec, self.parameters)

    @cached_property
    def penalty_gradient(self) -> Floats:
        """What regularization adds to the gradient, as a flat vector."""
        with np.errstate(all="ignore"):
            return penalty_gradient(self.spec, self.parameters)

    def passes(self, name: str) -> list[Floats]:
        """z, a, da or dz as the passes have it, feature-major: (units, examples) a layer."""
        recorded, count = self.recorded, len(self.examples)
        return [recorded[i * count : (j - 1) * count].reshape(-1, count) for i, j in self._layout.lane(name)]

    def bent(self) -> list[Floats]:
        """What the activations take, likewise: n where a normalization stands before one, else z."""
        spans = self._layout.spans
        return [self._pass(spans.get(("n", k), spans["z", k])) for k in range(1, len(self.spec.network.sizes))]

    @cached_property
    def _layout(self) -> Layout:
        return layout_of(self.spec.network)

    def __getstate__(self) -> dict[str, object]:
        return {name: part for name, part in self.__dict__.items() if name != "_layout"}  # has calls in it

    def _pass(self, span: Span) -> Floats:
        return self._block(span)[:-1]

    def _block(self, span: Span) -> Floats:
        count = len(self.examples)
        return self.recorded[span[0] * count : span[1] * count].reshape(-1, count)

    @cached_property
    def masks(self) -> dict[int, Floats]:
        """What dropout keeps, (units, examples) by layer from 1."""
        return {layer: mask for (name, layer), mask in self.drawn.items() if name == "mask"}

    @cached_property
    def drawn(self) -> dict[tuple[str, int], Floats]:
        """All that was drawn for the step, (units, examples) by name and layer."""
        return {drawn: self._block(self._layout.spans[drawn]) for drawn in self.spec.network.drawn}

    def _besides(self, layer: int) -> dict[str, Any]:
        """What layer `layer`, from 1, has that not every layer has, by name."""
        spans, network, numbers = self._layout.spans, self.spec.network, dict[str, Floats]()
        for letter in network.attached(layer):
            for name in (each for each in (letter, "d" + letter) if (each, layer) in spans):
                numbers[name] = self._seen(letter, layer, self._pass(spans[name, layer]))
            for name in network.saved(network.at(layer, letter)[0]):
                numbers[name] = self._seen(letter, layer, self._block(spans[name, layer]))
        declared = {name: each for name, each in numbers.items() if name in LayerTrace.__dataclass_fields__}
        found = {"end": network.given_kind(layer), "back_end": network.back_kind(layer), **declared}
        found["others"] = {name: each for name, each in numbers.items() if name not in declared}
        return found | ({"norm": self._norm(layer)} if layer in network.norms else {})

    def _seen(self, name: str, layer: int, block: Floats) -> Floats:
        """A block of a layer batch-first, of an image by channel and place."""
        image = self.spec.network.image(layer, name[-1])
        return block.T.reshape(-1, *image) if image else block.T.copy()

    def _norm(self, layer: int) -> NormTrace:
        spans = self._layout.spans
        given = {name: self._seen(name, layer, self._pass(spans[name, layer])) for name in ("n", "dn")}
        saved = {name: self._block(spans[name, layer]).T.copy() for name in ("mean", "spread")}
        saved["xhat"] = self._seen("n", layer, self._block(spans["xhat", layer]))
        if layer in self.spec.network.running:  # of a unit all examples share these
            saved |= {name: saved[name][:1] for name in ("mean", "spread")}
            for name, flat in (("running", self.running), ("running_next", self.running_next)):
                given[name] = self.spec.network.running_of(flat)[layer]
        places = [1] * (given["n"].ndim - 2)
        saved |= {name: saved[name].reshape(*saved[name].shape, *places) for name in ("mean", "spread")}
        flats = {"": self.parameters, "d": self.gradient, "_next": self.parameters_next}
        for letter in ("gamma", "beta"):
            for part, flat in flats.items():
                name = letter + part if part == "_next" else part + letter
                given[name] = self.spec.network.named(flat)[f"{letter}{layer}"]
        return NormTrace(**given, **saved)

    @cached_property
    def layers(self) -> tuple[LayerTrace, ...]:
        """The same numbers, layer by layer."""
        network = self.spec.network
        flats = (self.parameters, self.gradient, self.penalty_gradient, self.parameters_next)
        now, slope, pull, updated = map(network.layers, flats)
        passes = zip(*map(self._of_layers, PASSES), strict=True)
        parts = zip(network.activation_names, now, passes, slope, pull, updated, strict=True)
        more = self._layout.besides
        return tuple(
            quickly(
                LayerTrace, activation=name, W=W, b=b, z=z, a=a, da=da, dz=dz, dW=dW, db=db, dW_penalty=pulled,
                W_next=W_next, b_next=b_next, **(self._besides(k) if k in more else _PLAIN),
            )
            for k, (name, (W, b), (z, a, da, dz), (dW, db), (pulled, _), (W_next, b_next)) in enumerate(parts, 1)
        )  # fmt: skip

    def _of_layers(self, name: str) -> list[Floats]:
        blocks = self.passes(name)
        if not self.spec.network.has_images:
            return [block.T.copy() for block in blocks]
        return [self._seen(name, k, block) for k, block in enumerate(blocks, 1)]

    def __repr__(self) -> str:
        return f"Trace(step {self.step:,}, {len(self.examples)} examples, loss {self.loss:.4g})"

    def _repr_html_(self) -> str:
        """As a notebook shows it: its layers, with shapes and norms."""
        names = ("z", "a", "da", "dz", "dW", "db")
        rows = (
            (k, layer.activation, " × ".join(map(str, layer.W.shape)), *map(_norm, (getattr(layer, n) for n in names)))
            for k, layer in enumerate(self.layers, 1)
        )
        return f"<p>{escape(repr(self))}</p>" + table(("layer", "activation", "W", *(f"|{n}|" for n in names)), rows)

    def to_frame(self) -> Any:
        """A row a parameter, as a frame of pandas: its address, and the numbers that this step has for it."""
        columns = {"value": self.parameters, "gradient": self.gradient, "penalty_gradient": self.penalty_gradient}
        return frame({"address": list(self.spec.network.addresses())} | columns | {"next": self.parameters_next})

    def inputs_of(self, layer: int) -> Floats:
        """What layer `layer` (from 0) gives, (examples, units): x, or what a layer gives, an image as plain numbers."""
        gives = self.x if layer == 0 else self.layers[layer - 1].gives
        return gives if gives.ndim == 2 else gives.reshape(len(gives), -1)


def _norm(numbers: Floats) -> float:
    return float(np.sqrt(np.vdot(numbers, numbers)))


@asked_of(RunState)
def trace(state: RunState, example: int | None = None) -> Trace:
    """What the next step computes on its mini-batch; or, with `example`, what it would compute on that one alone. Where
    a batch norm mixes examples, that one is shown inside its mini-batch, as the first of it.

    Raises SpecError if there is no such example.
    """
    return _traced(state, examples_for(state, example))


@asked_of(RunState)
def trace_of(state: RunState, indices: Ints, masks: Mapping[int, Floats] | Drawn | None = None) -> Trace:
    """The trace of one step on the examples at `indices`; `masks` in place of what the step draws: by layer what
    dropout keeps, or all of it as a trace has it in `drawn`."""
    drawn = {key if isinstance(key, tuple) else ("mask", key): mask for key, mask in (masks or {}).items()}
    return _traced(state, _rows(indices, examples_of(state.spec).count), drawn or None)


def _traced(state: RunState, indices: Ints, masks: Drawn | None = None) -> Trace:
    with Session(state) as session, np.errstate(all="ignore"):
        workspace, x, y = session.chosen(indices, masks)
        workspace.forward(x)
        return update_traced(session, workspace, x, y, workspace.backward(x, y), indices)


def _rows(indices: Any, count: int) -> Ints:
    """Indices of examples as an array; SpecError for what are none."""
    if isinstance(indices, list | tuple):
        indices = np.array([integer(f"indices.{k}", each, 0, count - 1) for k, each in enumerate(indices)])
    whole = isinstance(indices, np.ndarray) and indices.ndim == 1 and indices.size and indices.dtype.kind in "iu"
    if whole and indices.min() >= 0 and indices.max() < count:
        return cast(Ints, indices)
    raise SpecError("indices", indices, "whole numbers from 0 to {count}, one at least", count=count - 1)


def update_traced(session: Session, workspace: Workspace, x: Floats, y: Floats, loss: float, indices: Ints) -> Trace:
    """Make the update of a step whose two passes are done; the trace of that step."""
    workspace.complete(y)
    recorded, gradient = workspace.recorded.copy(), session.gradient.copy()
    step, rate, parameters, slots = session.step, session.rate(), session.parameters.copy(), session.slots.copy()
    running = frozen(session.running.copy()) if session.running.size else session.running
    session.update(x, y, workspace)
    running_next = session.running.copy() if session.running.size else running
    return quickly(
        Trace, spec=session.spec, step=step, examples=indices, x=x[:-1].T.copy(), y=y.T.copy(), loss=loss,
        learning_rate=rate, t=session.t, recorded=recorded, gradient=gradient,
        parameters=frozen(parameters), parameters_next=session.parameters.copy(),
        slots=frozen(slots), slots_next=session.slots.copy(), running=running, running_next=running_next,
    )  # fmt: skip


def diagnose(state: RunState, examples: Ints | None = None) -> Divergence | None:
    """The first number of the next step that is not finite, in the order in which it is computed; None if all are.

    The step on its mini-batch, or on these examples.
    """
    for layer, quantity, numbers in _in_order(
        _traced(state, examples_for(state, None) if examples is None else examples)
    ):
        if not np.isfinite(numbers).all():
            return Divergence(state.step, layer, quantity)
    return None


def _in_order(step: Trace) -> Iterator[tuple[int, str, Floats | float]]:
    """Every quantity of a step as it comes to be: its layer from 1, or 0 for what belongs to none, its name, itself."""
    upwards = list(enumerate(step.layers, 1))
    for k, layer in upwards:
        yield k, "z", layer.z
        if layer.norm is not None:
            yield k, "n", layer.norm.n
        yield from ((k, name, layer.number(name)) for name in step.spec.network.stages[k - 1] if name not in "zn")
    yield 0, "loss", step.loss
    for k, layer in upwards[::-1]:
        # A joined output's dz is not made of its da, which may be beyond any number where a is next to 0 or 1.
        names = ("dz", "dW", "db") if k == len(step.layers) and step.spec.network.joined else ("da", "dz", "dW", "db")
        back = (f"d{letter}" for letter in reversed(step.spec.network.behind(k)))
        found = [(k, name, layer.number(name)) for name in (*back, *names)]
        if layer.norm is not None:
            found.insert(-3, (k, "dn", layer.norm.dn))
        yield from found
    yield 0, "memory", step.slots_next
    named = step.spec.network.named(step.parameters_next)
    for each in step.spec.network.parameters:
        yield each.layer, f"{each.letter}_next", named[f"{each.letter}{each.layer}"]
