"""What homework asks of a backward pass: one operation with its inputs, its right gradients, and the wrong ones that
known mistakes lead to. Arrays are batch-first: (examples, units), images (examples, channels, height, width).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from engine.arrays import Floats
from engine.checks import SpecError
from engine.wording import Words

Gradients = Mapping[str, Floats]


@dataclass(frozen=True)
class Case:
    """Inputs by name, settings by name, and `g`, what comes back to the output: all that a gradient is made of."""

    arrays: Mapping[str, Floats]
    settings: Mapping[str, Any]
    g: Floats

    def __getitem__(self, name: str) -> Floats:
        return self.arrays[name]

    @property
    def n(self) -> int:
        """How many examples there are."""
        return len(next(iter(self.arrays.values())))

    def with_upstream(self, g: Floats) -> "Case":
        """The same with something else coming back."""
        return replace(self, g=g)

    def having(self, **arrays: Floats) -> "Case":
        """The same with other inputs."""
        return replace(self, arrays={**self.arrays, **arrays})


Maker = Callable[[Case], Gradients]


@dataclass(frozen=True)
class Mistake:
    """A known mistake: its name, what to look at, and the wrong gradients it makes, in one way or several.

    A maker leaves out what the mistake does not touch; `like` makes them in the likeness of what was handed in, for a
    mistake that draws something of its own.
    """

    name: str
    sentence: Words
    makers: tuple[Maker, ...]
    like: Callable[[Case, Floats], Gradients] | None = None


@dataclass(frozen=True)
class Input:
    """An array that goes in: its axes by name, equal names of equal length; several where it may have several forms."""

    name: str
    axes: tuple[tuple[str, ...], ...]
    sentence: Words
    values: Literal["numbers", "kept", "targets"] = "numbers"


@dataclass(frozen=True)
class CaseOption:
    """One option: a choice, or a number within bounds, whole where the default is."""

    name: str
    sentence: Words
    default: float | str
    choices: tuple[str, ...] = ()
    minimum: float = 0.0
    maximum: float = 0.0


@dataclass(frozen=True)
class Backward:
    """One operation: `forward(case)` gives the output, `backward(case)` every gradient, in the order of `gradients`.

    `draw(rng, settings)` draws inputs in which every mistake shows; `settings` holds those that are not to be drawn.
    `cost(case)` is about how many multiplications a pass takes, and `refuse(case)` says what does not fit together:
    a SpecError, or None.
    """

    name: str
    title: Words
    sentence: Words
    inputs: tuple[Input, ...]
    gradients: tuple[str, ...]
    forward: Callable[[Case], Floats]
    backward: Callable[[Case], dict[str, Floats]]
    mistakes: tuple[Mistake, ...]
    draw: Callable[[np.random.Generator, Mapping[str, Any]], Case]
    settings: tuple[CaseOption, ...] = ()
    refuse: Callable[[Case], SpecError | None] = lambda case: None
    cost: Callable[[Case], int] = lambda case: sum(each.size for each in case.arrays.values())
    scalar: bool = False
    """Whether the output is one number, whose gradient is 1 where none is given."""
    without: tuple[str, ...] = ()
    """Mistakes that can be made everywhere and change nothing here: the gradient is always 0."""
    known: tuple[Mistake, ...] = field(init=False)
    """Its own mistakes and those that can be made everywhere."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", (*self.mistakes, *_everywhere(self)))


def case_of(
    of: Callable[[Case], Floats], rng: np.random.Generator, arrays: Mapping[str, Floats], settings: Mapping[str, Any]
) -> Case:
    """A drawn case: uneven numbers come back, for with even ones some wrong gradients are right."""
    case = Case(arrays, settings, np.zeros(()))
    return case.with_upstream(uneven(rng, np.shape(of(case))))


def uneven(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Numbers of either sign, none near 0 and hardly two of the same size."""
    return np.asarray(rng.uniform(0.2, 1.8, shape) * rng.choice([-1.0, 1.0], shape))


def only(mistake: Maker, *names: str) -> Maker:
    """A maker of some of its gradients alone."""
    return lambda case: {name: each for name, each in mistake(case).items() if name in names}


def _everywhere(of: Backward) -> tuple[Mistake, ...]:
    def turned(case: Case) -> Gradients:
        return {name: -each for name, each in of.backward(case).items()}

    def forgotten(case: Case) -> Gradients:
        return of.backward(case.with_upstream(np.ones_like(case.g)))

    own = {*of.without, *(mistake.name for mistake in of.mistakes)}
    sentence = "Every gradient is a product with what comes back from above; here it is as if that were 1 everywhere."
    found = (
        Mistake("sign", "The size is right and the sign is not: somewhere a minus is too many or missing.", (turned,)),
        Mistake("upstream_forgotten", sentence, (forgotten,)),
    )
    return tuple(mistake for mistake in found if mistake.name not in own)
