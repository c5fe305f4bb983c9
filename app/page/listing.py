"""The visitor's runs as a table: each with its loss as a small line, in the order that a column asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from fastapi import APIRouter, Request, Response

from app.draw.charts import sparkline
from app.draw.outputs import title_of
from app.draw.rendering import render
from app.page.asked import asked
from app.page.links import Link
from app.run.links import fits, url_of
from app.run.record import Summary
from app.run.runs import Run
from app.serve.html import html
from app.words.numbers import given
from app.words.texts import text

router = APIRouter(include_in_schema=False)

SHOWN = 30
_ORDERS: dict[str, Callable[[Summary], float]] = {
    "step": lambda each: -each.step,
    "train": lambda each: _number(each.loss["train"]),
    "test": lambda each: _number(each.loss["test"]),
}


@dataclass(frozen=True)
class RunRow:
    """A run of the table: what it is, where it stands, its link and the line of its train loss."""

    summary: Summary
    title: str
    url: str
    line: str


@router.get("/runs")
async def listing(request: Request) -> Response:
    """The runs changed last first, the most steps first, or the least loss first."""
    ask = await asked(request)
    order = ask.text("sort")
    found: Sequence[Summary] = await ask.runs.list(ask.visitor)
    if order in _ORDERS:
        found = sorted(found, key=_ORDERS[order])
    rows = [_row(each, await ask.runs.get(each.id)) for each in found[:SHOWN]]
    parts = {"rows": rows, "run": ask.text("run"), "compared": ask.view().compare, "sort": order}
    return html(ask.request, render("_runs.html", parts))


def _number(loss: float | None) -> float:
    """What has none stands last."""
    return inf if loss is None or not isfinite(loss) else loss


def _row(summary: Summary, run: Run) -> RunRow:
    return RunRow(summary, _title(run), _address(run), sparkline(run.sampled.values[:, 0], 72, 18, log=False))


def _address(run: Run) -> str:
    """Its link, or its name where its data is too long for one."""
    fields = Link(run.origin, run.edits).fields()
    return url_of(fields if fits(fields) else {"run": run.id})


def _title(run: Run) -> str:
    spec = run.state.spec
    shape = "-".join(map(str, spec.network.sizes))
    return text(
        "{data} {shape}, {optimizer} {rate}, seed {seed}",
        data=title_of(spec),
        shape=shape,
        optimizer=text(spec.optimizer),
        rate=given(spec.learning_rate),
        seed=spec.seed,
    )
