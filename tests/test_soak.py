"""The soak of `make soak`, for some seconds and some hundred answers."""

import sys

import pytest

import machine

sys.path.insert(0, str(machine.ROOT / "tests" / "benchmarks"))

from soak import Report, soak

SECONDS = 45 if machine.CI else 12


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, which Linux alone has")
def test_a_minute_of_everything() -> None:
    """Mixed, hostile and heavy requests at once: no fault, memory and open files flat."""
    report = soak(SECONDS, answers=20 * SECONDS)
    assert report.faults() == []
    assert sum(report.statuses.values()) >= 20 * SECONDS


def test_the_soak_notices_what_it_is_for() -> None:
    """A 500, growing memory, leaking files."""
    flat = Report(memory=[100.0] * 30, files=[10] * 30)
    assert flat.faults() == []
    assert Report(memory=[100.0] * 20 + [130.0] * 10, files=[10] * 30).faults()
    assert Report(memory=[100.0] * 30, files=[10] * 20 + [50] * 10).faults()
    flat.statuses[500] += 1
    assert flat.faults()
