"""Trace a path: every way from the loss to a parameter, their sum, and what the receipt shows of them."""

from dataclasses import replace
from itertools import product
from math import prod
from pathlib import Path

import numpy as np
import pytest
from drawn import states
from hypothesis import given, settings
from hypothesis import strategies as st
from test_digits import evaluated, number
from test_pictures import Run, looking

from app.page.links import View
from app.page.ways import has_ways, ways_to
from app.words.segments import text_of
from engine import Quantity, RunState, Spec, SpecError, start, trace
from engine.lookup import Numbers
from engine.paths import WRITTEN, paths
from engine.quantity import unit

DEEP = "dense 3 tanh, dense 3 tanh, shortcut 1, dense 3 relu, shortcut 1"


def drawn(address: str) -> str:
    """What of the drawing a factor is marked at: a link by its weight, or the unit whose number it is."""
    of = Quantity.parse(address)
    return of.svg_id if of.kind == "W" else unit(of.layer, of.unit).svg_id


def test_the_drawn_path() -> None:
    """One way of five factors, as it is drawn: -0.9388 x 0.9963 x 1.0064 x 0.9813 x 0.6296."""
    (way,) = paths(trace(start(Spec.make()), 8), "W2.1.3").ways
    assert [str(factor.of) for factor in way.factors] == ["da3.1", "slope3.1", "W3.1.1", "slope2.1", "a1.3"]
    assert [round(f.value, 4) for f in way.factors] == [-0.9388, 0.9963, 1.0064, 0.9813, 0.6296]
    assert [round(f.so_far, 4) for f in way.factors] == [-0.9388, -0.9353, -0.9413, -0.9237, -0.5816]


@settings(max_examples=50, deadline=None)
@given(states(), st.data())
def test_the_ways_add_up_to_the_gradient(state: RunState, data: st.DataObject) -> None:
    """Each factor is the step's own number; there are as many ways as units above, multiplied; each is another."""
    step = trace(state, 3)
    if not np.isfinite(step.gradient).all() or not np.isfinite(step.layers[-1].da).all():
        return
    address = data.draw(st.sampled_from(list(step.spec.network.addresses())))
    found, look = paths(step, address), Numbers(step)
    for way in found.ways:
        assert way.product == way.factors[-1].so_far
        for factor in way.factors:
            of = factor.of if factor.of.kind == "W" else replace(factor.of, example=0)
            if not (of.kind == "o" and factor.value == 1.0) and not (of.kind == "slope" and of.source):
                assert factor.value == float(look(of))
    assert len({way.factors for way in found.ways}) == len(found.ways)
    if found.count <= WRITTEN:
        total, scale = sum(way.product for way in found.ways), sum(abs(way.product) for way in found.ways)
        assert len(found.ways) == found.count
        assert total == pytest.approx(found.gradient, rel=1e-9, abs=1e-12 * max(1.0, scale))
    if not step.spec.network.shortcuts and "softmax" not in step.spec.network.activation_names[:-1]:
        layer = int(address[1:].split(".")[0])
        assert found.count == prod(step.spec.network.sizes[layer + 1 :])


@pytest.mark.parametrize("address", ["W1.1.1", "W1.2.2", "b1.3", "W2.1.3", "b3.2", "W4.1.1"])
def test_ways_over_shortcuts(address: str) -> None:
    """What a shortcut brings back is a way of its own."""
    for loss in ("squared_error", "binary_cross_entropy"):
        step = trace(start(Spec.make(layers=DEEP, loss=loss)), 8)
        found = paths(step, address)
        assert sum(way.product for way in found.ways) == pytest.approx(found.gradient, rel=1e-9)
        assert len(found.ways) == found.count


def test_past_sixteen_the_strongest_stands_for_all() -> None:
    """Of 64 ways the one whose product is largest, and how few links they lead over."""
    step = trace(start(Spec.make(hidden=[2, 4, 4, 4])), 8)
    found = paths(step, "W1.1.2")
    weights = [layer.W for layer in step.layers]
    slopes = [1 - layer.a[0] ** 2 for layer in step.layers]
    sizes = []
    for a, b, c in product(range(4), repeat=3):
        chain = [weights[1][a, 0], weights[2][b, a], weights[3][c, b], weights[4][0, c]]
        bent = [slopes[0][0], slopes[1][a], slopes[2][b], slopes[3][c], slopes[4][0]]
        sizes.append(prod(chain) * prod(bent) * step.layers[-1].da[0, 0] * step.x[0, 1])
    assert (found.count, len(found.ways)) == (64, 1)
    assert found.links == 1 + 4 + 16 + 16 + 4
    assert abs(found.ways[0].product) == pytest.approx(max(map(abs, sizes)))
    assert sum(sizes) == pytest.approx(found.gradient)


def test_what_has_no_ways() -> None:
    """Several examples, an address that is none: named with what is allowed."""
    with pytest.raises(SpecError, match="one example"):
        paths(trace(start(Spec.make())), "W1.1.1")
    for address in ("W9.1.1", "a1.1", "x"):
        with pytest.raises(SpecError, match="in a network of"):
            paths(trace(start(Spec.make()), 8), address)
    state = start(Spec.make())
    assert not has_ways(state, View(example=8, select="a1.1"))
    assert not has_ways(state, View(select="W1.1.1"))


def test_the_receipt_writes_them_out(tmp_path: Path) -> None:
    """Products that close by the digits shown, the diagram's ids, the sum and the nudge; and only when it is known."""

    async def work(run: Run) -> None:
        for address in ("W2.1.3", "W1.2.1", "b1.1"):
            told = await run.json("paths", example=8, address=address)
            frame = await run.look(example=8, select=address)
            section = frame.one("section", id="ways")
            rows = section.all("button", "way")
            assert len(rows) == told["count"] == len(told["ways"])
            ids = {each.attrs.get("id") for each in frame}
            for row, way in zip(rows, told["ways"], strict=True):
                values = [each.text for each in row.all("span", "value")]
                assert [each.text for each in row.all("span", "n")] == [str(n + 1) for n in range(len(values))]
                exact, open_ = evaluated(" × ".join(f"({value})" for value in values))
                shown, half = number(row.one("strong").text.lstrip("+−"))
                assert abs(abs(exact) - shown) <= open_ + half
                assert way["product"] == pytest.approx(np.copysign(shown, exact), abs=2 * half)
                assert set(row["data-lights"].split()) <= ids
                assert row["data-marks"].split() == [drawn(each["of"]) for each in way["factors"]]
            ledger = section.one("dl", "ledger").all("dd")
            assert float(ledger[0].text.replace("−", "-")) == pytest.approx(told["gradient"], rel=1e-3)
            assert len(section.all("span", "update")) == 1
        for moment, there in ((10, 0), (25, 1)):
            frame = await run.look(example=8, select="W1.2.1", moment=moment)
            assert len(frame.all("section", id="ways")) == there
        assert not (await run.look(select="W1.2.1")).all("section", id="ways")

    looking(tmp_path, work, 0)


def test_the_words_count_the_ways() -> None:
    """One, several, and more than can be written out."""
    for hidden, address, said in (
        ([4, 2], "W2.1.3", "One way leads"),
        ([4, 2], "W1.1.1", "2 ways lead from the loss to W1.1.1"),
        ([2, 4, 4, 4], "W1.1.1", "64 ways lead from the loss to W1.1.1, over no more than 41 links"),
    ):
        told = ways_to(start(Spec.make(hidden=hidden)), View(example=8, select=address))
        assert text_of(told.words).startswith(said)
