"""The lesson on normalization: its ways are the engine's, its drawings read back to them, its nudges run it again."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from reading import Element, Scale, page, points, scales, told

from app.draw.rendering import ENV
from app.learn import norms
from app.learn.facts import Facts
from app.learn.lessons import lessons
from app.learn.listings import run_listing
from app.learn.pages import render
from engine import Spec, diagnose, start

LESSON = next(lesson for lesson in lessons(ENV) if lesson.slug == "normalization")
RUN: Facts = LESSON.head.run
WAYS = norms.ways(RUN)
COUNT = len(WAYS.z)


def shown(screen: int, **query: str) -> Element:
    return page(str(render(LESSON, {"screen": str(screen), **query})[0]))


def number(text: str) -> float:
    return told(text.strip().lstrip("+"))


def rows(body: Element) -> dict[str, str]:
    (table,) = body.all("table", "numbers")
    return {row.one("th").words: row.one("td").words for row in table.all("tr")}


def across(svg: Element) -> Scale:
    """The axis along the bottom of a drawing that has no other."""
    (x1, one), (x2, two) = ((tick.number("x"), told(tick.words)) for tick in svg.all("text", "tick")[:2])
    return Scale(x1, one, (two - one) / (x2 - x1), False)


def test_the_three_ways_are_the_engines() -> None:
    """They add up to its δ, which is the nudge's; and leave nothing of a level, nor of a tilt."""
    layer = RUN.trace.layers[0]
    order = np.argsort(RUN.trace.examples)
    assert layer.norm is not None
    total = np.array(WAYS.own) + WAYS.through_mean + WAYS.through_spread
    assert np.allclose(total, layer.dz[order, 0], atol=1e-15)
    assert np.allclose(np.array(WAYS.left) / WAYS.spread, layer.dz[order, 0], atol=1e-6)
    for example in range(COUNT):
        rows = [list(row) for row in LESSON.spec["data"]["x"]]
        (place,) = [k for k, row in enumerate(rows) if np.allclose(row, RUN.trace.x[order[example]])]
        losses = []
        for way in (1e-5, -1e-5):
            now = [[x + way * (k == place and column == 0) for column, x in enumerate(r)] for k, r in enumerate(rows)]
            spec = {**LESSON.spec, "data": {**LESSON.spec["data"], "x": now}}
            losses.append(Facts(start(Spec.make(spec))).loss)
        assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(WAYS.delta[example], abs=1e-8)
    for back in ([0.3] * COUNT, [0.2 * x for x in WAYS.xhat]):
        assert np.allclose(norms.with_back(WAYS, back).delta, 0, atol=1e-5)
    again = norms.with_back(WAYS, WAYS.back)
    for name in ("own", "through_mean", "through_spread", "delta"):
        assert np.allclose(getattr(again, name), getattr(WAYS, name), atol=1e-9)


@pytest.mark.parametrize(("factor", "shift"), [("1", "0"), ("0.5", "-2"), ("2", "1.5")])
def test_whatever_goes_in_the_same_comes_out(factor: str, shift: str) -> None:
    """z is where the weights put it, x̂ stays; the bar is as long as the spread to both sides of the mean."""
    body = shown(1, factor=factor, shift=shift)
    svg = body.one("svg", "plot")
    x = across(svg)
    z = np.array(WAYS.z) + RUN["W1.1.1"] * 0
    base = (z - RUN["b1.1"]) * float(factor) + RUN["b1.1"] + float(shift)
    assert np.allclose([x(dot.number("cx")) for dot in svg.all("circle", "z")], base, atol=0.03)
    assert np.allclose([x(dot.number("cx")) for dot in svg.all("circle", "xhat")], WAYS.xhat, atol=0.03)
    bar = svg.one("line", "spread")
    ends = [x(bar.number("x1")), x(bar.number("x2"))]
    assert ends == pytest.approx([base.mean() - base.std(), base.mean() + base.std()], abs=0.03)
    told_ = rows(body)
    assert number(told_["mean μ"]) == pytest.approx(base.mean(), abs=1e-3)
    assert number(told_["example 1: x̂"]) == pytest.approx(WAYS.xhat[0], abs=1e-3)


@pytest.mark.parametrize(("place", "amount"), [("0", "1.5"), ("3", "-0.7"), ("5", "0")])
def test_one_nudge_is_drawn_and_told(place: str, amount: str) -> None:
    """Rings where all were, dots where they are; each x̂ moves as the table says."""
    body = shown(2, example=place, nudge=amount)
    svg = body.one("svg", "plot")
    x = across(svg)
    z = np.array(WAYS.z) + float(amount) * (np.arange(COUNT) == int(place))
    hat = (z - z.mean()) / z.std()
    assert np.allclose([x(dot.number("cx")) for dot in svg.all("circle", "z")], z, atol=0.03)
    assert np.allclose([x(dot.number("cx")) for dot in svg.all("circle", "xhat")], hat, atol=0.03)
    were = [x(dot.number("cx")) for dot in svg.all("circle", "was")]
    assert np.allclose(were, np.ravel(list(zip(WAYS.z, WAYS.xhat, strict=True))), atol=0.03)
    cells = np.array([number(cell.words) for cell in body.one("table", "grid-table").all("td")]).reshape(COUNT, 3)
    assert np.allclose(cells, np.transpose([WAYS.xhat, hat, hat - np.array(WAYS.xhat)]), atol=6e-4)
    (large,) = [k for k, dot in enumerate(svg.all("circle", "xhat")) if dot.number("r") > 6]
    assert large == int(place)


