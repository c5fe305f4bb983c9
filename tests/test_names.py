"""What columns and classes of one's own data are called is said wherever their units are spoken of."""

import re
from typing import Any

import numpy as np
import pytest
from reading import page

from app.draw.diagram import Space
from app.draw.drawing import draw
from app.draw.marks import Marks
from app.explain.receipts import receipt
from app.explain.walkthrough import walkthrough
from app.learn.facts import Facts
from app.learn.problems import delta_problem, gradient_problem
from app.room import asking
from app.words.names import called, shortened
from app.words.numbers import short
from app.words.segments import text_of
from engine import RunState, Spec, advance, examples_of, start, trace

BIRDS = ["Adelie", "Chinstrap", "Gentoo"]


def state(task: str = "multiclass") -> RunState:
    """Three columns far from 0; what is to be told are kinds of birds, yes or no, or two numbers."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 3)) * [4, 9, 700] + [45, 190, 4200]
    kinds = np.arange(30) % 3
    y: Any = {"multiclass": kinds, "binary": kinds % 2, "regression": x[:, :2]}[task]
    data: dict[str, Any] = {"x": x.tolist(), "y": y.tolist(), "task": task, "names": ["bill (mm)", "flipper", "mass"]}
    data |= {"multiclass": {"classes": BIRDS}, "binary": {"classes": ["no", "yes"]}}.get(task, {})
    data |= {"targets": ["height", "weight"]} if task == "regression" else {}
    spec = Spec.make(dataset="custom", data=data, scaling="inputs", hidden=[2], output_activation="identity"
                     if task == "regression" else "tanh" if task == "binary" else "softmax")  # fmt: skip
    return advance(start(spec), 5).state


def told(task: str, grain: str) -> list[str]:
    """All that a walkthrough of one example says, in words and numbers."""
    moments = walkthrough(trace(state(task), 4), grain)
    return [f"{text_of(m.words)} {text_of(m.numbers)}" for m in moments]


@pytest.mark.parametrize("grain", ["operation", "unit", "layer"])
@pytest.mark.parametrize("task", ["multiclass", "regression", "binary"])
def test_a_walkthrough_says_the_names(task: str, grain: str) -> None:
    """Every input and output that is spoken of is called as its column or its class."""
    said = "\n".join(told(task, grain))
    assert re.search(r"mass = [+−]", said)
    assert grain == "layer" or "input mass" in said
    assert not re.search(r"input \d|output, unit|class \d|for unit", said)
    if task == "multiclass":
        kind = BIRDS[int(examples_of(state().spec).labels.ravel()[4])]
        assert f"Output for {kind} should be high" in said
    if task == "binary":
        kind = ("no", "yes")[int(examples_of(state(task).spec).labels.ravel()[4])]
        assert f"its target, {'+1' if kind == 'yes' else '−1'} ({kind})." in said
    if task == "regression" and grain == "unit":
        assert "output weight" in said


def test_a_receipt_says_the_names_and_what_an_input_was_before_it_was_scaled() -> None:
    """Its place, where a click leads, and the number of the data with what became of it, which closes."""
    step = trace(state(), 4)
    assert receipt(step, "W1.2.3").place == "input mass → hidden 1, unit 2"
    assert receipt(step, "b2.3").place == "bias of output for Gentoo"
    assert "output for Gentoo" in str([line.label for g in receipt(step, "a1.1").more for line in g.lines])
    of_input = receipt(step, "a0.3")
    assert of_input.place == "input mass"
    words = text_of(of_input.words).replace("−", "-")
    given, mean, spread, scaled = (float(n) for n in re.findall(r"[-+]?\d+\.?\d*", words.split("In the data")[1]))
    assert given == pytest.approx(examples_of(state().spec).raw[4, 2], rel=1e-5)
    assert (given - mean) / spread == pytest.approx(scaled, rel=1e-3)


def test_questions_say_the_names() -> None:
    """Those to a class, and those that a lesson or a walkthrough puts about the run."""
    facts = Facts(state(), 4)
    question = asking.make(Facts(state()), "largest")
    assert any(
        re.match(r".+: input (bill \(mm\)|flipper|mass) → hidden 1", each)
        for each in map(question.label, question.options)
    )
    assert "(from input flipper to hidden 1, unit 2)" in gradient_problem(facts, "W1.2.2").prompt
    assert "output for Chinstrap" in delta_problem(facts, 2, 2).prompt


def test_the_drawing_and_its_cards_say_the_names() -> None:
    """What the card at the pointer shows is the whole name, however short it stands beside the unit."""
    now = state()
    svg = draw(now.spec, trace(now), None, "weights", True, Marks()).svg
    assert re.findall(r'class="said"[^>]*>([^<]*)<', svg)[:3] == ["input, bill (mm)", "input, flipper", "input, mass"]
    assert "output, unit 3: Gentoo" in svg
    assert called(now.spec, 1, 2) == "hidden 1, unit 2"


def test_long_names_that_begin_alike_can_be_told_apart() -> None:
    """They are cut in the middle, all others at their end."""
    names = ("worst concavity error", "worst concave points", "mean symmetry of it", "age")
    assert shortened(names, 14) == ("worst concavi…", "worst concave…", "mean symmetry…", "age")
    assert shortened(("income of last year", "income of last month"), 14) == ("income…st year", "income…t month")


@pytest.mark.parametrize(("columns", "size"), [(16, "l"), (30, "l"), (30, Space(840, 460)), (30, "s")])
def test_inputs_stand_in_one_column_beside_their_names(columns: int, size: Any) -> None:
    """As far as names have room; none runs into the next, or out of the drawing."""
    svg = page(_wide(columns, size, frozenset())).one("svg")
    names = svg.all("text", "name")
    assert [name.words for name in names] == [f"column {k}" for k in range(1, columns + 1)]
    heights = np.diff([name.number("y") for name in names])
    letters = 12 if "slim" in names[0].classes else 15
    assert heights.min() >= letters
    assert min(name.number("x") for name in names) >= 9 * 0.5 * letters


def test_many_inputs_are_folded_and_the_lit_one_has_its_name() -> None:
    """64 columns stand sixteen high; all have their names in their cards."""
    svg = page(_wide(64, "l", frozenset({"node-0-37"}))).one("svg")
    assert [name.words for name in svg.all("text", "name")] == ["column 37"]
    assert len({n.one("rect", "edge")["x"] for n in svg.all("g", id=r"node-0-\d+")}) == 4
    assert svg.one("g", id="node-0-64").one("text", "said").words == "input, column 64"


def _wide(columns: int, size: Any, lit: frozenset[str]) -> str:
    x = np.random.default_rng(0).normal(size=(12, columns))
    data = {"x": x.tolist(), "y": [0, 1] * 6, "names": [f"column {k}" for k in range(1, columns + 1)]}
    state = start(Spec.make(dataset="custom", data=data, hidden=[3]))
    return str(draw(state.spec, trace(state, 0), None, "weights", False, Marks(lit=lit), size).svg)


@pytest.mark.parametrize("scaling", ["none", "inputs", "targets", "both"])
def test_the_first_moment_says_what_is_scaled(scaling: str) -> None:
    """A number that is not the data's own is said to be scaled, with the one that the data have."""
    x = [[20.5 + i, 300.25 - 2 * i] for i in range(24)]
    data = {"x": x, "y": [[5_000.5 + i] for i in range(24)], "names": ["age", "height"], "task": "regression"}
    spec = Spec.make(dataset="custom", data=data, scaling=scaling, output_activation="identity")
    step = trace(start(spec), 3)
    said = text_of(walkthrough(step, "unit")[0].words)
    batch = text_of(walkthrough(trace(start(spec)), "unit")[0].words)
    inputs, targets = scaling in ("inputs", "both"), scaling in ("targets", "both")
    assert (f"age was {short(float(examples_of(spec).raw[3, 0]))}" in said) == inputs
    assert (f"it was {short(float(examples_of(spec).labels[3].item()))}." in said) == targets
    assert ("inputs are scaled" in batch, "values to predict are scaled" in batch) == (inputs, targets)
    assert ("scaled" in said) == (scaling != "none")
