"""What every unit makes of every point of the input plane: the pictures inside the nodes and the output's surface.

Everything is float32, twice as fast as float64 and finer than any screen.
"""

from functools import lru_cache
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from engine.examples import examples_of
from engine.features import apply_features
from engine.network import layers_of, with_ones
from engine.scaling import Scale
from engine.state import RunState

FINEST = 200

Maps: TypeAlias = npt.NDArray[np.float32]


def unit_maps(state: RunState, resolution: int = 50) -> tuple[Maps, ...]:
    """The outputs of all units over the dataset's domain: the features first, then a of every layer.

    Two inputs: (units, resolution, resolution) a layer, x1 to the right, x2 upwards, so that row 0 is the top and each
    value is that at the middle of its cell. One input: (units, resolution), with both ends of the line. Read-only for
    the features, which are shared.

    Raises ValueError for a resolution that is not from 2 to 200, or for other than one or two inputs.
    """
    spec, network = state.spec, state.spec.network
    if not 2 <= resolution <= FINEST:
        raise ValueError(f"resolution {resolution} is not allowed, must be from 2 to {FINEST}")
    if spec.raw_inputs > 2:
        raise ValueError(f"no map of {spec.raw_inputs} inputs, only of 1 or 2")
    examples = examples_of(spec)
    x = _grid(examples.domains, spec.features, examples.inputs_by, resolution)
    side = (resolution,) * spec.raw_inputs
    with np.errstate(all="ignore"):
        values: list[Any] = [x]
        parameters: Any = state.parameters.astype(np.float32)
        values += [a for _, a in layers_of(network, parameters, cast(Any, x), state.running)]
        return tuple(a[:-1].reshape(-1, *side) for a in values)


@lru_cache(maxsize=32)
def _grid(
    domains: tuple[tuple[float, float], ...], features: tuple[str, ...], scale: Scale | None, resolution: int
) -> Maps:
    """The features at every cell's middle, or along a line, with a row of ones: (features + 1, n)."""
    if len(domains) == 2:
        across, up = ((low + (high - low) * (np.arange(resolution) + 0.5) / resolution) for low, high in domains)
        raw = np.column_stack([np.tile(across, resolution), np.repeat(up[::-1], resolution)])
    else:
        raw = np.linspace(*domains[0], resolution)[:, np.newaxis]
    grid = np.ascontiguousarray(with_ones(apply_features(scale.apply(raw) if scale else raw, features)), np.float32)
    grid.setflags(write=False)
    return grid
