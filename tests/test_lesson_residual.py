"""The lesson on dropout and shortcuts: its numbers are the engine's, its program comes to them, its curves too."""

from __future__ import annotations

import numpy as np
import pytest
from reading import Element, page, points, scales, told

from app.draw.rendering import ENV
from app.learn import pieces, residual
from app.learn.facts import Facts
from app.learn.lessons import lessons
from app.learn.listings import run_listing
from app.learn.pages import render
from engine import Spec, advance, evaluate, start

LESSON = next(lesson for lesson in lessons(ENV) if lesson.slug == "dropout-and-shortcuts")
RUN: Facts = LESSON.head.run


def shown(screen: int, **query: str) -> Element:
    return page(str(render(LESSON, {"screen": str(screen), **query})[0]))


def cells(body: Element) -> list[list[str]]:
    return [[cell.words for cell in row.all("td")] for row in body.one("table", "grid-table").all("tr")[1:]]


def number(text: str) -> float:
    return told(text.lstrip("+"))


def rows(body: Element) -> dict[str, str]:
    return {row.one("th").words: row.one("td").words for row in body.one("table", "numbers").all("tr")}


def test_two_ways_are_the_engines() -> None:
    """Over the shortcut unchanged and through the block they add up to what comes back; the nudge of a bias agrees."""
    b = residual.block(RUN)
    assert np.allclose(np.array(b.back) + b.through, b.total, atol=1e-15)
    assert np.allclose(np.array(b.given) + b.h, b.sums, atol=1e-15)
    assert np.allclose(np.array(b.a) * b.mask, b.h, atol=1e-15)
    assert np.allclose(np.array(b.back) * b.mask, b.back_a, atol=1e-15)
    assert b.out == (1,)
    for unit in (1, 2, 3):
        up, down = pieces.nudges(RUN, f"b1.{unit}", [1e-5, -1e-5])
        assert (up.slope + down.slope) / 2 == pytest.approx(b.delta[unit - 1], abs=1e-8)
        told_ = rows(shown(4, unit=str(unit - 1)))
        assert number(told_["together"]) == pytest.approx(b.total[unit - 1], abs=6e-6)
        assert told_["× its slope: δ"] == told_["its bias nudged, and the network run again"]


def test_the_program_is_the_network() -> None:
    """Every array of the listing, forwards and back, is the engine's of the lesson's own run."""
    made, b = run_listing("residual.py"), residual.block(RUN)
    assert made["loss"] == pytest.approx(RUN.loss, rel=1e-12)
    engines = {"a1": b.given, "a2": b.a, "h2": b.h, "o2": b.sums, "do2": b.back, "da2": b.back_a,
               "dz2": b.delta_block, "da1": b.total, "dz1": b.delta}  # fmt: skip
    for name, wanted in engines.items():
        assert np.allclose(made[name], wanted, rtol=1e-12, atol=1e-15), name
    assert made["kept"].tolist() == [mask > 0 for mask in b.mask]


@pytest.mark.parametrize("step", range(10))
def test_each_step_has_its_own_mask(step: int) -> None:
    """The table tells the trace of that step; in the drawing the units that are out are crossed, and no others."""
    body = shown(1, step=str(step), kept="1.1019")
    layer = Facts(advance(RUN.state, step).state, 0).trace.layers[1]
    assert layer.mask is not None
    assert layer.h is not None
    found = np.array([[number(cell) for cell in row] for row in cells(body)]).T
    assert np.allclose(found, [layer.a[0], layer.mask[0], layer.h[0]], atol=6e-4)
    heads = [row.one("th").words for row in body.one("table", "grid-table").all("tr")[1:]]
    assert [head.endswith("out") for head in heads] == (layer.mask[0] == 0).tolist()
    assert len(body.all("", "crossed")) in (0, int((layer.mask[0] == 0).sum()))


def test_what_is_asked_is_not_told_beside_it() -> None:
    """What a kept unit gives on, and what comes back to it, are question marks until they are answered."""
    for screen, task, answer in ((1, "kept", "1.1019"), (2, "back", "0.467")):
        assert "?" in [cell for row in cells(shown(screen)) for cell in row]
        assert "?" not in [cell for row in cells(shown(screen, **{task: answer})) for cell in row]


def test_back_through_the_same_mask() -> None:
    """The table of the way back is the trace."""
    layer = RUN.trace.layers[1]
    found = np.array([[number(cell) for cell in row] for row in cells(shown(2, back="0.467"))]).T
    assert layer.mask is not None
    assert np.allclose(found, [layer.back[0], layer.mask[0], layer.da[0], layer.dz[0]], atol=6e-4)


@pytest.mark.parametrize("rate", ["0", "0.25", "0.5"])
def test_the_curves_of_learning_by_heart(rate: str) -> None:
    """Both curves run through the engine's losses, and end where the numbers say."""
    body = shown(3, rate=rate)
    svg = body.one("svg", "plot")
    x, y = scales(svg)
    each = "dense 32 relu" + (f", dropout {rate}" if float(rate) else "")
    state = start(Spec.make({**LESSON.head.heavy, "layers": f"{each}, {each}"}))
    for part, kind, row in (
        ("train", "update", "at the end, on the examples it learns from"),
        ("test", "look", "on others"),
    ):
        line = points(svg.one("path", "series", kind)["d"])
        for place in (0, 5, -1):
            step = round(x(line[place, 0]))
            loss = evaluate(advance(state, step).state)[part].loss
            assert y(line[place, 1]) == pytest.approx(loss, abs=0.004)
        assert number(rows(body)[row]) == pytest.approx(loss, abs=6e-5)


@pytest.mark.parametrize("kind", ["no", "yes"])
def test_the_bars_with_and_without_shortcuts(kind: str) -> None:
    """A bar a layer, of the network that was chosen."""
    body = shown(6, shortcuts=kind, depth="5")
    each = "dense 8 tanh" + (", shortcut 1" if kind == "yes" else "")
    run = Facts(start(Spec.make({**LESSON.head.deep, "layers": ", ".join(["dense 8 tanh", *[each] * 4])})))
    sizes = [number(cell.words) for cell in body.one("table", "bars").all("td", "value")]
    assert sizes == pytest.approx([size for _, size in pieces.delta_norms(run)], rel=0.006)


def test_a_weight_into_a_unit_that_is_out_does_nothing() -> None:
    """Moved as was said, by 0.1 up or down, the loss is the same."""
    for way in ("up", "down"):
        assert "the same." in str(render(LESSON, {"screen": "2", "weight": way})[0])
