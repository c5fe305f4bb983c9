"""A trace as a list of moments in computing order: the pure function behind the walkthrough.

The list is lazy: its length and what every moment computes are known at once, a moment is written when it is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import overload

import numpy as np

from app.draw.diagram import LINKS_AT_MOST
from app.explain.faces_backward import BACKWARD
from app.explain.faces_forward import FORWARD
from app.explain.faces_update import UPDATE
from app.explain.moments import GRAINS, Moment, Phase, say
from app.explain.plan import Key, Plan, plan_of
from app.explain.program import Program, program
from app.explain.scene import Scene
from engine import OPTIMIZERS, SpecError, Trace

_FACES = FORWARD | BACKWARD | UPDATE


class Walkthrough(Sequence[Moment]):
    """The moments of one step. Compares by identity; its trace and plan are values."""

    def __init__(self, trace: Trace, plan: Plan) -> None:
        self.trace, self.plan = trace, plan
        self._scene = Scene(trace)
        self._written: dict[int, Moment] = {}

    def __len__(self) -> int:
        return len(self.plan.keys)

    @overload
    def __getitem__(self, index: int) -> Moment: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Moment, ...]: ...
    def __getitem__(self, index: int | slice) -> Moment | tuple[Moment, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(f"moment {index} of {len(self)}")
        index %= len(self)
        if index not in self._written:
            opens = any(index == first for _, first, _ in self.phases)
            self._written[index] = _moment(self._scene, self.program, self.plan.keys[index], index, opens)
        return self._written[index]

    @cached_property
    def program(self) -> Program:
        """The step as a NumPy program; each moment's `code_line` is a line of it."""
        return program(self.trace)

    @cached_property
    def phases(self) -> tuple[tuple[Phase, int, int], ...]:
        """(phase, index of its first moment, how many it has), in order: the parts of the bar."""
        found, start = [], 0
        for phase, keys in groupby(self.plan.keys, key=lambda key: key.phase):
            count = len(list(keys))
            found.append((phase, start, count))
            start += count
        return tuple(found)

    @property
    def collapsed(self) -> str:
        """One sentence if some layer is told more coarsely than was asked, else ""."""
        told: list[str] = []
        for k in self.plan.collapsed:
            by = {"unit": "unit by unit", "layer": "as a whole"}[self.plan.grains[k - 1]]
            told.append(f"{self._scene.layer_name(k)} {by}")
        return f"So that it stays short enough to walk, this tells {', '.join(told)}." if told else ""


@dataclass(frozen=True)
class Known:
    """The quantities computed so far: `"dW2.1.3" in known`. A whole unit or layer stands for all that is in it."""

    quantities: frozenset[str]

    def __contains__(self, quantity: str) -> bool:
        if quantity in self.quantities:
            return True
        short, dot, _ = quantity.rpartition(".")
        return bool(dot) and short in self


def walkthrough(trace: Trace, granularity: str = "unit") -> Walkthrough:
    """The moments of the trace's step, in computing order; SpecError for another granularity.

    Operation: each product, sum, bias, activation, gradient, parameter. Unit and layer take these together; pass has
    one moment each for forward, loss, backward and update.
    """
    for grain in GRAINS:
        if grain == granularity:
            return Walkthrough(trace, plan_of(trace.spec, grain))
    raise SpecError("granularity", granularity, "one of: " + ", ".join(GRAINS))


def known(moments: Walkthrough, index: int) -> Known:
    """What is computed up to and including moment `index`; nothing before the first, for -1."""
    sizes = moments.trace.spec.network.sizes
    alone = moments.trace.spec.network.joined is not None
    keys = moments.plan.keys[: index + 1]
    return Known(frozenset(target for key in keys for target in targets_of(key, sizes, alone)))


def targets_of(key: Key, sizes: tuple[int, ...], alone: bool) -> tuple[str, ...]:
    """The quantities that a moment computes, as `Moment.targets` spells them."""
    _, kind, k, j, i = key
    last = len(sizes) - 1
    layers = range(1, last + 1) if k == 0 else (k,)
    if kind in _WHOLE and j == 0:
        return tuple(f"{name}{layer}" for layer in layers for name in _WHOLE[kind])
    if kind == "delta" and k == last and alone:
        return (f"da{k}.{j}", f"delta{k}.{j}")
    return tuple(pattern.format(k=k, j=j, i=i) for pattern in _TARGETS[kind])


