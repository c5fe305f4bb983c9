"""RunState: a run as a value, at its start or after any number of steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, TypeVar

import numpy as np

from engine.arrays import Floats, Value
from engine.checks import asked_of
from engine.examples import WEIGHTS
from engine.initializers import INITIALIZERS
from engine.network import first_running
from engine.optimizers import OPTIMIZERS
from engine.spec import Spec

T = TypeVar("T")


@dataclass(frozen=True)
class Divergence:
    """Where the numbers ran out: the step that would come next has a number that is not finite.

    `layer` counts from 1, 0 for what belongs to none; `quantity` is z, n, a, h, o, loss, dh, da, dn, dz, dW, db,
    memory, or the next value of a parameter, such as W_next.
    """

    step: int
    layer: int
    quantity: str

    @classmethod
    def recalled(cls, told: Mapping[str, Any]) -> "Divergence":
        """From its fields as they were kept; release 0.1.0 kept a sentence beside them."""
        return cls(told["step"], told["layer"], told["quantity"])


@dataclass(frozen=True, eq=False)
class RunState(Value):
    """A run after `step` updates. `parameters` (size,) and `slots` (memory of the optimizer, size) are read-only.

    Two states are equal that have the same spec, counts and numbers, to the bit.

    `epoch` counts passes over the training set begun before this one and `cursor` the examples used of it; `forwards`
    counts how often the model was run on a batch so far, which is what trial and error pays with. `optimizer_since` is
    the step at which the optimizer began with nothing remembered, from which its own t counts. `running` has the means
    and variances that batch norms take where nobody trains.
    """

    spec: Spec
    step: int
    epoch: int
    cursor: int
    forwards: int
    parameters: Floats
    slots: Floats
    divergence: Divergence | None = None
    optimizer_since: int = 0
    running: Floats = field(default_factory=lambda: frozen(np.zeros(0)))

    def __repr__(self) -> str:
        units = "-".join(map(str, self.spec.network.sizes))
        end = f", diverged in {self.divergence.quantity}" if self.divergence else ""
        return f"RunState({self.spec.dataset}, {units}, step {self.step:,}{end})"

    def _repr_html_(self) -> str:
        """As a notebook shows it: its network, every weight as a link."""
        return f"<p>{escape(repr(self))}</p>{self.spec.network.drawing(self.parameters)}"


@asked_of(Spec)
def start(spec: Spec) -> RunState:
    """The run before its first step."""
    network = spec.network
    if spec.parameters is not None:
        parameters = np.array(spec.parameters)
    else:
        rng, draw = np.random.default_rng([spec.seed, WEIGHTS]), INITIALIZERS[spec.initializer].draw
        parameters = np.zeros(network.size)
        for each in network.parameters:
            drawn = draw(rng, each.fan_in, each.fan_out, each.shape) if each.is_weight else each.first
            each.of(parameters)[...] = drawn
    return RunState(spec, 0, 0, 0, 0, frozen(parameters), no_memory(spec), running=frozen(first_running(network)))


def no_memory(spec: Spec) -> Floats:
    """The optimizer's slots before its first update."""
    return frozen(np.zeros((len(OPTIMIZERS[spec.optimizer].slots), spec.network.size)))


def quickly(kind: type[T], **fields: Any) -> T:
    """A frozen value of its fields, those left out as the class has them, in a third of the time that its own __init__
    takes to get past the freeze."""
    made = object.__new__(kind)
    object.__setattr__(made, "__dict__", fields)
    return made


def frozen(array: Floats) -> Floats:
    """The same array, from now on read-only."""
    array.setflags(write=False)
    return array
