"""The lessons on images: cells, frames and sums read back, against sums written out here and against the nudge."""

from __future__ import annotations

import numpy as np
import pytest
from reading import Element, page, told

from app.draw.rendering import ENV
from app.learn import windows
from app.learn.lessons import lessons
from app.learn.listings import run_listing
from app.learn.pages import render
from engine import diagnose

LESSON, POOLING = (
    next(lesson for lesson in lessons(ENV) if lesson.slug == slug) for slug in ("convolution", "pooling")
)
X, W, B, TARGET = np.array(LESSON.head.x), np.array(LESSON.head.W), LESSON.head.b, np.array(LESSON.head.target)
OUT = np.array([[(X[i : i + 3, j : j + 3] * W).sum() + B for j in range(3)] for i in range(3)])
DELTA = OUT - TARGET


def shown(screen: int, **query: str) -> Element:
    return page(str(render(LESSON, {"screen": str(screen), **query})[0]))


def pooled(screen: int, **query: str) -> Element:
    return page(str(render(POOLING, {"screen": str(screen), **query})[0]))


def number(text: str) -> float:
    return told(text.lstrip("+"))


def cells(body: Element, name: str) -> np.ndarray:
    """The numbers of a map by where they stand, and that each is coloured by its sign and its share of the largest."""
    (of,) = [each for each in body.all("g", "cells") if each["data-map"].startswith(name)]
    rects, texts = of.all("rect", "cell"), of.all("text", "cell-text")
    rows = sorted({rect.number("y") for rect in rects})
    columns = sorted({rect.number("x") for rect in rects})
    found = np.full((len(rows), len(columns)), np.nan)
    for rect, text in zip(rects, texts, strict=True):
        assert rect.number("x") < text.number("x") < rect.number("x") + rect.number("width")
        assert rect.number("y") < text.number("y") < rect.number("y") + rect.number("height")
        if text.words != "?":
            found[rows.index(rect.number("y")), columns.index(rect.number("x"))] = number(text.words)
    for rect, value in zip(rects, found.ravel(), strict=True):
        if np.isnan(value):
            assert rect.number("fill-opacity") == 0
        elif value:
            assert ("positive" in rect.classes) == (value > 0)
        if not np.isnan(found).any():
            share = rect.number("fill-opacity") / 0.55
            assert share == pytest.approx(abs(value) / np.nanmax(np.abs(found)), abs=0.06)
    return found


def framed(body: Element, name: str) -> list[tuple[int, int, int, int]]:
    """The frames over a map, as (row, column, rows, columns)."""
    (of,) = [each for each in body.all("g", "cells") if each["data-map"].startswith(name)]
    rects = of.all("rect", "cell")
    side = rects[0].number("width")
    left, top = min(rect.number("x") for rect in rects), min(rect.number("y") for rect in rects)
    right, low = max(rect.number("x") for rect in rects), max(rect.number("y") for rect in rects)
    found = []
    for each in body.all("rect", "window"):
        if left <= each.number("x") <= right and top <= each.number("y") <= low:
            place = ((each.number("y") - top) / side, (each.number("x") - left) / side)
            size = (each.number("height") / side, each.number("width") / side)
            found.append(tuple(round(value) for value in (*place, *size)))
    return found  # type: ignore[return-value]


def rows(body: Element) -> list[list[float]]:
    table = body.one("table", "grid-table").all("tr")[1:]
    return [[number(cell.words) for cell in row.all("td") if cell.words] for row in table]


@pytest.mark.parametrize("place", [0, 5, 8])
def test_the_filter_over_a_place(place: int) -> None:
    """The frame is over its window, and only places so far have their number."""
    body = shown(1, place=str(place))
    i, j = divmod(place, 3)
    assert np.allclose(cells(body, "image"), X)
    assert np.allclose(cells(body, "filter"), W)
    out = cells(body, "what it gives")
    assert np.isnan(out.ravel()).tolist() == [k > place for k in range(9)]
    assert out[i, j] == pytest.approx(OUT[i, j], abs=0.051)
    assert framed(body, "image") == [(i, j, 3, 3)]
    assert framed(body, "what it gives") == [(i, j, 1, 1)]


