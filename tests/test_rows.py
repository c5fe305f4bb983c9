"""A moment's rows: the numbers close by a pocket calculator, the code is run, and every term names what it shows."""

import re
from math import isfinite

import numpy as np
import pytest
from test_digits import closes

from app.explain.rows import rows_of
from app.explain.walkthrough import walkthrough
from app.explain.why import why_of
from app.words.columns import COLUMN, Cells, lines, room
from app.words.numbers import SUBSCRIPTS
from app.words.segments import text_of
from engine import Quantity, Spec, Trace, advance, start, trace
from engine.lookup import Numbers

SPECS = [
    {}, {"hidden": [8, 8]}, {"hidden": [2], "activation": "relu", "seed": 7}, {"hidden": []},
    {"hidden": [4, 3], "dataset": "three_blobs", "loss": "cross_entropy", "output_activation": "softmax"},
    {"optimizer": "adam", "regularization": "l1", "regularization_rate": 0.01}, {"optimizer": "trial_and_error"},
    {"layers": "dense 4 tanh, dense 4 softplus, shortcut 1"}, {"hidden": [2], "frozen": ["biases"]},
]  # fmt: skip


MEMORY = ("v_", "m_")


def text(cells: Cells) -> str:
    """The row of numbers as the equation that it is, its result last."""
    tree = "".join(cell.number for cell in cells[2:]).replace("^", "**").replace("exp(", "e^(")
    return tree + " = " + cells[0].number


def held(step: Trace, cells: Cells, names: dict[str, object]) -> None:
    """What a row shows is what the trace has, and its code gives it."""
    look = Numbers(step)
    parts = [Quantity.parse(cell.part) for cell in cells if cell.part]
    remembered = [of for of in parts if "_next_" in of.kind]
    for cell in cells:
        if cell.part:
            of = Quantity.parse(cell.part)
            if of in remembered:
                continue
            per_example = of.kind in ("x", "y", "z", "a", "o", "da", "dz", "slope", "s", "p", "q")
            assert cell.value == pytest.approx(float(look(of.at(0) if per_example else of)), rel=1e-9)
    if isfinite(cells[0].value):
        if remembered and parts[0] in remembered:  # the line that writes memory over, from what it was
            names = names | {
                name: walkthrough(step, "unit").program.namespace[name] for name in names if name[:2] in MEMORY
            }
        found = eval("".join(cell.code for cell in cells[2:]), dict(names))
        assert float(found) == pytest.approx(cells[0].value, rel=1e-4, abs=1e-7)
        assert closes(text(cells)), text(cells)


@pytest.mark.parametrize("grain", ["operation", "unit"])
@pytest.mark.parametrize("given", SPECS, ids=str)
def test_rows_close_and_run(given: dict[str, object], grain: str) -> None:
    """Of one example, every row of numbers closes and every row of code gives its number, at every moment."""
    step = trace(start(Spec.make(**given)), 3)
    walk = walkthrough(step, grain)
    names = {"np": np} | walk.program.run()
    seen = 0
    for moment in walk:
        rows = rows_of(walk.scene, moment, most=99)
        assert text_of(rows.words) == text_of(moment.words)
        for block in rows.blocks:
            seen += 1
            if len(block.numbers) > 1:
                for _, cells in block.numbers:
                    held(step, cells, names)
            else:
                held(step, block.symbols, names)
    assert seen


def test_on_a_phone_brackets_break_last() -> None:
    """Adam's rule: in lines it is the same equation, and a bracket is broken only where it is too wide for one."""
    walk = walkthrough(trace(start(Spec.make(optimizer="adam")), 3), "unit")
    rule = rows_of(walk.scene, walk[24], 99).blocks[-2].symbols
    found = lines(rule, 7)
    assert sum(found, ()) == rule
    told = ["".join(cell.number.strip() for cell in line) for line in found]
    assert told[1:4] == ["×+0.1949", "/(1−0.9^1)", "/(√(+0.003800"]
    assert told[4:] == ["/(1−0.999^1))", "+1×10⁻⁸)"]


def test_on_a_phone_a_named_line_leaves_room_for_its_name() -> None:
    """A long name of a weight stands in two lines beside numbers, which break the earlier for it."""
    layers = "conv2d 2 3x3 relu, max_pool 2"
    spec = Spec.make(dataset="digits16", samples=60, layers=layers, optimizer="adam")
    walk = walkthrough(trace(advance(start(spec), 3).state, 3))
    seen = 0
    for moment in (walk[n] for n in range(len(walk)) if walk[n].phase == "update" and walk[n].layer == 2):
        for block in rows_of(walk.scene, moment, 7).blocks:
            for name, cells in block.numbers if not block.goes_on else ():
                terms = sum(not cell.sign for cell in cells)
                assert terms <= 2 or room(cells) + 0.15 * (min(len(name), 17) - 5) <= 7, name
                seen += len(name) > 17
    assert seen


def test_what_folds_counts_among_what_looks_alike() -> None:
    """An update of few weights by a rule of several equations is set as tightly as one of many."""
    walk = walkthrough(trace(start(Spec.make(optimizer="adam", regularization="l2")), 8))
    rows = rows_of(walk.scene, next(moment for moment in walk if moment.phase == "update"))
    assert rows.folded
    assert rows.alike


