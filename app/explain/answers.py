"""What the looks into one step answer, as values made of the engine's.

Their JSON and their schemas are made of these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.explain.moments import Grain, Moment, Phase
from app.explain.receipts import Receipt
from app.explain.walkthrough import Walkthrough
from app.run.shapes import plain
from app.words.health import advice
from engine import RunState, SpecError, Trace
from engine.along import Along
from engine.arrays import Floats, Ints
from engine.health import Complaint, LayerHealth, health, spread
from engine.maps import Plane
from engine.paths import Paths
from engine.probed import Check, Contour, Nudge, Slice, Wishes


@dataclass(frozen=True)
class Stretch:
    """One phase of a walkthrough: the index of its first moment, and how many it has."""

    phase: Phase
    first: int
    count: int


@dataclass(frozen=True)
class Walked:
    """One step in computing order. `code` is the whole step as a NumPy program; `collapsed` says what is shortened."""

    step: int
    examples: Ints
    granularity: Grain
    count: int
    collapsed: str
    phases: tuple[Stretch, ...]
    code: tuple[str, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class OneWish:
    """What one example wants: the length of its own gradient, how far it agrees with the batch's (cosine from -1 to
    1, null if there is nothing to compare), and its gradient at the address that was asked about.
    """

    example: int
    length: float
    cosine: float
    wish: float | None
    gradient: Floats | None


@dataclass(frozen=True)
class Wished:
    """The gradients of the batch's single examples; their mean is the batch's own. `wish` and `mean` are at `address`.
    Regularization is no example's wish and is in none of them.

    With gradients=true each has its whole gradient, in the order of `addresses`.
    """

    step: int
    batch: int
    address: str | None
    mean: float | None
    length: float
    wishes: tuple[OneWish, ...]
    addresses: tuple[str, ...] | None


@dataclass(frozen=True)
class Layered(LayerHealth):
    __doc__ = f"{LayerHealth.__doc__} `histogram` counts how many activations lie between two of the `edges`."

    histogram: Ints
    edges: Floats


@dataclass(frozen=True)
class Healthy:
    """How gradients fare in the next step, layer by layer, and one sentence if something is wrong, else ""."""

    step: int
    examples: Ints
    problem: str | None
    layer: int | None
    sentence: str
    layers: tuple[Layered, ...]


def walked(walk: Walkthrough, indices: Sequence[int], most: int, mathml: bool = False) -> dict[str, Any]:
    """A walkthrough with the moments at these indices; SpecError if they hold more than `most` numbers."""
    moments, numbers = list[Moment](), 0
    for index in indices:
        moment = walk[index]
        numbers += sum(np.size(value) for value in moment.values.values())
        if numbers > most:
            raise SpecError(
                "granularity", walk.plan.grain, "coarser, or one example: at most {most:,} numbers", most=most
            )
        moments.append(moment)
    phases = tuple(Stretch(*each) for each in walk.phases)
    told, lines = walk.trace, tuple(walk.program.lines)
    found: dict[str, Any] = plain(
        Walked(told.step, told.examples, walk.plan.grain, len(walk), walk.collapsed, phases, lines, tuple(moments))
    )
    for each, moment in zip(found["moments"], moments, strict=True):
        each["mathml"] = moment.mathml() if mathml else None
    return found


def received(step: int, told: Receipt, mathml: bool = False) -> dict[str, Any]:
    """A receipt."""
    found: dict[str, Any] = {"step": step, **plain(told)}
    return found | {"mathml": told.mathml() if mathml else None, "facts": plain(told.facts) or {}}


def probed(step: int, found: Nudge | Check | Slice | Along | Paths | Plane) -> dict[str, Any]:
    """A nudge, a check, a slice, the way of a step, the ways to a parameter or what comes out over two inputs."""
    return {"step": step, **plain(found)}


def contoured(step: int, found: Contour, steps: Sequence[int]) -> dict[str, Any]:
    """A contour with the steps of its path."""
    return {"step": step, **plain(found), "path_steps": list(steps)}


def wished(state: RunState, found: Wishes, index: int | None, every: bool) -> dict[str, Any]:
    """Wishes; `index` is the place of the address asked about, with `every` each has its whole gradient."""
    network, examples, cosines = state.spec.network, found.examples.tolist(), found.cosines.tolist()
    with np.errstate(all="ignore"):
        lengths, length = np.linalg.norm(found.gradients, axis=1).tolist(), float(np.linalg.norm(found.mean))
    wishes = tuple(
        OneWish(example, reach, cosine, None if index is None else float(own[index]), own if every else None)
        for example, reach, cosine, own in zip(examples, lengths, cosines, found.gradients, strict=True)
    )
    address, mean = (None, None) if index is None else (network.address(index), float(found.mean[index]))
    addresses = tuple(network.addresses()) if every else None
    return plain(Wished(state.step, found.batch, address, mean, length, wishes, addresses))  # type: ignore[no-any-return]


def healthy(told: Trace, found: Complaint | None) -> dict[str, Any]:
    """The health of a step."""
    pairs = zip(health(told), map(spread, told.layers), strict=True)
    layers = tuple(Layered(**vars(layer), histogram=counts, edges=edges) for layer, (counts, edges) in pairs)
    name, layer, words = (found.name, found.layer, advice(told.spec, found)) if found else (None, None, "")
    return plain(Healthy(told.step, told.examples, name, layer, words, layers))  # type: ignore[no-any-return]
