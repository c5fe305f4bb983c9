"""Numbers as people read them: one way for facts, one for labels, one for what changes in its place."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.draw.charts import tick_label
from app.words.numbers import (
    THIN,
    all_signed,
    fixed,
    fixed_signed,
    label,
    labels,
    percent,
    short,
    signed,
    target,
    unsigned,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.236, "+0.2360"), (-0.01777, "−0.01777"), (0.0, "0"), (-0.0, "0"), (3.1e-9, "+3.100×10⁻⁹"), (1.0, "+1.000"),
     (999.96, "+1000"), (12345.6, "+12 345.6"), (2.5e9, "+2.500×10⁹"), (-inf, "−∞"), (nan, "not a number")],
)  # fmt: skip
def test_a_fact(value: float, text: str) -> None:
    """Signs always, a true minus, four digits that count; `unsigned` is the same without a plus."""
    assert signed(value).replace(THIN, " ") == text
    assert unsigned(value).replace(THIN, " ") == text.lstrip("+")


@given(st.lists(st.floats(), max_size=20))
def test_many_facts_at_once(values: list[float]) -> None:
    """All at once they read as one by one."""
    assert all_signed(values) == [signed(value) for value in values]
    assert labels(values) == [label(value) for value in values]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.24, "+0.24"), (-0.02, "−0.02"), (0.0, "0"), (-2.1e-7, "−2e−7"), (-0.0009, "−0.0009"), (0.0031, "+0.003"),
     (9e-5, "+9e−5"),
     (1234.5, "+1234"), (2e9, "+2e9"), (nan, "NaN"), (inf, "+∞")],
)  # fmt: skip
def test_a_label(value: float, text: str) -> None:
    """A sign always, and few characters however large or small."""
    assert label(value) == text


@given(st.floats())
def test_a_label_is_never_wide(value: float) -> None:
    """At most seven characters, and of the sign that the fact has."""
    text = label(value)
    assert len(text) <= 7
    assert text[0] == signed(value)[0] or value != value


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(0.24, 2, "+0.24"), (-0.02, 2, "−0.02"), (0.0, 2, "+0.00"), (-2.1e-7, 2, "−2.1×10⁻⁷"), (1234.5, 2, "+1234"),
     (2e9, 2, "+2.0×10⁹"), (nan, 2, "not a number"), (-inf, 2, "−∞")],
)  # fmt: skip
def test_what_changes_in_its_place(value: float, places: int, text: str) -> None:
    """As many decimal places, so that its width stays."""
    assert fixed_signed(value, places) == text
    assert fixed(value, places) == text.lstrip("+")
    assert fixed(None) == "–"


def test_settings_and_targets() -> None:
    """As they were typed; a target with its sign."""
    assert [short(value) for value in (0.03, 1e-7, -2.0)] == ["0.03", "1×10⁻⁷", "−2"]
    assert [target(value) for value in (1.0, -1.0, 0.0, 0.123456)] == ["+1", "−1", "0", "+0.1235"]


@given(st.one_of(st.floats(-1e-3, 1e-3), st.sampled_from([-0.0, -0.5, -0.05, -0.005, -4.9e-5])), st.integers(0, 6))
def test_no_zero_has_a_minus(value: float, places: int) -> None:
    """Whatever writes a number, what reads as zero has no minus, and what is not zero does not read as zero."""
    each = (signed(value), unsigned(value), label(value), fixed(value, places), fixed_signed(value, places),
            short(value), target(value), tick_label(value), *all_signed([value]), *labels([value]))  # fmt: skip
    for text in each:
        reads_zero = not set(text) & set("123456789")
        assert reads_zero == (value == 0), text
        assert not (reads_zero and "−" in text), text


@pytest.mark.parametrize(
    ("share", "places", "text"),
    [(1.0, 1, "100.0 %"), (0.0, 1, "0.0 %"), (4499 / 4500, 1, ">99.9 %"), (1 / 4500, 1, "<0.1 %"), (0.975, 1, "97.5 %"),
     (0.9994, 1, "99.9 %"), (0.999, 0, ">99 %"), (0.004, 0, "<1 %"), (1.0, 0, "100 %"), (None, 1, "–")],
)  # fmt: skip
def test_all_and_none_are_said_only_of_all_and_none(share: float | None, places: int, text: str) -> None:
    """One of 4,500 wrong is not a hundred percent."""
    assert percent(share, places) == text
