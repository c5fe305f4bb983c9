"""The small pictures under Why?: every number, length and place in them is read back and held against the trace, and
what is added or multiplied closes as printed.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import Element, points, told
from test_chips import read
from test_pictures import DEFAULT, Run, looking

from app.explain.moments import Grain
from app.explain.plan import Key, plan_of
from app.explain.walkthrough import walkthrough
from app.explain.why import why_of
from engine import ACTIVATIONS, Spec, Trace, start, trace
from engine.lookup import Numbers
from engine.quantity import Quantity

EXAMPLE = 3
NETWORKS: list[dict[str, Any]] = [
    DEFAULT,
    {"hidden": [12, 9], "activation": "softplus"},
    {"layers": "dense 4 tanh, dense 4 tanh, shortcut 1"},
    {"dataset": "three_blobs", "hidden": [3], "loss": "cross_entropy", "output_activation": "softmax"},
    {"dataset": "sine", "hidden": [2], "learning_rate": 0.1},
]


def rows(fan: Element) -> list[list[Element]]:
    """Texts that stand at one height, from left to right, from the top down."""
    texts = fan.all("text")
    heights = sorted({text.number("y") for text in texts})
    return [sorted((t for t in texts if t.number("y") == y), key=lambda t: t.number("x")) for y in heights]


def closes(found: Decimal, printed: str) -> bool:
    number, half = read(printed)
    return abs(found - number) <= half * Decimal("1.0001")


def as_wide_as(fan: Element, values: list[float]) -> None:
    """Lines end at their rows and at the unit, and are the wider the larger what they carry."""
    lines, unit = fan.all("path", "way"), fan.one("rect")
    assert len(lines) == len(values)
    width = [line.number("stroke-width") for line in lines]
    sizes = np.abs(values) / np.abs(values).max()
    assert np.allclose(width, 1 + 6 * sizes, atol=0.01)
    for n, line in enumerate(lines):
        corners = points(line["d"])
        assert np.allclose(corners[0], (unit.number("x") + 7, unit.number("y") + 7), atol=0.11)
        assert abs(corners[-1][1] - (24 + 16 * n)) < 0.11


def holds_ways(fan: Element, step: Trace, k: int, j: int) -> None:
    """Each way is weight × δ of the unit that it names, and they add up to what stands below the rule."""
    look, numbers = Numbers(step), list[float]()
    head, *told_rows = sorted(rows(fan), key=lambda row: len(row) > 1)
    assert head[0].text == f"unit {j}"
    for name, number in told_rows[:-1]:
        part = number.attrs.get("data-part", "")
        if part.startswith("q"):
            of = Quantity.parse(part)
            assert of.index[-1] == j
            assert name.text in (f"unit {of.index[0]}", "the output")
            truth = float(look(of.at(0)))
            assert truth == pytest.approx(step.layers[k].W[of.unit - 1, j - 1] * step.layers[k].dz[0, of.unit - 1])
            assert closes(Decimal(truth), number.text)
        numbers.append(float(read(number.text)[0]))
    total = told_rows[-1][1]
    assert closes(sum((read(row[1].text)[0] for row in told_rows[:-1]), Decimal(0)), total.text)
    kind = step.spec.network.back_kind(k)
    assert closes(Decimal(float(look(Quantity(kind, k, (j,), 0)))), total.text)
    rule = points(fan.one("path", "rule")["d"].replace("H", " 0 "))
    assert told_rows[-2][0].number("y") < rule[0][1] < total.number("y")
    as_wide_as(fan, numbers)


def holds_shared(fan: Element, step: Trace, k: int, j: int) -> None:
    """One δ, and each row: what the link carried × δ = its gradient, as printed."""
    head, *told_rows = rows(fan)
    assert head[0].text.startswith("δ")
    delta = read(head[1].text)[0]
    assert closes(Decimal(float(step.layers[k - 1].dz[0, j - 1])), head[1].text)
    numbers = []
    for name, carried, sign, gradient in told_rows:
        assert sign.text == "× δ ="
        of = Quantity.parse(gradient["data-part"])
        source = of.index[1] - 1 if of.kind == "dW" else -1  # type: ignore[operator]
        truth = float(step.layers[k - 1].dW[j - 1, source] if source >= 0 else step.layers[k - 1].db[j - 1])
        assert name.text == ("bias" if source < 0 else f"unit {source + 1}" if k > 1 else name.text)
        given = float(step.inputs_of(k - 1)[0, source]) if source >= 0 else 1.0
        assert closes(Decimal(given), carried.text)
        assert closes(Decimal(truth), gradient.text)
        assert closes(read(carried.text)[0] * delta, gradient.text)
        numbers.append(float(read(gradient.text)[0]))
    as_wide_as(fan, numbers)


def holds_curve(svg: Element, step: Trace, k: int, j: int, forward: bool) -> None:
    """The activation round z: the dot is where the unit stands on it, the tangent has the slope that is told."""
    layer = step.layers[k - 1]
    z, a, entry = float(layer.z[0, j - 1]), float(layer.a[0, j - 1]), ACTIVATIONS[layer.activation]
    curve, dot = points(svg.one("path", "what")["d"]), svg.one("circle")
    assert abs(dot.number("cx") - 60) < 0.2, "z stands in the middle of six"
    zs = z + (curve[:, 0] - 60) / 20
    truth = np.empty_like(zs)[None]
    entry.forward(zs[None], truth)
    scale, offset = np.polyfit(truth[0], curve[:, 1], 1)
    assert scale < 0, "more is upwards"
    assert np.abs(scale * truth[0] + offset - curve[:, 1]).max() < 0.3
    assert abs(dot.number("cy") - (scale * a + offset)) < 0.3
    number = told(svg.one("text").text.split()[-1])
    if forward:
        assert number == pytest.approx(a, abs=0.006)
        return
    (x1, y1), (x2, y2) = points(svg.one("path", "drawn")["d"])
    assert number == pytest.approx((y2 - y1) / scale / ((x2 - x1) / 20), abs=0.02)
    assert number == pytest.approx(float(Numbers(step)(Quantity("slope", k, (j,), 0))), abs=0.006)


def holds_product(svg: Element, step: Trace, k: int, j: int) -> None:
    """A rectangle of a by δ: its sides are as long as the numbers beside them are large."""
    numbers = {text.text.split()[0]: told(text.text.split()[1]) for text in svg.all("text")}
    i = int(np.abs(step.layers[k - 1].dW[j - 1]).argmax())
    a, dz = float(step.inputs_of(k - 1)[0, i]), float(step.layers[k - 1].dz[0, j - 1])
    assert numbers == {"a": pytest.approx(a, abs=0.006), "δ": pytest.approx(dz, abs=0.006)}
    width, height = map(float, re.findall(r"(?<=[HV])[\d.]+", svg.one("path", "what")["d"])[1::-1])
    most = max(abs(a), abs(dz))
    assert width - 26 == pytest.approx(max(4, 84 * abs(a) / most), abs=0.1)
    assert 96 - height == pytest.approx(max(4, 84 * abs(dz) / most), abs=0.1)


def some(keys: Sequence[Key]) -> list[int]:
    """Moments of every kind, a few of each layer's and of the first and the last units among them."""
    groups: dict[tuple[str, int], list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault((key.kind, key.layer), []).append(index)
    return [n for group in groups.values() for n in sorted({group[0], group[len(group) // 2], group[-1]})]


HELD = {"ways": holds_ways, "share": holds_shared, "product": holds_product}


@pytest.mark.parametrize("grain", ["operation", "unit"])
@pytest.mark.parametrize("given", NETWORKS, ids=str)
def test_every_picture_under_why_is_so(tmp_path: Path, given: dict[str, Any], grain: Grain) -> None:
    """Of one example, moment by moment: the ways add up, a δ is shared, a tangent and a product are drawn."""

    async def work(run: Run) -> None:
        step, seen = trace(run.state, EXAMPLE), set[str]()
        keys = plan_of(run.spec, grain).keys
        for index in some(keys):
            key, frame = keys[index], await run.look(example=EXAMPLE, moment=index, grain=grain)
            for svg in (svg for why in frame.all("details", id="why") for svg in why.all("svg")):
                kind = svg.classes[-1]
                seen.add(kind)
                if kind == "tangent":
                    holds_curve(svg, step, key.layer, key.unit, key.phase == "forward")
                else:
                    HELD[kind](svg, step, key.layer, key.unit)
        assert seen >= ({"ways", "product", "tangent"} if grain == "operation" else {"ways", "share", "tangent"})

    looking(tmp_path, work, 7, **given)


def test_what_is_of_no_layer_and_what_a_rule_remembers_have_a_reason() -> None:
    """The loss, of a network over maps too, a penalty, and a step by more than the gradient of this one."""
    layers = "conv2d 2 3x3 relu, max_pool 2"
    for given, asked in [
        ({"dataset": "digits16", "samples": 60, "layers": layers}, {"loss": "why loss"}),
        (
            {"optimizer": "adam", "regularization": "l2", "regularization_rate": 0.1},
            {"penalty": "why penalty", "update": "why remembered"},
        ),
        ({"dataset": "digits16", "samples": 60, "layers": layers, "optimizer": "adam"}, {"update": "why remembered"}),
    ]:
        walk = walkthrough(trace(start(Spec.make(given)), 3))
        for kind, message in asked.items():
            moment = next(each for each in walk if each.kind == kind)
            assert [why.sentence.message for why in why_of(walk.scene, moment)] == [message]
