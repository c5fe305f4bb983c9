"""What is drawn in a step, such as what dropout keeps: from the run's seed and the step alone, so that any step can be
had again.

Masks of many steps are drawn at once, for most of what it takes is to begin.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from engine.arrays import Floats, Ints
from engine.examples import DROPOUT, examples_of
from engine.operations.base import Vector
from engine.spec import Spec

How = Callable[[Floats], tuple[Vector, float]]

_MOST_STEPS = 64
_MOST_DRAWN = 2**16  # numbers at once


def fill(masks: Mapping[tuple[str, int], Floats], spec: Spec, step: int, rows: Ints | None = None) -> None:
    """Write what a step draws, (units, examples), by name and layer: of its batch's first examples, or of these places
    in it."""
    batch, taken = min(spec.batch_size, examples_of(spec).train), set[int]()
    for (name, layer), mask in masks.items():
        units, examples = mask.shape
        how, steps, more = spec.network.drawn[name, layer], _steps(batch * units), (name,) * (layer in taken)
        taken.add(layer)
        drawn, times = _drawn(spec.seed, step // steps, layer, steps, batch, units, how, more)
        of_step = drawn[step % steps]
        np.multiply((of_step[:examples] if rows is None else of_step[rows]).T, times, mask)


def _steps(numbers: int) -> int:
    """How many steps' masks are drawn at once: a power of two, by the size of a batch alone."""
    steps = _MOST_STEPS
    while steps > 1 and steps * numbers > _MOST_DRAWN:
        steps //= 2
    return steps


@lru_cache(maxsize=32)
def _drawn(
    seed: int, block: int, layer: int, steps: int, batch: int, units: int, how: How, more: tuple[str, ...]
) -> tuple[Vector, float]:
    """What is drawn, (steps, batch, units), batch-first, so that a smaller last batch has the same first ones; and what
    it is multiplied by. A second one of a layer is drawn by its name as well."""
    key = (seed, DROPOUT, block, layer, *"".join(more).encode())
    drawn, times = how(np.random.default_rng(np.array(key, np.uint32)).random((steps, batch, units)))
    drawn.setflags(write=False)
    return drawn, times
