"""Learning-rate schedules: a base rate and a step number give the rate of that step.

Steps count from 0. A schedule is a plain function, so that any step can be asked for at any time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi

from engine.settings import Setting
from engine.wording import Words

Settings = Mapping[str, float]


@dataclass(frozen=True)
class Schedule:
    """One schedule; `rate(base_rate, step, settings)` returns the learning rate of that step."""

    name: str
    title: Words
    formula: str
    sentence: Words
    rate: Callable[[float, int, Settings], float]
    settings: tuple[Setting, ...] = ()


def _constant(base_rate: float, step: int, settings: Settings) -> float:
    return base_rate


def _step(base_rate: float, step: int, settings: Settings) -> float:
    return float(base_rate * settings["factor"] ** (step // settings["every"]))


def _exponential(base_rate: float, step: int, settings: Settings) -> float:
    return base_rate * settings["decay"] ** step


def _cosine(base_rate: float, step: int, settings: Settings) -> float:
    return base_rate * 0.5 * (1 + cos(pi * min(step / settings["steps"], 1.0)))


def _warmup(base_rate: float, step: int, settings: Settings) -> float:
    return base_rate * min((step + 1) / settings["steps"], 1.0)


_ENTRIES = (
    Schedule("constant", "Constant", r"\eta_t = \eta", "The same rate at every step.", _constant),
    Schedule(
        "step",
        "Step down",
        r"\eta_t = \eta\,\gamma^{\lfloor t/s \rfloor}",
        "Multiplies the rate by a factor every so many steps.",
        _step,
        (
            Setting("every", 500, 1, 1_000_000, "steps between two drops", whole=True),
            Setting("factor", 0.5, 0.0, 1.0, "what each drop multiplies the rate by"),
        ),
    ),
    Schedule(
        "exponential",
        "Exponential",
        r"\eta_t = \eta\,\gamma^{t}",
        "Shrinks the rate by the same share at every step.",
        _exponential,
        (Setting("decay", 0.999, 0.0, 1.0, "what each step multiplies the rate by"),),
    ),
    Schedule(
        "cosine",
        "Cosine",
        r"\eta_t = \frac{\eta}{2}\left(1 + \cos\frac{\pi t}{T}\right)",
        "Glides to zero along half a cosine (Loshchilov and Hutter, 2016).",
        _cosine,
        (Setting("steps", 2000, 1, 1_000_000, "steps until the rate is zero", whole=True),),
    ),
    Schedule(
        "warmup",
        "Warm-up",
        r"\eta_t = \eta\,\min\left(1, \frac{t + 1}{T}\right)",
        "Rises to the full rate over the first steps (Goyal and others, 2017).",
        _warmup,
        (Setting("steps", 100, 1, 1_000_000, "steps until the full rate", whole=True),),
    ),
)

SCHEDULES: dict[str, Schedule] = {entry.name: entry for entry in _ENTRIES}