_WHOLE = {
    "forward": ("z", "a"), "activation": ("a",), "da": ("da",), "delta": ("da", "delta"), "gradient": ("dW", "db"),
    "backward": ("da", "delta", "dW", "db"), "update": ("W", "b"),
}  # fmt: skip
_TARGETS = {
    "inputs": ("a0",), "product": ("p{k}.{j}.{i}",), "sum": ("s{k}.{j}",), "bias": ("z{k}.{j}",), "z": ("z{k}.{j}",),
    "activation": ("a{k}.{j}",), "forward": ("z{k}.{j}", "a{k}.{j}"), "loss": ("loss",), "penalty": ("penalty",),
    "product_back": ("q{k}.{j}.{i}",), "da": ("da{k}.{j}",), "dz": ("delta{k}.{j}",),
    "delta": ("da{k}.{j}", "delta{k}.{j}"), "dW": ("dW{k}.{j}.{i}",), "db": ("db{k}.{j}",),
    "gradient": ("dW{k}.{j}", "db{k}.{j}"), "penalty_gradient": ("dR{k}.{j}.{i}",),
    "update_weight": ("W{k}.{j}.{i}",), "update_bias": ("b{k}.{j}",), "update": ("W{k}.{j}", "b{k}.{j}"),
}  # fmt: skip


def _moment(scene: Scene, code: Program, key: Key, index: int, opens: bool) -> Moment:
    """The moment of a key; `opens` if it is the first of its phase."""
    with np.errstate(all="ignore"):  # a run that diverges is looked at as well
        face = _FACES[key.kind](scene, key)
    network, total, words = scene.trace.spec.network, face.total, face.words
    if OPTIMIZERS[scene.trace.spec.optimizer].search and key.phase == "backward" and opens:
        words += say(" Trial and error uses nothing of this way back: it is shown to compare.")
    return Moment(
        index, key.phase, key.kind, key.layer, (key.unit,) if key.unit else (),
        targets_of(key, network.sizes, network.joined is not None), _focus(key), _nodes(scene, key), _links(scene, key),
        "forward" if key.phase == "forward" else "backward" if key.phase == "backward" else None,
        words, face.symbols, face.numbers, code.line_of(*face.code), face.values,
        total.terms if total else (), total.rest if total else 0.0, total.left_out if total else 0,
    )  # fmt: skip


def _focus(key: Key) -> str | None:
    _, kind, k, j, i = key
    if i:
        return f"W{k}.{j}.{i}"
    if kind in ("bias", "db", "update_bias"):
        return f"b{k}.{j}"
    return f"a{k}.{j}" if j else None


def _nodes(scene: Scene, key: Key) -> tuple[str, ...]:
    """The nodes that a moment lights: its unit and, on a link, the unit at the other end; a whole layer by its id."""
    _, kind, k, j, i = key
    if kind == "inputs":
        return ("layer-0",)
    if kind in ("loss", "penalty"):
        return (f"layer-{scene.last}",)
    if k == 0:
        return tuple(f"layer-{layer}" for layer in range(scene.last + 1))
    if j == 0:
        return (f"layer-{k}",)
    at_bias = kind in ("bias", "db", "update_bias")
    return (f"node-{k}-{j}", *([f"bias-{k}-{j}"] if at_bias else []), *([f"node-{k - 1}-{i}"] if i else []))


def _links(scene: Scene, key: Key) -> tuple[str, ...]:
    """The links that a moment lights; none of a layer that is too wide to draw them."""
    _, kind, k, j, i = key
    if k == 0 or kind in ("bias", "db", "update_bias", "inputs", "activation", "dz"):
        return ()
    if i:
        return (f"link-{k}-{j}-{i}",) if _drawn(scene, k) else ()
    if kind in ("da", "delta"):
        return _fan_out(scene, k, j)
    if not _drawn(scene, k):
        return ()
    units = (j,) if j else range(1, scene.sizes[k] + 1)
    return tuple(f"link-{k}-{unit}-{source}" for unit in units for source in range(1, scene.sizes[k - 1] + 1))


def _fan_out(scene: Scene, k: int, j: int) -> tuple[str, ...]:
    """The outgoing links, over which a hidden unit's dL/da comes back."""
    if k == scene.last or not _drawn(scene, k + 1):
        return ()
    units = (j,) if j else range(1, scene.sizes[k] + 1)
    return tuple(f"link-{k + 1}-{above}-{unit}" for unit in units for above in range(1, scene.sizes[k + 1] + 1))


def _drawn(scene: Scene, k: int) -> bool:
    return scene.sizes[k] * scene.sizes[k - 1] <= LINKS_AT_MOST