@pytest.mark.parametrize("weight", range(9))
def test_one_weight_and_the_sum_over_its_places(weight: int) -> None:
    """Window and δ are as large as each other; their products are the rows, their sum is the nudge's."""
    body = shown(2, weight=str(weight))
    i, j = divmod(weight, 3)
    assert framed(body, "image") == [(i, j, 3, 3)]
    assert framed(body, "filter") == [(i, j, 1, 1)]
    assert framed(body, "δ at") == [(0, 0, 3, 3)]
    assert np.allclose(cells(body, "δ at"), DELTA, atol=0.051)
    met = X[i : i + 3, j : j + 3]
    *terms, [total], [nudged] = rows(body)
    assert np.allclose(terms, np.transpose([met.ravel(), DELTA.ravel(), (met * DELTA).ravel()]), atol=0.051)
    assert total == nudged == pytest.approx((met * DELTA).sum(), abs=0.006)


@pytest.mark.parametrize("pixel", range(25))
def test_one_pixel_and_all_who_looked_at_it(pixel: int) -> None:
    """The part of the turned filter that is framed lies on the framed places of δ, product by product."""
    body = shown(3, pixel=str(pixel))
    p, q = divmod(pixel, 5)
    ((y, x, high, wide),) = framed(body, "δ at")
    ((r, c, *same),) = framed(body, "filter, turned")
    assert same == [high, wide]
    assert framed(body, "image") == [(p, q, 1, 1)]
    turned = cells(body, "filter, turned")
    assert np.allclose(turned, W[::-1, ::-1])
    total = (DELTA[y : y + high, x : x + wide] * turned[r : r + high, c : c + wide]).sum()
    *terms, [told_], [nudged] = rows(body)
    assert len(terms) == high * wide == sum(0 <= p - i < 3 and 0 <= q - j < 3 for i in range(3) for j in range(3))
    assert told_ == nudged == pytest.approx(total, abs=0.006)


def test_the_listing_is_right() -> None:
    """By the judge that homework has, with this page's own numbers."""
    made = run_listing("conv.py")
    assert np.array_equal(made["x"], X)
    assert np.array_equal(made["W"], W)
    assert np.array_equal(made["target"], TARGET)
    assert np.allclose(made["out"], OUT)
    mine = {"dx": made["dx"][None, None], "dW": made["dW"][None, None], "db": [made["db"]]}
    found = diagnose("conv2d", {"x": X[None, None], "W": W[None, None], "b": [B]}, DELTA[None, None], mine)
    assert found.right


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_weight_moves_as_was_said(way: str) -> None:
    """By 0.1, and the loss told is that of the moved filter."""
    seen = windows.convolution(LESSON.head)
    loss = seen.moved("W", (1, 2), 0.1 if way == "up" else -0.1).loss
    better = loss < seen.loss
    assert better == ((way == "up") == (seen.gradients()["dW"][0, 0, 1, 2] < 0))
    body = str(render(LESSON, {"screen": "2", "way": way})[0])
    assert f"{loss:.4f}: {'better' if better else 'worse'}." in body


P, WANTED = np.array(POOLING.head.x), np.array(POOLING.head.target)


