"""The same examples pasted into the page, sent as JSON and given in Python: one run, and it learns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx import AsyncClient
from test_data_doors import within

from engine import Spec, SpecError, advance, evaluate, examples_of, start

DAYS = [[1960 + i, 310.0 + 1.6 * i] for i in range(64)]
HOUSES = [[50 + 7 * i % 160, 20_000.0 + 1_900 * (50 + 7 * i % 160)] for i in range(60)]
SHOES = [[39, 181, 0], [40, 186, 0], [47, 217, 1], [50, 220, 1], [38, 190, 0], [48, 215, 1]]
FLOWERS = [[1.4 + i % 3 + 0.01 * i, 0.2 + 0.7 * (i % 3) + 0.02 * (i % 7)] for i in range(60)]
KINDS = ("setosa", "versicolor", "virginica")


@dataclass(frozen=True)
class Case:
    """A table as it is pasted, the same as x and y, what it is, how many rows train, and after how many steps with the
    page's own choices which share is right, or of the variance explained."""

    text: str
    x: Any
    y: Any
    task: str
    train: int
    steps: int
    share: float
    more: str = ""


def lines(rows: Any, mark: str = ",", heading: str = "") -> str:
    """Rows as text."""
    return heading + "\n".join(mark.join("" if cell is None else str(cell) for cell in row) for row in rows)


XOR, AND = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 1]]
CASES: dict[str, Case] = {
    "XOR": Case(lines(XOR), [r[:2] for r in XOR], [r[2] for r in XOR], "binary", 4, 5_000, 1.0),
    "AND": Case(lines(AND, " "), [r[:2] for r in AND], [r[2] for r in AND], "binary", 4, 5_000, 1.0),
    "XOR, one-hot": Case(
        lines([[*r[:2], 1 - r[2], r[2]] for r in XOR]), [r[:2] for r in XOR], [[1 - r[2], r[2]] for r in XOR],
        "multiclass", 4, 5_000, 1.0,
    ),
    "shoes": Case(lines(SHOES, ";"), [r[:2] for r in SHOES], [r[2] for r in SHOES], "binary", 6, 3_000, 1.0),
    "labels 3 and 5": Case(
        lines([[*r[:2], 5 if r[2] else 3] for r in SHOES], "\t"), [r[:2] for r in SHOES],
        [5 if r[2] else 3 for r in SHOES], "binary", 6, 3_000, 1.0,
    ),
    "a value is missing": Case(
        lines([*SHOES[:2], [44, None, 0], *SHOES[2:]]), [*[r[:2] for r in SHOES[:2]], [44, None],
        *[r[:2] for r in SHOES[2:]]], [0, 0, 0, 1, 1, 0, 1], "binary", 6, 3_000, 1.0, "left out",
    ),
    "years": Case(
        lines(DAYS, heading="year,co2\n"), [r[:1] for r in DAYS], [r[1] for r in DAYS], "regression", 38, 3_000, 0.9,
    ),
    "houses": Case(
        lines(HOUSES, heading="area,price\n"), {"area": [r[0] for r in HOUSES]}, {"price": [r[1] for r in HOUSES]},
        "regression", 36, 3_000, 0.9, "scaled too",
    ),
    "labels 1, 2, 3": Case(
        lines([[*r, i % 3 + 1] for i, r in enumerate(FLOWERS)]), FLOWERS, [i % 3 + 1 for i in range(60)],
        "multiclass", 36, 3_000, 0.95, "3 classes",
    ),
    "names of kinds": Case(
        lines([[*r, KINDS[i % 3]] for i, r in enumerate(FLOWERS)]), FLOWERS, [KINDS[i % 3] for i in range(60)],
        "multiclass", 36, 3_000, 0.95, "setosa",
    ),
}  # fmt: skip


def learned(state: Any) -> float:
    """The share of the training rows that are right, or of their variance that is explained."""
    found = evaluate(state)["train"]
    if state.spec.task != "regression":
        return found.accuracy or 0.0
    examples = examples_of(state.spec)
    assert found.loss is not None
    return 1 - 2 * found.loss / float(np.var(examples.targets[:, : examples.train]))


@pytest.mark.filterwarnings("ignore:Spec.make")
@pytest.mark.parametrize("name", CASES)
def test_one_run_at_every_door_and_it_learns(name: str, tmp_path: Path) -> None:
    """Task, classes, scaling and the rows that train are the same; and with nothing set by hand it learns."""
    case = CASES[name]
    spec = Spec.make(data={"x": case.x, "y": case.y})
    assert spec.data is not None
    assert (spec.task, examples_of(spec).train) == (case.task, case.train)

    async def work(client: AsyncClient) -> None:
        page = await client.post("/runs", data={"csv": case.text}, headers={"hx-request": "true"})
        assert page.status_code == 200
        assert case.more in page.text
        pasted = re.search(r'name="run" value="([^"]+)"', page.text)
        assert pasted
        sent = await client.post("/api/v1/runs", json={"data": {"x": case.x, "y": case.y}})
        assert sent.status_code == 201, sent.text
        for run in (pasted[1], sent.json()["id"]):
            told = (await client.get(f"/api/v1/runs/{run}")).json()["spec"]
            found = Spec.make(told)
            assert found.data is not None
            assert (found.task, found.scaling, found.test_share) == (spec.task, spec.scaling, spec.test_share)
            assert found.data.classes == spec.data.classes
            assert np.array_equal(found.data.x, spec.data.x)
            assert np.array_equal(found.data.y, spec.data.y)
            assert learned(advance(start(found), case.steps).state) >= case.share

    within(tmp_path, work)
    assert learned(advance(start(spec), case.steps).state) >= case.share


def test_what_stands_for_a_class_is_said_where_targets_are_shown(tmp_path: Path) -> None:
    """Labels 0 and 1 are -1 and +1 to a loss of differences: the trace says so, its moments and the page too."""

    async def work(client: AsyncClient) -> None:
        body = {
            "data": {"x": [r[:2] for r in XOR], "y": [r[2] for r in XOR]},
            "hidden": [2],
            "output_activation": "identity",
        }
        run = (await client.post("/api/v1/runs", json=body)).json()["id"]
        step = (await client.get(f"/api/v1/runs/{run}/trace")).json()
        assert (step["targets"], step["classes"]) == ([-1.0, 1.0], ["0", "1"])
        assert {y for (y,) in step["y"]} == {-1.0, 1.0}
        data = (await client.get(f"/api/v1/runs/{run}/data")).json()
        assert (data["targets"], sorted(np.ravel(data["y"]))) == ([-1.0, 1.0], [0, 0, 1, 1])
        moments = (await client.get(f"/api/v1/runs/{run}/walkthrough?example=0")).json()["moments"]
        assert re.search(r"its target, [−+]1 \([01]\)", moments[0]["words"])
        page = (await client.get(f"/?run={run}&example=0")).text
        assert re.search(r"class [01] \(target [−+]?1\)", page)
        plain = (await client.post("/api/v1/runs", json={"dataset": "line"})).json()["id"]
        values = (await client.get(f"/api/v1/runs/{plain}/trace")).json()
        assert (values["targets"], values["classes"]) == (None, None)

    within(tmp_path, work)


def test_infinity_is_refused_by_its_place_in_what_was_given() -> None:
    """Also where rows before it are left out."""
    with pytest.raises(SpecError, match=r"data.x.2.1: inf"):
        Spec.make(data={"x": [[1, 2], [None, 3], [4, float("inf")]], "y": [0, 1, 0]})