@pytest.mark.parametrize("example", range(COUNT))
def test_the_waterfall_adds_up(example: int) -> None:
    """Each bar begins where the one before it ended and is as long as its way; the last one is their sum."""
    body = shown(3, example=str(example))
    svg = body.one("svg", "plot")
    ticks = [(mark.number("y") - 4, told(mark.words)) for mark in svg.all("text", "tick")]
    (y1, one), (y2, two) = ticks[0], ticks[-1]
    y = Scale(y1, one, (two - one) / (y2 - y1), False)
    ways = [WAYS.own[example], WAYS.through_mean[example], WAYS.through_spread[example]]
    ends = np.cumsum([0.0, *ways])
    spans = [(ends[k], ends[k + 1]) for k in range(3)] + [(0.0, ends[3])]
    for bar, (begin, end) in zip(svg.all("rect", "way-bar"), spans, strict=True):
        drawn_ = [y(bar.number("y")), y(bar.number("y") + bar.number("height"))]
        assert drawn_ == pytest.approx([max(begin, end), min(begin, end)], abs=0.002)
    labels = [number(each.words) for each in svg.all("text", "dot-label")]
    assert labels == pytest.approx([*ways, ends[3]], abs=6e-5)
    told_ = rows(body)
    assert number(told_["together: δ"]) == number(told_["this z nudged, and the network run again"])


@pytest.mark.parametrize("kind", ["batch", "even", "tilted"])
def test_level_and_tilt_are_the_line_of_the_dots(kind: str) -> None:
    """The line is the least squares one, a stem runs from it to each dot, and what is left is told."""
    body = shown(4, back=kind)
    svg = body.one("svg", "plot")
    x, y = scales(svg)
    dots = [(x(dot.number("cx")), y(dot.number("cy"))) for dot in svg.all("circle", "backward")]
    hat, back = np.array(dots).T
    assert np.allclose(hat, WAYS.xhat, atol=0.02)
    if kind == "batch":
        assert np.allclose(back, WAYS.back, atol=0.002)
    slope, height = np.polyfit(hat, back, 1)
    ends = [(x(px), y(py)) for px, py in points(svg.one("path", "tilt")["d"])]
    assert np.allclose([height + slope * at for at, _ in ends], [at for _, at in ends], atol=0.003)
    assert all(y(py) == pytest.approx(back.mean(), abs=0.002) for _, py in points(svg.one("path", "ghost")["d"]))
    left = []
    for stem, at, end in zip(svg.all("line", "left-over"), hat, back, strict=True):
        assert y(stem.number("y1")) == pytest.approx(height + slope * at, abs=0.003)
        assert y(stem.number("y2")) == pytest.approx(end, abs=0.003)
        left.append(end - height - slope * at)
    largest = number(rows(body)["the largest δ that goes on to z"])
    assert largest == pytest.approx(max(map(abs, left)) / WAYS.spread, abs=0.006)
    assert (largest == 0) == (kind != "batch")


def test_the_listing_is_right() -> None:
    """By the judge that homework has; with this page's own sums."""
    made = run_listing("norm.py")
    column: dict[str, Any] = {name: made[name][:, None] for name in ("z", "dn", "dz")}
    found = diagnose(
        "batch_norm", {"x": column["z"], "gamma": [made["gamma"]], "beta": [made["beta"]]}, column["dn"],
        {"dx": column["dz"], "dgamma": [made["dgamma"]], "dbeta": [made["dbeta"]]},
    )  # fmt: skip
    assert found.right
    assert np.allclose(made["z"], WAYS.z)
    norm, order = norms.norm_of(RUN), np.argsort(RUN.trace.examples)
    assert np.allclose(made["dn"], norm.dn[order, 0], atol=0.00501)
    assert (made["gamma"], made["beta"]) == (norm.gamma[0], norm.beta[0])


@pytest.mark.parametrize(("way", "word"), [("down", "better"), ("up", "worse")])
def test_z_moves_as_was_said(way: str, word: str) -> None:
    """By 0.1, against its δ or with it, and the loss is the engine's there."""
    spec = norms.moved(RUN, LESSON.spec, 3, 0.1 if way == "up" else -0.1)
    loss = Facts(start(Spec.make(spec))).loss
    body = str(render(LESSON, {"screen": "3", "sign": way})[0])
    assert f"{loss:.4f}: {word}." in body
    assert not re.search("as you said", str(render(LESSON, {"screen": "3"})[0]))
