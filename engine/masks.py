"""What dropout keeps in a step: drawn from the run's seed and the step alone, so that any step can be had again.

Masks of many steps are drawn at once, for most of what it takes is to begin.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from engine.arrays import Flags, Floats, Ints
from engine.examples import DROPOUT, examples_of
from engine.spec import Spec

_MOST_STEPS = 64
_MOST_DRAWN = 2**16  # numbers at once


def fill(masks: Mapping[int, Floats], spec: Spec, step: int, rows: Ints | None = None) -> None:
    """Write a step's masks (units, examples), by layer: of its batch's first examples, or of these places in it."""
    batch = min(spec.batch_size, examples_of(spec).train)
    for layer, mask in masks.items():
        units, examples = mask.shape
        rate, steps = spec.network.dropouts[layer], _steps(batch * units)
        kept = _kept(spec.seed, step // steps, layer, steps, batch, units, rate)[step % steps]
        chosen = kept[:examples] if rows is None else kept[rows]
        np.multiply(chosen.T, 1.0 / (1.0 - rate), mask)


def _steps(numbers: int) -> int:
    """How many steps' masks are drawn at once: a power of two, by the size of a batch alone."""
    steps = _MOST_STEPS
    while steps > 1 and steps * numbers > _MOST_DRAWN:
        steps //= 2
    return steps


@lru_cache(maxsize=32)
def _kept(seed: int, block: int, layer: int, steps: int, batch: int, units: int, rate: float) -> Flags:
    """What is not out: (steps, batch, units), batch-first, so that a smaller last batch has the same first ones."""
    rng = np.random.default_rng(np.array([seed, DROPOUT, block, layer], np.uint32))
    kept: Flags = rng.random((steps, batch, units)) >= rate
    kept.setflags(write=False)
    return kept
