"""Predict: what is asked at which moment, that the truth is the engine's, and that a wrong answer is told which."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from drawn import states
from hypothesis import given, settings
from hypothesis import strategies as st
from test_pages import playground

from app.explain.walkthrough import walkthrough
from app.learn.facts import Facts
from app.learn.judging import check
from app.learn.predicting import question_at, questions
from app.learn.problems import delta_problem, messages
from backprop_playground import predictions
from engine import OPTIMIZERS, Quantity, RunState, Spec, SpecError, advance, start, trace
from engine.receipts import parameter_receipt

WAYS = ("up", "down", "stay")


def test_what_the_default_run_asks() -> None:
    """The first delta, one whose messages agree, one where they differ, a gradient and an update: once each."""
    facts = Facts(start(Spec.make()), 8)
    asked = {each.kind: each for each in questions(facts, "unit")}
    assert list(asked) == ["first", "gradient", "agree", "differ", "update"]
    assert asked["first"].way.truth == "up"
    assert asked["differ"].moment == 17
    assert asked["gradient"].way.truth == "down"


@settings(max_examples=40, deadline=None)
@given(states(), st.sampled_from(["unit", "operation"]))
def test_the_truth_is_the_engines(state: RunState, grain: str) -> None:
    """Of every question: the moment computes what is asked, the direction has its sign, the number is the step's."""
    facts = Facts(state, 3)
    walk, asked = walkthrough(facts.trace, grain), questions(facts, grain)
    assert len({each.kind for each in asked}) == len(asked)
    for each in asked:
        of = Quantity.parse(each.number.quantity)
        assert any(target.covers(of) for target in walk[each.moment].targets)
        truth = float(each.number.truth)
        if of.kind in ("W", "b"):
            assert truth == facts.next(str(of))
            sign = facts.change(str(of))
        else:
            assert truth == facts[str(of)]
            sign = -truth if of.kind == "dz" else truth
        assert each.way.truth == ("up" if sign > 0 else "down" if sign < 0 else "stay")
        for way in WAYS:
            verdict = each.judged(way)
            assert verdict.correct == (way == each.way.truth)
            assert verdict.correct or verdict.factor
        assert each.judged(repr(truth)).correct or not each.number.clear


def test_in_python_nothing_tells_before_it_is_judged() -> None:
    """The same questions as over JSON; no text of one holds its number, and what is no answer gives nothing away."""
    state = start(Spec.make())
    asked = predictions(state, example=8)
    assert [each.hides for each in asked] == [each.hides for each in questions(Facts(state, 8), "unit")]
    for each in asked:
        told = f"{each!r} {each} {each.prompt} {each.number_prompt} {each.hint} {[each]}"
        assert f"{abs(float(each.number.truth)):.3g}"[:5] not in told
        assert each.judged("left").truth is None
        assert not each.judged("left")
        right = each.judged(each.way.truth)
        assert right
        assert each.judged(f" {str(each.way.truth).upper()} ") == right
        wrong = each.judged(-2 * float(each.number.truth))
        assert wrong.truth == each.number.truth
        assert str(wrong).startswith(f"Look at: {wrong.factor}. ")
    for wanted in ({"example": 999}, {"example": 8, "granularity": "layer"}):
        with pytest.raises(SpecError):
            predictions(state, **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [{"dataset": "three_blobs", "output_activation": "softmax", "loss": "cross_entropy"},
     {"output_activation": "sigmoid", "loss": "binary_cross_entropy"}],
    ids=["softmax", "sigmoid"],
)  # fmt: skip
def test_the_first_delta_is_asked_whatever_makes_it(given: dict[str, Any]) -> None:
    """Softmax has no slope of its own there: its target and its sign are what can be off."""
    first = predictions(start(Spec.make(given)), 8)[0]
    truth = float(first.number.truth)
    assert (first.kind, first.moment > 8) == ("first", True)
    assert first.judged(truth)
    assert first.judged(-truth).factor == "sign"


@pytest.mark.parametrize("optimizer", [name for name, entry in OPTIMIZERS.items() if not entry.search])
@pytest.mark.parametrize("penalty", ["none", "l2"])
def test_the_update_is_asked_of_every_rule(optimizer: str, penalty: str) -> None:
    """Momentum and Adam, too: which way and where to; what was left out of the step is named."""
    state = advance(start(Spec.make(optimizer=optimizer, regularization=penalty, regularization_rate=0.01)), 7).state
    asked = {each.kind: each for each in predictions(state, 8)}["update"]
    told = parameter_receipt(trace(state, 8), asked.hides)
    assert asked.judged(told.next)
    assert asked.judged("up" if told.next > told.now else "down")
    if optimizer == "sgd" and penalty == "none":
        return  # plain: its slips are the lessons'
    slips = {slip.factor for slip in asked.number.mistakes}
    assert slips <= {"rule", "sign", "old value"} | {part.name for part in told.parts}
    for slip in asked.number.mistakes:
        verdict = asked.judged(repr(slip.value))
        assert not verdict
        assert verdict.factor in slips


