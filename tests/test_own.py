"""Tables like those of textbooks learn with what the page chooses by itself, and keep what a person has set."""

from __future__ import annotations

import numpy as np
import pytest

from app.data.splitting import split
from app.data.table import Split
from app.page.own import as_it_is, own
from engine import Spec, advance, evaluate, start


def flowers(rows: int, columns: int, apart: float, units: float) -> str:
    """Three kinds of one place each, in units as people measure: far from 0, and each column on a scale of its own."""
    rng = np.random.default_rng(0)
    kinds = np.arange(rows) % 3
    middle = rng.normal(0, apart, (3, columns))
    x = (middle[kinds] + rng.normal(size=(rows, columns))) * units ** rng.uniform(-1, 1, columns) + 5 * units
    return "\n".join(
        [
            ",".join([*(f"c{i}" for i in range(columns)), "kind"]),
            *(",".join([*(f"{v:.4g}" for v in row), f"kind {k}"]) for row, k in zip(x, kinds, strict=True)),
        ]
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("rows", "columns", "apart", "units"), [(150, 4, 2.5, 2), (178, 13, 1.6, 12)])
def test_a_table_learns_with_the_pages_own_choices(
    rows: int, columns: int, apart: float, units: float, seed: int
) -> None:
    """As iris and wine do (the real ones: tests/benchmarks/bench_data.py): 95 % of the rows that were kept back, after
    3,000 steps with nothing set but the seed.
    """
    found = own(flowers(rows, columns, apart, units), {}, Spec.make(dataset="plane", seed=seed))
    assert found.spec.scaling == "inputs"
    right = evaluate(advance(start(found.spec), 3_000).state)["test"].accuracy
    assert right is not None
    assert right >= 0.95


def test_values_far_from_0_learn_as_well_as_a_line() -> None:
    """Prices by area and age: less than a tenth of their variance is left, told in their own units."""
    rng = np.random.default_rng(1)
    area, age = rng.uniform(40, 200, 120), rng.uniform(0, 80, 120)
    price = 3_000 * area - 900 * age + 50_000 + rng.normal(0, 8_000, 120)
    lines = [f"{a:.1f},{b:.0f},{p:.0f}" for a, b, p in zip(area, age, price, strict=True)]
    spec = own("area,age,price\n" + "\n".join(lines), {}, None).spec
    assert spec.scaling == "both"
    before, after = (evaluate(state)["test"].loss for state in (start(spec), advance(start(spec), 3_000).state))
    assert before is not None
    assert after is not None
    assert after < 0.1 * before


def test_what_was_set_by_hand_stays() -> None:
    """Network, optimizer and rate, though the page would choose others; it is said."""
    base = Spec.make(dataset="plane", hidden=[5], optimizer="adam", learning_rate=0.01)
    found = own(flowers(60, 3, 2, 2), {}, base)
    assert (found.spec.hidden, found.spec.optimizer, found.spec.learning_rate) == ((5,), "adam", 0.01)
    assert any("As you have set it" in note.sentence for note in found.told)


def test_a_table_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new name, or the same once more, cuts no text again; other words do."""
    read = list[str]()

    def counted(text: str) -> Split:
        read.append(text)
        return split(text)

    monkeypatch.setattr("app.page.own.split", counted)
    text = flowers(30, 3, 2, 2)
    renamed = own(text, {"name.1": "width"}, None)
    again = own(text, {"scaling": "none"}, None)
    opened = as_it_is(text, {"name.1": "width"}, renamed.spec)
    assert len(read) == 1
    assert renamed.spec.data is not None
    assert renamed.spec.data.names == ("c0", "width", "c2")
    assert (again.spec.scaling, opened.spec) == ("none", renamed.spec)
    assert opened.table is renamed.table
    own(text + "\n1,2,3,kind 0", {}, None)
    assert len(read) == 2


def test_a_name_typed_at_a_table_without_a_heading_is_kept() -> None:
    """The others are called as they were."""
    found = own("1.5,2,0\n2.5,-1,1\n-0.5,20,0\n3.5,1,1", {"name.0": "width"}, None).spec.data
    assert found is not None
    assert (found.names, found.targets) == (("width", "column 2"), ("column 3",))
