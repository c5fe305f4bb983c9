"""Learning-rate schedules at steps where the published formula is easy to say."""

from math import cos, pi

import pytest

from engine.schedules import SCHEDULES
from engine.settings import complete

SETTINGS = {name: complete(schedule.settings, {}) for name, schedule in SCHEDULES.items()}


@pytest.mark.parametrize(
    ("name", "step", "share"),
    [
        ("constant", 0, 1.0),
        ("constant", 10**9, 1.0),
        ("step", 499, 1.0),
        ("step", 500, 0.5),
        ("step", 1499, 0.25),
        ("exponential", 0, 1.0),
        ("exponential", 1000, 0.999**1000),
        ("cosine", 0, 1.0),
        ("cosine", 500, 0.5 * (1 + cos(pi / 4))),
        ("cosine", 1000, 0.5),
        ("cosine", 2000, 0.0),
        ("cosine", 9000, 0.0),
        ("warmup", 0, 0.01),
        ("warmup", 49, 0.5),
        ("warmup", 99, 1.0),
        ("warmup", 5000, 1.0),
    ],
)
def test_the_rate_at_a_step(name: str, step: int, share: float) -> None:
    """With the default settings, as a share of the base rate."""
    assert SCHEDULES[name].rate(0.3, step, SETTINGS[name]) == pytest.approx(0.3 * share, rel=1e-12, abs=1e-16)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_rate_stays_between_nothing_and_the_base_rate(name: str) -> None:
    """At every step, with the default settings."""
    rates = [SCHEDULES[name].rate(0.3, step, SETTINGS[name]) for step in range(0, 5000, 7)]
    assert all(isinstance(rate, float) for rate in rates)
    assert all(0 <= rate <= 0.3 for rate in rates)


def test_settings_change_it() -> None:
    """Each setting does what its sentence says."""
    assert SCHEDULES["step"].rate(1.0, 20, {"every": 10, "factor": 0.1}) == pytest.approx(0.01)
    assert SCHEDULES["exponential"].rate(1.0, 3, {"decay": 0.5}) == 0.125
    assert SCHEDULES["cosine"].rate(1.0, 5, {"steps": 10}) == pytest.approx(0.5)
    assert SCHEDULES["warmup"].rate(1.0, 1, {"steps": 4}) == 0.5