def back_through(largest: bool, stride: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a pool of 2 × 2 gives, the misses, and what comes back to each pixel: window by window."""
    side = (4 - 2) // stride + 1
    out, back = np.zeros((side, side)), np.zeros((4, 4))
    for i, j in np.ndindex(side, side):
        window = P[stride * i : stride * i + 2, stride * j : stride * j + 2]
        out[i, j] = window.max() if largest else window.mean()
    miss = out - WANTED[:side, :side]
    for i, j in np.ndindex(side, side):
        r, c = stride * i, stride * j
        window = P[r : r + 2, c : c + 2]
        if largest:
            k, m = np.argwhere(window == window.max())[0]
            back[r + k, c + m] += miss[i, j]
        else:
            back[r : r + 2, c : c + 2] += miss[i, j] / 4
    return out, miss, back


@pytest.mark.parametrize("window", range(4))
def test_the_largest_of_each_window(window: int) -> None:
    """Windows so far have their number, and their winner has a frame of its own."""
    body = pooled(1, window=str(window))
    out, _, back = back_through(True, 2)
    i, j = divmod(window, 2)
    given = cells(body, "what it gives").ravel()
    assert np.allclose(given[: window + 1], out.ravel()[: window + 1])
    assert np.isnan(given[window + 1 :]).all()
    marks = framed(body, "image")
    assert (2 * i, 2 * j, 2, 2) in marks
    winners = {(r, c) for r, c, high, _ in marks if high == 1}
    assert len(winners) == window + 1
    assert winners <= {(int(r), int(c)) for r, c in np.argwhere(back != 0)}


@pytest.mark.parametrize("kind", ["max_pool", "avg_pool"])
def test_what_comes_back_through_a_pool(kind: str) -> None:
    """To the winner alone, or to all alike; what is asked about is a question mark until it is answered."""
    out, miss, back = back_through(kind == "max_pool", 2)
    body = pooled(3, pool=kind, share="-0.2")
    assert np.allclose(cells(body, "what it gives"), out)
    assert np.allclose(cells(body, "δ of each"), miss, atol=0.051)
    assert np.allclose(cells(body, "what comes back"), back, atol=0.051)
    assert np.isnan(cells(pooled(3, pool=kind), "what comes back")).sum() == (0 if kind == "max_pool" else 4)
    assert np.isnan(cells(pooled(2), "what comes back")).sum() == 1
    assert np.allclose(cells(pooled(2, winner="-0.2"), "what comes back"), back_through(True, 2)[2], atol=0.051)


@pytest.mark.parametrize("pixel", range(16))
def test_a_winner_of_several_windows_gets_their_sum(pixel: int) -> None:
    """The δ that are framed are those of its windows; they add up to what comes back, as a nudge finds."""
    _, miss, back = back_through(True, 1)
    body = pooled(4, pixel=str(pixel), several="0.9")
    place = divmod(pixel, 4)
    assert np.allclose(cells(body, "what comes back"), back, atol=0.051)
    assert framed(body, "image") == [(*place, 1, 1)]
    wins = [(i, j) for i, j, _, _ in framed(body, "δ of each")]
    assert sum(miss[win] for win in wins) == pytest.approx(back[place])
    told_ = {row.one("th").words: number(row.one("td").words) for row in body.one("table", "numbers").all("tr")}
    assert len(told_) == len(wins) + 2
    assert told_["together"] == pytest.approx(back[place], abs=0.006)
    assert told_["nudged, and the loss computed again"] == pytest.approx(back[place], abs=0.006)


def test_the_pools_of_the_listing_are_right() -> None:
    """By the judge that homework has, with this page's own image and misses."""
    made, (_, miss, _) = run_listing("pool.py"), back_through(True, 2)
    assert np.array_equal(made["x"], P)
    assert np.allclose(made["d"], miss)
    for kind, mine in (("max_pool", "to_winner"), ("avg_pool", "to_all")):
        given = {"x": P[None, None].astype(float)}
        assert diagnose(kind, given, made["d"][None, None], {"dx": made[mine][None, None]}, size=2).right


@pytest.mark.parametrize("way", ["up", "down", "stay"])
def test_a_loser_moves_and_nobody_hears(way: str) -> None:
    """The loss stays as it is, whichever way was chosen."""
    assert "the same." in str(render(POOLING, {"screen": "2", "move": way})[0])
