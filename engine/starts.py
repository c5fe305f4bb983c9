"""Where a run starts, in the forms in which people have parameters: objects, pairs, layers of a trace, a vector."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.checks import SpecError, all_plain, number, sequence
from engine.network import Network
from engine.operations import kinds_behind
from engine.wording import Words, said

ALLOWED = "a list of {W, b} or pairs (W, b), one a layer, the layers of a trace, or all numbers in a row"
LARGEST = 1e12
# What a layer of a trace has besides its parameters, which is passed over.
_OF_EACH = ("z", "a", "da", "dz", "dW", "db", "dW_penalty", "W_next", "b_next")
BESIDE = frozenset(("activation", *_OF_EACH, "mask", "norm", "end", "back_end", "others"))


def parameters_of(given: Any, network: Network) -> tuple[float, ...] | None:
    """The flat starting vector; SpecError names what does not fit this network."""
    if given is None:
        return None
    layers = sequence("parameters", _layers_of(given), ALLOWED)
    flat = np.empty(network.size)
    if layers and all(isinstance(value, int | float) for value in layers):
        if len(layers) != network.size:
            raise SpecError("parameters", len(layers), "{size:,} numbers", size=network.size)
        return tuple(numbers("parameters", layers, flat.shape))
    if len(layers) != len(network.shapes):
        raise SpecError("parameters", len(layers), "{count} layers of {{W, b}}", count=len(network.shapes))
    for k, layer in enumerate(layers):
        named = {each.letter: each for each in network.parameters if each.layer == k + 1}
        found = _by_letter(f"parameters.{k}", layer, tuple(named))
        for letter, each in named.items():
            each.of(flat)[...] = numbers(f"parameters.{k}.{letter}", found[letter], each.shape)
    return tuple(flat.tolist())


def _layers_of(given: Any) -> Any:
    """The layers of a whole trace, of Python or of JSON; anything else as it is."""
    if isinstance(given, Mapping):
        return given.get("layers", given)
    return getattr(given, "layers", given)


def _by_letter(name: str, given: Any, letters: tuple[str, ...]) -> dict[str, Any]:
    """A layer's parameters by letter. Of a layer of a trace they are those that it was taken at, W and b; those after
    the step, if these alone are there."""
    if isinstance(given, list | tuple) and len(given) == len(letters):
        return dict(zip(letters, given, strict=True))
    if not isinstance(given, Mapping) and hasattr(given, "W"):
        given = {each: getattr(given, each) for each in ("W", "b", "norm") if getattr(given, each, None) is not None}
    if isinstance(given, Mapping) and set(given) <= BESIDE | {*letters, *kinds_behind()}:
        norm = given.get("norm")
        if not isinstance(norm, Mapping | None):
            norm = {each: getattr(norm, each, None) for each in ("gamma", "beta", "gamma_next", "beta_next")}
        after = "" if "W" in given else "_next"
        known = {**(norm or {}), **given}
        found = {letter: known.get(letter + after) for letter in letters}
        if all(value is not None for value in found.values()):
            plain: dict[str, Any] = all_plain(name, found)
            return plain
    *some, last = letters
    raise SpecError(
        name, given, "an object with {some} and {last}, or these in this order", some=", ".join(some), last=last
    )


# What there is along each axis of an array, by how many it has.
_AXES: dict[int, tuple[Words, ...]] = {
    1: ("one number a unit",),
    2: ("one row a unit", "one weight an input"),
    4: ("the kernels of each channel", "one kernel a channel below", "rows of a kernel", "weights in a row"),
}


def numbers(name: str, given: Any, shape: tuple[int, ...], axes: tuple[Words, ...] = ()) -> list[Any]:
    """Nested lists of this shape; `axes` says what there is along each."""
    each, *inner = axes or _AXES[len(shape)]
    rows = sequence(name, given, "rows of numbers" if inner else "a row of numbers")
    if len(rows) != shape[0]:
        raise SpecError(name, len(rows), "{each}: {shape}", each=said(each), shape=shape[0])
    if not inner:
        return [number(f"{name}.{i}", value, -LARGEST, LARGEST) for i, value in enumerate(rows)]
    return [numbers(f"{name}.{i}", row, shape[1:], tuple(inner)) for i, row in enumerate(rows)]
