"""What every unit makes of every point of the input plane: the pictures inside the nodes and the output's surface, in
float32, twice as fast as float64 and finer than any screen; and what comes out over two inputs of many, in float64.
"""

from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from engine.arrays import Floats
from engine.checks import SpecError, asked_of
from engine.evaluation import predict
from engine.examples import examples_of, input_names
from engine.features import apply_features
from engine.network import layers_of, with_ones
from engine.scaling import Scale
from engine.shown import Brief
from engine.spec import Spec
from engine.state import RunState

FINEST = 200
POINTS = 50  # a side of a plane
MOST_POINTS = 100

Maps: TypeAlias = npt.NDArray[np.float32]


@asked_of(RunState)
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


@dataclass(frozen=True, repr=False, eq=False)
class Plane(Brief):
    """What comes out over two inputs, `across` and `up`, while all others stay at `rest`, their mean over the training
    rows. `outputs` (outputs, points, points) are those at `y` by row and `x` by column, as `predict` gives them: the
    first row is the lowest y. Inputs are in the data's own units.
    """

    across: str
    up: str
    x: Floats
    y: Floats
    rest: Floats
    outputs: Floats


@asked_of(RunState)
def plane(state: RunState, across: str | int = 1, up: str | int = 2, *, points: int = POINTS) -> Plane:
    """What the network answers over two of its inputs, each by its name or its number from 1.

    SpecError for no such input, twice the same, or other than 2 to 100 points a side.
    """
    spec, examples = state.spec, examples_of(state.spec)
    if spec.raw_inputs < 2:
        raise SpecError("across", across, "asked of two inputs or more")
    i, j = _input(spec, "across", across), _input(spec, "up", up)
    if i == j:
        raise SpecError("up", up, "another input than across")
    if not 2 <= points <= MOST_POINTS:
        raise SpecError("points", points, "from 2 to {most}", most=MOST_POINTS)
    (x, y), names = (np.linspace(*examples.domains[k], points) for k in (i, j)), input_names(spec)
    rest = examples.raw[: examples.train].mean(axis=0)
    rows = np.tile(rest, (points * points, 1))
    rows[:, i], rows[:, j] = np.tile(x, points), np.repeat(y, points)
    outputs = predict(state, rows).T.reshape(-1, points, points)
    return Plane(names[i], names[j], x, y, rest, outputs)


def _input(spec: Spec, name: str, asked: str | int) -> int:
    """The place of an input that is asked for by its name, or else by its number from 1."""
    names = input_names(spec)
    if asked in names:
        return names.index(str(asked))
    told = isinstance(asked, str) and asked.isascii() and asked.isdigit() and len(asked) < 6
    number = int(asked) if told or isinstance(asked, Integral) else 0
    if not 1 <= number <= len(names):
        raise SpecError(name, asked, "an input's name, or its number from 1 to {count}", count=len(names))
    return number - 1
