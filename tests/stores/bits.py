"""Numbers in a few bytes: told apart to the last bit on the kind of machine that made them, to 1e-9 on any other.

The same NumPy gives other last digits on another class of processor. So a store of a release comes with a canary: what
the operations that the engine is made of come to on the machine that made it. Where they come to the same here, the
numbers have to be the same bits; where they do not, the last digits say nothing, and size, largest number and a sum
with fixed weights have to agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from math import isclose
from typing import Any

import numpy as np

TOLERANCE = 1e-9
QUANTITIES = ("z", "a", "dz", "dW", "db", "W_next", "b_next")  # of each layer, as JSON and engine call them
Print = list[Any]  # digest of the bits, how many numbers, how many not finite, the largest, the weighted sum over it


def print_of(arrays: Iterable[Any]) -> Print:
    """What is kept of some arrays."""
    flats = [np.asarray(array, dtype=np.float64).ravel() for array in arrays]
    flat = np.concatenate([np.empty(0), *flats])
    sound = np.where(np.isfinite(flat), flat, 0.0)
    largest = float(np.abs(sound).max(initial=0.0))
    weights = 1 + 0.618 * np.arange(len(flat)) % 1  # none of them small
    total = float((sound / largest * weights).sum()) if largest else 0.0
    told = np.where(np.isfinite(flat), flat, np.nan)  # JSON has one null for all that is not finite
    digest = sha256(told.astype("<f8").tobytes()).hexdigest()[:16]
    return [digest, len(flat), int((~np.isfinite(flat)).sum()), float(f"{largest:.12g}"), float(f"{total:.12g}")]


def prints_of(state: Any, trace: Any) -> dict[str, Print]:
    """What is kept of a state and its next step: parameters, slots, z, a, dz, dW, db, and the parameters after it."""
    prints = {"parameters": print_of([state.parameters]), "slots": print_of([state.slots])}
    return prints | {name: print_of(getattr(layer, name) for layer in trace.layers) for name in QUANTITIES}


def prints_of_answer(told: dict[str, Any]) -> dict[str, Print]:
    """The same of a trace as JSON tells it, in which a number that is not finite is null."""
    rows = {name: [np.array(layer[name], dtype=np.float64) for layer in told["layers"]] for name in QUANTITIES}
    return {name: print_of(arrays) for name, arrays in rows.items()}


def differing(told: dict[str, Print], kept: dict[str, Print], exactly: bool) -> list[str]:
    """The names of what is not the same, with both sides."""
    alike = _same_bits if exactly else _alike
    return [f"{name}: {told.get(name)} and {kept[name]}" for name in kept if not alike(told.get(name), kept[name])]


def _same_bits(one: Print | None, other: Print) -> bool:
    return one is not None and one[:3] == other[:3]


def _alike(one: Print | None, other: Print) -> bool:
    if one is None or one[1:3] != other[1:3]:
        return False
    room = TOLERANCE * max(1.0, one[1] ** 0.5)
    return isclose(one[3], other[3], rel_tol=TOLERANCE, abs_tol=1e-12) and (
        isclose(one[4], other[4], rel_tol=0, abs_tol=room) or max(one[3], other[3]) < 1e-12
    )


@lru_cache
def canary() -> str:
    """What this machine's arithmetic comes to, in NumPy alone, so that no change of the engine counts."""
    digest = sha256()
    with np.errstate(all="ignore"):
        for numbers in _computed():
            digest.update(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
    return digest.hexdigest()[:16]


def _computed() -> Iterator[Any]:
    line = _spread(4_001)
    for function in (np.exp, np.expm1, np.tanh, np.sin, np.cos, np.sqrt, np.log, np.log1p, np.reciprocal):
        yield from (function(line * scale) for scale in (0.1, 1.0, 7.0))
        yield from (function(line[:size]) for size in range(1, 20))
    yield np.logaddexp(line, line[::-1])
    yield np.power(np.abs(line) + 0.5, 1.7)
    yield np.power(0.999, np.arange(1.0, 3_000.0, 7.0))
    for rows in (1, 2, 3, 4, 5, 8, 10, 16):
        for inner in (1, 2, 3, 5, 9, 17, 257):
            for columns in (1, 2, 5, 7, 10, 32, 120):
                if rows * inner * columns > 20_000:  # so large that it is cut up by the number of cores
                    continue
                left, right = _spread(rows * inner).reshape(rows, inner), _spread(inner * columns)
                yield left.dot(right.reshape(inner, columns))
                yield left.T.copy().T.dot(right.reshape(columns, inner).T)
                yield left.T.dot(_spread(rows * columns).reshape(rows, columns))
    for size in (1, 2, 5, 8, 9, 33, 200, 1_000):
        yield [line[:size].sum(), line[:size].mean(), line[:size].dot(line[-size:]), line[: 2 * size : 2].sum()]
        yield line[: 3 * size].reshape(3, size).sum(axis=0)
        yield line[: 3 * size].reshape(3, size).sum(axis=1)


def _spread(count: int) -> Any:
    """Numbers from -0.5 to 0.5 in no order, the same on any machine: whole numbers divided once."""
    return (np.arange(count) * 7_919 % 10_007) / 10_007 - 0.5
