"""Again: the same examples run with the step's parameters, the loss all along its way, and what is drawn of it."""

import asyncio
import json
import re
from pathlib import Path

import numpy as np
import pytest
from drawn import states
from httpx import Response
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import points, scales
from test_pages import HTMX, made, playground
from test_pictures import Run, looking

from app.draw.lens import WEIGHT_REACH, widths
from app.explain.moments import GRAINS
from app.explain.walkthrough import walkthrough
from app.words.numbers import short, signed
from app.words.sentences import in_words
from engine import RunState, Spec, SpecError, advance, examples_of, start, trace
from engine.along import ENOUGH, again, along
from engine.probes import Model


def test_the_drawn_example() -> None:
    """The numbers that the page is drawn with: example 8 of the default run before its first step."""
    found = along(start(Spec.make()), 8)
    told = [round(number, 4) for number in (found.before, found.after, found.promised, found.all_losses[0])]
    assert told == [0.4407, 0.3381, -0.1115, 0.5492]
    assert found.all_best == 1.0
    assert found.examples == 120


@settings(max_examples=40, deadline=None)
@given(states(), st.sampled_from([None, 3]))
def test_the_way_is_the_steps_own(state: RunState, example: int | None) -> None:
    """At every length the losses of that network; the end of the step is what the trace says; the promise its slope."""
    found, step = along(state, example, places=5), trace(state, example)
    way = step.parameters_next - step.parameters
    everyone = np.arange(examples_of(state.spec).train)
    for n, length in enumerate(found.lengths.tolist()):
        for indices, losses in ((step.examples, found.losses), (everyone, found.all_losses)):
            model = Model(state, indices)
            model.parameters[:] = state.parameters + length * way
            np.testing.assert_equal(losses[n], model.loss())
    rerun = again(step)
    np.testing.assert_allclose(found.before, step.loss + step.penalty, atol=1e-12)
    np.testing.assert_allclose(found.after, rerun.loss + rerun.penalty, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.promised, (step.gradient + step.penalty_gradient) @ way, atol=1e-12)
    assert found.rates.tolist() == (found.lengths * step.learning_rate).tolist()
    for verdict, loss, length in zip(found.verdicts, found.losses, found.lengths, strict=True):
        gained, most = found.before - loss, found.before - np.nanmin(found.losses)
        assert (verdict == "still") == (loss == found.before)
        assert (verdict == "worse") == (not loss <= found.before)
        assert (verdict == "right") == (gained > 0 and gained >= ENOUGH * most)
        assert (verdict == "over") == (gained > 0 and gained < ENOUGH * most and length > found.best)


@settings(max_examples=20, deadline=None)
@given(states())
def test_again_is_the_next_steps_network(state: RunState) -> None:
    """On the mini-batch, what running it again gives is what the network of the next state gives."""
    step = trace(state)
    after = advance(state, 1).state
    np.testing.assert_array_equal(again(step).parameters, step.parameters_next)
    if not after.divergence and after.step == state.step + 1:
        np.testing.assert_allclose(again(step).loss + again(step).penalty, Model(after, step.examples).loss())


@pytest.mark.parametrize("reach", [0, -1, 0.5, 1001, float("nan"), float("inf")])
def test_a_reach_that_is_none(reach: float) -> None:
    """Named with what is allowed."""
    with pytest.raises(SpecError, match="must be a number from 1 to 1000"):
        along(start(Spec.make()), reach=reach)


def test_a_step_too_long_is_told() -> None:
    """A rate far too large gets worse; where no number is finite nothing is found, and nothing fails."""
    steep = along(start(Spec.make(dataset="line", hidden=[], learning_rate=0.5)), 8)
    assert list(dict.fromkeys(steep.verdicts)) == ["still", "short", "right", "over", "worse"]
    line = {"dataset": "line", "hidden": [], "learning_rate": 10.0}
    wild = advance(start(Spec.make(line)), 400).state
    assert wild.divergence
    assert "right" not in along(wild).verdicts


@pytest.mark.parametrize("grain", GRAINS)
def test_it_is_the_last_moment_and_moves_no_other(grain: str) -> None:
    """Behind all that old links count; what stood at a number stands there."""
    walk = walkthrough(trace(start(Spec.make()), 8), grain)
    assert [moment.phase for moment in walk].index("again") == len(walk) - 1
    assert walk[-2].phase == "update"
    assert walk[-1].values["loss_next"] == pytest.approx(0.338082, abs=1e-6)


@pytest.mark.parametrize("example", [8, None])
def test_the_chart_is_the_losses(tmp_path: Path, example: int | None) -> None:
    """Both curves, the start, the landing, the promise, and every point that the slider goes by."""

    async def work(run: Run) -> None:
        view = {"moment": 30} | ({} if example is None else {"example": example})
        frame = await run.look(**view)
        told = await run.json("again", **({} if example is None else {"example": example}))
        svg = frame.one("svg", id="along")
        across, upright = scales(svg)
        for kind, name in (("own", "losses"), ("everyone", "all_losses")):
            curve = points(svg.one("path", kind)["d"])
            assert len(curve) == len(told["rates"])
            for (x, y), rate, loss in zip(curve, told["rates"], told[name], strict=True):
                assert across(x) == pytest.approx(rate, abs=0.002 * told["rates"][-1])
                assert abs(y - upright.place(loss)) < 0.2
        for mark, rate, loss in (("was", 0, told["before"]), ("is", told["rate"], told["after"])):
            dot = svg.one("circle", mark)
            assert across(dot.number("cx")) == pytest.approx(rate, abs=0.002 * told["rates"][-1])
            assert abs(dot.number("cy") - upright.place(loss)) < 0.2
        (x0, y0), (x1, y1) = points(svg.one("path", "promised")["d"])
        slope = (upright(y1) - upright(y0)) / (across(x1) - across(x0))
        assert slope == pytest.approx(told["promised"] / told["rate"], rel=0.02)
        found = json.loads(frame.one(id="again")["data-points"])
        for point, *theirs in zip(
            found, told["lengths"], told["rates"], told["losses"], told["all_losses"], told["verdicts"], strict=True
        ):
            assert point[2:] == theirs
            assert abs(point[1] - upright.place(point[4])) < 0.2
        shown = [each for each in frame.all("p", "verdict") if "hidden" not in each.attrs]
        assert [each["data-verdict"] for each in shown] == [told["verdicts"][int(frame.one(id="again")["data-here"])]]

    looking(tmp_path, work, 0)


