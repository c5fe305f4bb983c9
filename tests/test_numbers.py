"""Numbers as people read them: one way for facts, one for labels, one for what changes in its place."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.words.numbers import THIN, all_signed, fixed, fixed_signed, label, labels, short, signed, target, unsigned


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
    [(0.24, "+0.24"), (-0.02, "−0.02"), (0.0, "0"), (-2.1e-7, "−2e−7"), (1234.5, "+1234"), (2e9, "+2e9"), (nan, "NaN"),
     (inf, "+∞")],
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