def test_a_memory_that_overrules_the_gradient_is_named() -> None:
    """The ball rolls on though the slope has turned: who went by the gradient is told of the memory."""
    state = advance(start(Spec.make(optimizer="momentum", learning_rate=0.3, batch_size=1)), 40).state
    found = []
    for example in range(12):
        asked = {each.kind: each for each in predictions(state, example)}.get("update")
        told = asked and parameter_receipt(trace(state, example), asked.hides)
        if asked and told and told.gradient * (told.next - told.now) > 0:
            wrong = asked.judged("down" if told.next > told.now else "up")
            found.append((wrong.correct, wrong.factor))
    assert found
    assert set(found) == {(False, "memory")}


def test_a_shortcut_brings_a_message_too() -> None:
    """What is said of the messages adds up with it, and who forgets it is told."""
    state = start(Spec.make(layers="dense 3 tanh, dense 3 tanh, shortcut 1"))
    facts = Facts(state, 8)
    for j in (1, 2, 3):
        back = messages(facts, 1, j)
        assert len(back) == 4
        assert back.sum() == pytest.approx(facts[f"da1.{j}"])
        links = float(back[:3].sum()) * facts[f"slope1.{j}"]
        assert check(delta_problem(facts, 1, j), links).factor == "shortcut"


def test_nothing_is_asked_where_no_number_is_one() -> None:
    """Of a batch, and where whole layers are told."""
    assert not questions(Facts(start(Spec.make())), "unit")
    assert not questions(Facts(start(Spec.make()), 8), "layer")
    with pytest.raises(SpecError, match="at which something is asked: 9, "):
        question_at(Facts(start(Spec.make()), 8), "unit", 0)


def test_over_http(tmp_path: Path) -> None:
    """The same from the page, stored or not, and over JSON; nothing tells the truth before it is answered."""

    async def run() -> None:
        async with playground(tmp_path) as client:
            made = (await client.post("/api/v1/runs", json={})).json()["id"]
            api = f"/api/v1/runs/{made}/predictions"
            posed = (await client.get(api, params={"example": 8})).json()
            assert [each["moment"] for each in posed["questions"]] == [
                each.moment for each in questions(Facts(start(Spec.make()), 8), "unit")
            ]
            assert posed["verdict"] is None
            assert "truth" not in str(posed["questions"])
            for path in (f"/runs/{made}/predictions", "/runs/new/predictions"):
                assert (await client.get(path, params={"example": 8})).json() == posed
            first = posed["questions"][0]["moment"]
            judged = (await client.get(api, params={"example": 8, "moment": first, "answer": "down"})).json()["verdict"]
            assert (judged["correct"], judged["factor"], judged["truth"]) == (False, "target", "up")
            neither = (await client.get(api, params={"example": 8, "moment": first, "answer": "left"})).json()[
                "verdict"
            ]
            assert (neither["correct"], neither["factor"], neither["truth"]) == (False, "answer", None)
            number = {"example": 8, "moment": first, "answer": "-0.9353"}
            assert (await client.get("/runs/new/predictions", params=number)).json()["verdict"]["correct"]
            for wrong in ({}, {"example": 8, "granularity": "pass"}, {"example": 8, "moment": 0, "answer": "up"},
                          {"example": 8, "answer": "up"}, {"example": 999}):  # fmt: skip
                assert (await client.get(api, params=wrong)).status_code == 422, wrong
            page = await client.get("/?example=8&moment=9", headers={})
            assert 'id="predict"' in page.text
            assert 'id="prediction"' in page.text

    asyncio.run(run())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_hint_has_all_that_an_update_is_reckoned_from(optimizer: str) -> None:
    """The settings of the rule too, and which step it is where the rule counts them."""
    state = advance(start(Spec.make(optimizer=optimizer, batch_size=5)), 3).state
    asked = next((each for each in predictions(state, 8) if each.kind == "update"), None)
    for name, value in state.spec.optimizer_settings if asked else ():
        assert f"{name.replace('beta', 'β')} {value:g}" in asked.hint, asked.hint
    assert optimizer != "adam" or asked.hint.endswith(", step 4."), asked.hint