def test_where_all_examples_fare_best_is_told(tmp_path: Path) -> None:
    """Without the step of one of them, where their lowest loss is the first; else near the rate of the lowest."""

    async def work(run: Run) -> None:
        without = set()
        for example in (0, 2, 3):
            told = await run.json("again", example=example)
            least = int(np.argmin(told["all_losses"]))
            words = " ".join(each.words for each in (await run.look(moment=30, example=example)).all("p", "why"))
            assert ("fare best without this step" in words) == (least == 0), words
            assert (f"fare best near {short(told['rates'][least])}." in words) == (least > 0), words
            without.add(least == 0)
        assert without == {True, False}

    looking(tmp_path, work, 0)


def test_the_links_are_drawn_from_old_to_new(tmp_path: Path) -> None:
    """A ghost as wide as the weight was; the change as many times larger as is said; four values; old and new a."""

    async def work(run: Run) -> None:
        frame, step = await run.look(example=8, moment=30, size="l"), trace(run.state, 8)
        larger = float(frame.one(id="again").one("strong").text.removesuffix(" × larger"))
        for layer, matrices in enumerate(step.layers, 1):
            for j, i in np.ndindex(*matrices.W.shape):
                link = frame.one("g", id=f"again-link-{layer}-{j + 1}-{i + 1}")
                old, new = widths(np.array([matrices.W[j, i], matrices.W_next[j, i]]), WEIGHT_REACH)
                assert link.one("path", "ghost").number("stroke-width") == pytest.approx(old, abs=0.006)
                drawn = max(0.6, old + larger * (new - old))
                now = link.one("path", "now")
                assert now.number("stroke-width") == pytest.approx(drawn, abs=0.02)
                assert ("n" in now.classes) == (matrices.W_next[j, i] < 0)
                assert (link["class"] == "grew") == (new > old)
        told = {each["data-of"]: each.one("text").text for each in frame.all("g", "chip")}
        for name, text in told.items():
            j, i = (int(place) - 1 for place in name.split("-")[-2:])
            layer = step.layers[int(name.split("-")[2]) - 1]
            assert text == f"{signed(layer.W[j, i])} → {signed(layer.W_next[j, i])}"
        assert len(told) == 4
        changes = np.concatenate([np.abs(each.W_next - each.W).ravel() for each in step.layers])
        told = [re.findall(r"[+−][\d.]+", each.words) for each in frame.one(id="largest").all("dd")]
        sizes = [abs(float(new.replace("−", "-")) - float(old.replace("−", "-"))) for old, new in told]
        assert sizes == pytest.approx(np.sort(changes)[::-1][:4], abs=2e-4)
        readings = [each.words for each in frame.all("text", "reading")]
        assert "+0.06 → +0.18" in readings

    looking(tmp_path, work, 0)


def test_taking_the_step_goes_on(tmp_path: Path) -> None:
    """On one example the deed on it alone, then the next one's first moment; on the batch the mini-batch's step."""

    async def run() -> None:
        async with playground(tmp_path) as client:
            for view, edits, then in (
                ({"example": "8", "moment": "30"}, "0:examples:[8]", "example=9&moment=0"),
                ({"moment": "30"}, "", "moment=0"),
            ):
                run = await made(client)
                answer: Response = await client.post(f"/runs/{run}/take", data=view, headers=HTMX)
                address = answer.headers["HX-Replace-Url"]
                assert answer.status_code == 200
                assert then in address
                assert "step=1" in address
                assert (f"edits={edits}" in address) == bool(edits)
                kept = await client.post(f"/runs/{run}/step", data={**view, "moment": "12", "count": "1"}, headers=HTMX)
                assert "moment=12" in kept.headers["HX-Replace-Url"]
                assert 'data-moment="12"' in kept.text

    asyncio.run(run())


def test_what_a_step_is_told_goes_with_where_the_best_one_ends() -> None:
    """Too short where a longer one is better, overshoot where the best lies behind it."""
    words = {"short": "Too short: a longer", "over": "lies behind", "worse": "no better than before"}
    for verdict, told in words.items():
        assert told in in_words(f"step {verdict}")
    found = {}
    for rate in (0.003, 0.3, 3, 30):
        made = along(start(Spec.make(dataset="line", hidden=[], learning_rate=rate)), 8, reach=4)
        found[made.verdicts[list(made.lengths).index(1.0)]] = made.best
    assert found["short"] > 1
    assert all(best < 1 for verdict, best in found.items() if verdict in ("over", "worse"))
