"""A penalty is one entry in one table: one that is planted there is told rightly everywhere, without another line."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from test_digits import evaluated

from app.explain.moments import Moment
from app.explain.receipts import receipt
from app.explain.rows import rows_of
from app.explain.walkthrough import walkthrough
from app.main import create_app
from app.run import answers
from app.settings import Settings
from app.words.columns import Cell
from app.words.numbers import unsigned
from app.words.segments import text_of
from engine import FIELDS, OPTIMIZERS, PENALTIES, Quantity, Spec, Trace, advance, start, trace
from engine.equation import WEIGHT, f
from engine.penalties import Penalty
from engine.program import program

CUBIC = Penalty(
    "cubic",
    "Cubic",
    f("cube", f("abs", WEIGHT)) / 3.0,
    f("abs", WEIGHT) * WEIGHT,
    "weights, the largest above all,",
    "Adds rate / 3 times the sum of |w| cubed.",
    lambda w: float((np.abs(w) ** 3).sum()) / 3,
    lambda w: np.abs(w) * w,
)
ASKED = {"regularization": "cubic", "regularization_rate": 0.3, "samples": 40}


@pytest.fixture(autouse=True)
def cubic(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A third penalty in the table; what is worked out of the table once is worked out anew."""
    monkeypatch.setitem(PENALTIES, "cubic", CUBIC)
    monkeypatch.setitem(FIELDS, "regularization", replace(FIELDS["regularization"], choices=tuple(PENALTIES)))
    answers.catalog.cache_clear()
    yield
    answers.catalog.cache_clear()


def step_of(**fields: Any) -> Trace:
    return trace(advance(start(Spec.make(ASKED | fields)), 3).state, 5)


def the(step: Trace, target: str) -> Moment:
    return next(moment for moment in walkthrough(step, "operation") if target in map(str, moment.targets))


def weights(step: Trace) -> np.ndarray[Any, Any]:
    return np.concatenate([layer.W.ravel() for layer in step.layers])


@pytest.mark.parametrize("name", ["l1", "l2", "cubic"])
def test_the_screen_shows_of_what_the_penalty_is(name: str) -> None:
    """The weights that cost most, how many others there are, and what all cost: each as the weights themselves are."""
    step = step_of(regularization=name)
    walk, entry, rate = walkthrough(step, "unit"), PENALTIES[name], step.spec.regularization_rate
    moment = next(each for each in walk if each.kind == "penalty")
    columns = [cell for block in rows_of(walk.scene, moment, 40).blocks for cell in block.symbols]
    shown = [step.layers[of.layer - 1].W[of.unit - 1, of.source - 1] for of in map(Quantity.parse, parts(columns))]
    most = sorted(map(abs, weights(step)), reverse=True)
    assert sorted(map(abs, shown), reverse=True) == most[: len(shown)]
    assert f"… ({len(most) - len(shown)})" in [str(cell.symbol) for cell in columns]
    others = entry.value(weights(step)) - sum(entry.value(np.array([weight])) for weight in shown)
    assert next(cell.value for cell in columns if "…" in cell.symbol) == pytest.approx(others)
    words = text_of(moment.words)
    count, cost, penalty = re.search(
        r"What the (\d+) weights cost adds up to (\S+); .* that is (\S+)\.", words
    ).groups()
    assert int(count) == weights(step).size
    assert float(cost) == pytest.approx(entry.value(weights(step)), rel=1e-3)
    assert f"{float(cost) * rate:.3e}" == f"{float(penalty):.3e}"
    loss, more, both = map(float, re.search(r"smaller: (\S+) \+ (\S+) = (\S+)\.", words).groups())
    assert loss + more == pytest.approx(both, rel=2e-4)
    assert (loss, both) == pytest.approx((step.loss, step.loss + step.penalty), rel=2e-4)


def parts(columns: list[Cell]) -> list[str]:
    """The weights that stand in columns."""
    return [cell.part for cell in columns if cell.part.startswith("W")]