def test_a_line_that_goes_on_is_not_named_again() -> None:
    """Adam's rule on a phone: what begins an equation says whose it is, and no other line of it."""
    walk = walkthrough(trace(start(Spec.make(optimizer="adam")), 3), "unit")
    blocks = rows_of(walk.scene, walk[24], 7).blocks
    begun = [any(cell.number == "=" for cell in block.symbols[:2]) for block in blocks]
    assert [block.goes_on for block in blocks] == [not begins for begins in begun]
    assert set(begun) == {True, False}


@pytest.mark.parametrize("grain", ["operation", "unit", "layer", "pass"])
@pytest.mark.parametrize("given", SPECS, ids=str)
def test_every_moment_is_laid_out(given: dict[str, object], grain: str) -> None:
    """On the mini-batch and on one example, at every grain: there are words, lit lines of code, and no error."""
    for example in (None, 3):
        walk = walkthrough(trace(start(Spec.make(**given)), example), grain)
        for moment in walk:
            rows = rows_of(walk.scene, moment, 7)
            assert rows.words
            told = [
                (cells, len(block.numbers) < 2) for block in rows.blocks for _, cells in (*block.numbers, *block.more)
            ]
            wide = max(
                (room(cells, code) for cells, code in told), default=0
            )  # rows under one formula have no code there
            assert wide < 8.5, "a line is as wide as a phone, at most"
            assert moment.code_line in walk.code_lines(moment)
            assert all(text_of(why.words) for why in why_of(walk.scene, moment))


def test_a_sum_of_four_shows_every_factor() -> None:
    """Each weight and what it multiplies; nothing is called "the others"."""
    walk = walkthrough(trace(start(Spec.make()), 8), "unit")
    z, _ = rows_of(walk.scene, walk[5], 99).blocks
    assert [f"W2.1.{i}" for i in (1, 2, 3, 4)] == [cell.part for cell in z.symbols if cell.part.startswith("W")]
    assert "…" not in [str(cell.symbol) for cell in z.symbols]


PHONE = 350 / COLUMN  # 390 px wide
SOFTMAX = {"dataset": "three_blobs", "hidden": [5], "loss": "cross_entropy", "output_activation": "softmax"}


@pytest.mark.parametrize("given", [{}, SOFTMAX], ids=str)
def test_on_a_phone_what_is_computed_stands_with_what_it_is_made_of(given: dict[str, object]) -> None:
    """Whether it is a softmax or an update: every moment of one example has its equations, and each closes there."""
    walk = walkthrough(trace(start(Spec.make(**given)), 8), "unit")
    for moment in walk[1:-1]:
        blocks = rows_of(walk.scene, moment, PHONE).blocks
        assert blocks, moment.kind
        shown = {cells[0].part for block in blocks for _, cells in block.numbers}
        if moment.kind == "update":
            assert any(part.startswith("b_next") for part in shown), "its bias is among them"


def test_a_slope_is_made_of_something_on_a_phone_too() -> None:
    """Where tanh's slope comes from stands below the δ that it is put in."""
    walk = walkthrough(trace(start(Spec.make()), 8), "unit")
    told = [block.symbols[0].part for block in rows_of(walk.scene, walk[9], PHONE).blocks if not block.goes_on]
    assert told == ["da3.1", "dz3.1", "slope3.1"]


def test_the_value_after_a_step_is_not_called_as_the_one_before() -> None:
    """W = W − … would be no equation: it is the new W."""
    walk = walkthrough(trace(start(Spec.make()), 8), "unit")
    after, _, before, *_ = rows_of(walk.scene, walk[24], 99).blocks[0].symbols
    assert str(after.symbol).startswith("new <math")
    assert str(before.symbol).startswith("<math")


@pytest.mark.parametrize("example", [None, 8])
def test_a_gradient_says_what_it_is_good_for(example: int | None) -> None:
    """Of a batch as of one example."""
    walk = walkthrough(trace(start(Spec.make()), example), "unit")
    words = [text_of(moment.words) for moment in walk if moment.kind == "gradient"]
    assert words
    assert all("how fast the loss would change" in each for each in words)


@pytest.mark.parametrize("layers", ["dense 3 tanh", "dense 3 tanh, layer_norm, dropout 0.3, dense 3 relu, shortcut 1"])
def test_a_tip_calls_a_number_what_its_equation_calls_it(layers: str) -> None:
    """One name a thing: a′ and x₂, not slope₁,₄ and x₀,₂; a target is told as it is printed."""
    step, seen = trace(advance(start(Spec.make(layers=layers)), 3).state, 3), set[str]()
    walk, plain = walkthrough(step, "unit"), {below: digit for digit, below in SUBSCRIPTS.items()} | {ord(" "): None}
    for moment in walk:
        rows = rows_of(walk.scene, moment)
        for cell in (cell for block in rows.blocks for _, cells in block.numbers for cell in cells if cell.tip):
            name, _, rest = cell.tip.partition(" = ")
            spelled = re.sub(r"<[^>]*>|\s", "", str(cell.symbol)).replace("x^", "x̂")
            assert name.translate(plain) == spelled, cell.tip
            assert Quantity.parse(cell.part).kind != "y" or rest.startswith(cell.number)
            seen.add(Quantity.parse(cell.part).kind)
    assert {"a", "x", "y", "W", "b", "slope", "dz", "dW"} <= seen
