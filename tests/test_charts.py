"""Charts: scales that put a number where it belongs, ticks at round numbers, and a loss chart that stays readable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.draw.charts import Axis, confusion, log_share, loss_chart, path, round_numbers, round_up, thinned


def test_an_axis_puts_numbers_in_their_place() -> None:
    """Straight and by powers of ten, one number and many agree, and what lies outside is clipped."""
    straight, log = Axis(0, 10, 100, 0), Axis(0.001, 10, 0, 40, log=True)
    assert straight.at(2.5) == 75
    assert [log.at(v) for v in (0.001, 0.01, 10, 1e9, 0)] == [0, 10, 40, 40, 0]
    for axis in (straight, log):
        values = np.array([0.002, 0.3, 7.0, 12.0])
        assert [round(v, 1) for v in axis(values).tolist()] == [axis.at(v) for v in values.tolist()]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_round_few_and_inside(low: float, width: float) -> None:
    """At most six ticks, inside the axis, evenly spaced."""
    ticks = round_numbers(low, low + width, 5)
    assert 1 <= len(ticks) <= 6
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in ticks)


def test_the_top_of_an_axis_is_round_and_above() -> None:
    """The axis holds its largest value and changes seldom."""
    assert [round_up(v) for v in (0.57, 0.61, 1.0, 31)] == pytest.approx([0.6, 0.8, 1.0, 40])
    assert round_up(float("inf")) == 1.0


def test_the_loss_chart_shows_both_losses_and_where_one_looks() -> None:
    """Train and test are drawn, the marker stands at the step that is looked at, and gaps stay gaps."""
    steps = np.arange(0, 301)
    losses = np.column_stack([1 / (1 + steps), np.full(301, np.nan)])
    chart = loss_chart(steps, losses, 150)
    assert [curve.name for curve in chart.curves] == ["test", "train"]
    assert chart.curves[0].path == ""
    assert chart.marker[0] == pytest.approx((chart.left + chart.right) / 2, abs=0.1)
    assert chart.curves[1].path.count("L") <= 100
    over = loss_chart(steps, losses, 150, others=[("deep: 8 layers", steps, losses)])
    assert [curve.name for curve in over.curves] == ["deep: 8 layers", "test", "train"]


def test_a_run_that_explodes_leaves_the_chart() -> None:
    """A loss of 1e30 does not flatten everything before it."""
    losses = np.array([[1.0, 1.0], [0.5, 0.6], [1e30, 1e30]])
    chart = loss_chart(np.array([0, 1, 2]), losses, 2)
    assert max(float(label) for _, label in chart.y_ticks) <= 10
    assert loss_chart(np.array([0]), np.array([[np.nan, np.nan]]), 0).head == 0


def test_thinning_keeps_the_ends() -> None:
    """Few points over many steps, the first and the last among them."""
    steps = np.unique(np.concatenate([np.arange(0, 1000), np.arange(1000, 100_000, 500)]))
    kept = thinned(steps)
    assert (kept[0], kept[-1]) == (0, len(steps) - 1)
    assert len(kept) <= 100


def test_paths_skip_what_is_no_number() -> None:
    """A line through the points that there are; one point is no line."""
    assert path(np.array([0.0, 1.0, 2.0]), np.array([0.0, np.nan, 4.0])) == "M0 0L2 4"
    assert path(np.array([0.0]), np.array([1.0])) == ""


def test_confusion_counts_truth_by_row() -> None:
    """A two that is taken for a one stands in row 2, column 1."""
    counts = confusion(np.array([0, 2, 2]), np.array([0, 1, 2]), 3)
    assert counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 1]]


def test_bars_stay_within_their_box() -> None:
    """From nothing to everything, whatever comes in."""
    assert [log_share(v) for v in (0.0, 1e-9, 10.0, 1e9, float("nan"))] == [0, 0, 1, 1, 1]