@pytest.mark.parametrize("name", ["l1", "l2", "cubic"])
def test_every_printed_product_holds(name: str) -> None:
    """Rate × what the weights come to is the penalty; rate × the slope at a weight is what its gradient gets."""
    step = step_of(regularization=name)
    rate, total, both = text_of(the(step, "penalty").numbers).split("; ")
    assert rate == "λ = 0.3"
    _, product, penalty = total.split(" = ")
    assert evaluated(product)[0] == pytest.approx(step.penalty, rel=1e-3)
    assert penalty == unsigned(step.penalty)
    assert both.endswith(f"= {unsigned(step.loss + step.penalty)}")
    for k, layer in enumerate(step.layers, 1):
        for (j, i), pull in np.ndenumerate(layer.dW_penalty):
            moment = the(step, f"dR{k}.{j + 1}.{i + 1}")
            product, shown = text_of(moment.numbers).split("; ")[-1].split(" = ")
            assert evaluated(product)[0] == pytest.approx(pull, rel=1e-3)
            assert evaluated(shown)[0] == pytest.approx(pull, rel=1e-3)
            assert "towards 0" in text_of(moment.words)


def test_its_words_and_symbols_are_its_own() -> None:
    """Nothing of it is told as L2: not in the walkthrough, not in the receipt, not in the update."""
    step = step_of()
    penalty, pull = the(step, "penalty"), the(step, "dR2.1.3")
    assert penalty.symbols == r"R = \lambda\, \sum \frac{|W|^{3}}{3}"
    told = "Cubic regularization adds its own, a penalty: weights, the largest above all, cost "
    assert text_of(penalty.words).startswith(told)
    assert pull.symbols == r"\lambda\, |W_{2,1,3}|\, W_{2,1,3}"
    assert r"+ \lambda\, |W_{2,1,3}|\, W_{2,1,3}" in the(step, "W2.1.3").symbols
    adam = step_of(optimizer="adam")
    assert r"\lambda\, |W_{2,1,3}|\, W_{2,1,3}" in receipt(adam, "W2.1.3").symbols
    assert "Cubic adds" in [line.label for line in receipt(step, "W2.1.3").lines]
    for moment in walkthrough(step, "operation"):
        assert "L2" not in text_of(moment.words)
        assert "½" not in text_of(moment.numbers)


def test_one_that_pushes_away_from_zero_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words follow the sign of the numbers, whatever an entry is called."""
    away = replace(CUBIC, value=lambda w: -CUBIC.value(w), gradient=lambda w: -np.abs(w) * w)
    monkeypatch.setitem(PENALTIES, "cubic", away)
    assert "pulls the weight away from 0" in text_of(the(step_of(), "dR2.1.3").words)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["l1", "l2", "cubic"])
def test_the_program_computes_it(optimizer: str, name: str) -> None:
    """The text's penalty and new parameters are the step's, under any optimizer."""
    step = step_of(optimizer=optimizer, regularization=name)
    names = program(step).run()
    assert names["penalty"] == pytest.approx(step.penalty, rel=1e-13)
    for k, layer in enumerate(step.layers, 1):
        np.testing.assert_allclose(names[f"W{k}_next"], layer.W_next, rtol=1e-11)
        if not OPTIMIZERS[optimizer].search:
            np.testing.assert_allclose(names[f"gW{k}"], layer.dW + layer.dW_penalty, rtol=1e-11)


def test_page_and_json_have_it(tmp_path: Path) -> None:
    """It is in the select box and in the catalog, and a run of it answers with its own formula and code."""
    step = trace(start(Spec.make(ASKED)))
    link = "/?samples=40&regularization=cubic&regularization_rate=0.3&select=W2.1.3"

    async def main() -> None:
        app = create_app(Settings(store=str(tmp_path / "runs.sqlite3"), step_seconds=60, replay_seconds=60))
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        ):
            page = (await client.get(link)).text
            assert re.search(r'<option value="cubic"[^>]* selected[^>]*>Cubic</option>', page)
            assert "Cubic adds" in page
            entry = (await client.get("/api/v1/catalog")).json()["regularizations"]["cubic"]
            formula = r"R = \lambda\, \sum \frac{|W|^{3}}{3}"
            assert (entry["formula"], entry["code"]) == (formula, "(np.abs(W)**3 / 3).sum()")
            run = "/api/v1/runs/" + (await client.post("/api/v1/runs", json=ASKED)).json()["id"]
            told = (await client.get(run + "/walkthrough?granularity=operation")).json()
            assert formula in [moment["symbols"] for moment in told["moments"]]
            assert any("np.abs(W2) * W2" in line for line in told["code"])
            receipt = (await client.get(run + "/receipt?address=W2.1.3")).json()
            assert r"|W_{2,1,3}|\, W_{2,1,3}" in receipt["symbols"]
            assert receipt["facts"]["penalty_gradient"] == step.layers[1].dW_penalty[0, 2]

    asyncio.run(main())
