"""Gradients that somebody computed: right is right, every known mistake is known again, and taken for no other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from test_homework import drawn

from app.learn.api_diagnose import Diagnosable, DiagnosisAnswer
from app.main import create_app
from app.settings import Settings
from engine import SpecError, check, diagnose
from engine.activations import ACTIVATIONS
from engine.arrays import Floats
from engine.diagnosis import Judge
from engine.homework import BACKWARD
from engine.homework.base import Case

DRAWS = 200


def wrong_ones(judge: Judge, seed: int, wanted: set[str]) -> Iterator[tuple[str, str, Floats]]:
    """Mistake, gradient and numbers, of the mistakes that are wanted; a mask of one's own is drawn here."""
    for mistake in judge.of.known:
        if mistake.name not in wanted:
            continue
        for maker in mistake.makers:
            yield from ((mistake.name, name, numbers) for name, numbers in maker(judge.case).items())
        if mistake.like:
            mask = np.random.default_rng([seed, 1]).random(judge.case.g.shape) < 0.5
            made = mistake.like(judge.case, judge.case.g * mask)
            yield from ((mistake.name, name, numbers) for name, numbers in made.items())


@pytest.mark.parametrize("operation", BACKWARD)
def test_every_mistake_is_known_again_and_taken_for_no_other(operation: str) -> None:
    """In 200 of 200 draws in which it can be made, whichever gradient it is made in; and right is right.

    Where one of them can seldom be made, the draws go on with that one alone.
    """
    of, seed = BACKWARD[operation], 0
    seen = {mistake.name: 0 for mistake in of.known}
    while wanted := {name for name, times in seen.items() if times < DRAWS}:
        judge, here = Judge(of, drawn(operation, seed)), set()
        for name, numbers in judge.right.items():
            assert judge.finding(name, numbers * (1 + 1e-9)).right
        for mistake, name, numbers in wrong_ones(judge, seed, wanted):
            finding = judge.finding(name, numbers)
            if finding.right:  # nothing is tied, or nothing overlaps: it cannot be seen here, and that is told
                assert mistake in finding.unseen
                continue
            assert [each.name for each in finding.mistakes] == [mistake], (seed, name)
            here.add(mistake)
        for mistake in here:
            seen[mistake] += 1
        seed += 1
        assert seed < 40 * DRAWS, seen


@pytest.mark.parametrize("operation", BACKWARD)
def test_what_is_no_known_mistake_is_told_so(operation: str) -> None:
    """With the relative error alone; the right numbers are in no sentence."""
    rng = np.random.default_rng(3)
    for seed in range(20):
        judge = Judge(BACKWARD[operation], drawn(operation, seed))
        for name, right in judge.right.items():
            finding = judge.finding(name, right + rng.normal(0.0, 1.0, right.shape))
            assert not finding.right
            assert not finding.mistakes
            assert 0 < finding.error <= 2
            assert "not by a mistake I know" in finding.sentence
            assert f"relative error {finding.error:g}" in finding.sentence


def test_every_activation_can_be_diagnosed() -> None:
    """A new one, too, with the mistakes that can be made with any."""
    assert set(ACTIVATIONS) < set(BACKWARD)


def test_mistakes_that_coincide_are_told_as_either_or() -> None:
    """With as many examples as classes, dividing once too often by one is dividing by the other."""
    z, y = np.random.default_rng(1).normal(size=(3, 3)), [0, 2, 1]
    judge = Judge(
        BACKWARD["softmax_cross_entropy"], Case({"z": z, "y": np.eye(3)[y]}, {"reduction": "mean"}, np.ones(()))
    )
    wrong = judge.right["dz"] / 3
    found = diagnose("softmax_cross_entropy", {"z": z, "y": y}, None, {"dz": wrong})["dz"]
    assert {each.name for each in found.mistakes} == {"averaged", "divided_by_classes"}
    assert "either" in found.sentence
    assert " Or: " in found.sentence


def test_what_the_inputs_cannot_show_is_told() -> None:
    """One example, 1 coming back everywhere: right, and which mistakes would look the same."""
    found = diagnose(
        "dense", {"x": [[2.0, 3.0]], "W": [[1.0, 4.0]], "b": [0.5]}, [[1.0]], {"dW": [[2.0, 3.0]], "db": [1]}
    )
    assert found.right
    assert set(found["dW"].unseen) == {"averaged", "upstream_forgotten"}


def test_shapes_that_a_mistake_makes_are_known_and_others_refused() -> None:
    """db not summed over the examples, dW transposed; and a shape that nothing explains."""
    rng = np.random.default_rng(0)
    x, W, g = rng.normal(size=(4, 3)), rng.normal(size=(2, 3)), rng.normal(size=(4, 2))
    inputs = {"x": x, "W": W, "b": [0.0, 1.0]}
    found = diagnose("dense", inputs, g, {"db": g, "dW": x.T @ g})
    assert [each.mistakes[0].name for each in found.findings] == ["examples_not_summed", "transposed"]
    assert str(found).startswith("db is not right. One bias serves every example")
    for wrong in (np.ones(5), x.T @ g + 1):
        with pytest.raises(SpecError, match=r"gradients.dW: .* must be of shape \(2, 3\)"):
            diagnose("dense", inputs, g, {"dW": wrong})


def test_rounded_answers_pass_with_a_tolerance() -> None:
    """Two decimals, where the teacher says that they do."""
    case = drawn("batch_norm", 4)
    right = BACKWARD["batch_norm"].backward(case)
    given: dict[str, Any] = {name: np.round(each, 2) for name, each in right.items()}
    assert not diagnose("batch_norm", case.arrays, case.g, given).right
    assert diagnose("batch_norm", case.arrays, case.g, given, tolerance=0.02).right


def test_a_symmetric_filter_hides_that_it_was_turned() -> None:
    """dx is right all the same, and that is told; dW shows it."""
    rng = np.random.default_rng(2)
    x, W, g = rng.normal(size=(1, 1, 4, 4)), np.array([[[[1.0, 2.0], [2.0, 1.0]]]]), rng.normal(size=(1, 1, 3, 3))
    judge = Judge(BACKWARD["conv2d"], Case({"x": x, "W": W, "b": np.zeros(1)}, {"stride": 1, "padding": 0}, g))
    inputs = {"x": x, "W": W, "b": [0.0]}
    found = diagnose("conv2d", inputs, g, {"dx": judge.right["dx"], "dW": judge.right["dW"][:, :, ::-1, ::-1]})
    assert {"filter_turned", "rows_for_columns"} <= set(found["dx"].unseen)
    assert [each.name for each in found["dW"].mistakes] == ["filter_turned"]


X: dict[str, Any] = {"x": [[1.0, 2.0], [3.0, 4.0]], "W": [[1.0, 0.0], [0.0, 1.0]], "b": [0.0, 0.0]}
G = [[1.0, 2.0], [3.0, 4.0]]
MASK = {"x": G, "mask": [[1, 0], [0, 1]]}
FILTER = {"x": [[G]], "W": [[G]], "b": [1]}
CONV = {"operation": "conv2d", "inputs": FILTER}
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"operation": "dens"}, "operation", "did you mean dense"),
    ({"inputs": {**X, "b": [0.0, 0.0, 0.0]}}, "inputs.b", "with 2 for units, as W has"),
    ({"inputs": {**X, "b": 1.0}}, "inputs.b", "of shape (units,)"),
    ({"inputs": {"x": G, "W": G}}, "inputs.b", "given: dense takes x, W, b"),
    ({"inputs": {**X, "V": G}}, "inputs", "one of x, W, b"),
    ({"inputs": {**X, "w": G}}, "inputs", "given once, as W"),
    ({"inputs": {**X, "x": [[1.0, 2.0], [3.0]]}}, "inputs.x", "rows of equal length"),
    ({"inputs": {**X, "x": [["1", "2"]]}}, "inputs.x", "an array of numbers"),
    ({"inputs": {**X, "x": []}}, "inputs.x", "an array of numbers"),
    ({"inputs": {**X, "x": [[1e10, 2.0], [3.0, 4.0]]}}, "inputs.x", "numbers from -1e+09 to 1e+09"),
    ({"inputs": {**X, "x": [[None, 2.0], [3.0, 4.0]]}}, "inputs.x", "an array of numbers"),
    ({"upstream": [1.0, 2.0]}, "upstream", "of shape (2, 2), as the output has"),
    ({"upstream": None}, "upstream", "an array of numbers"),
    ({"gradients": {}}, "gradients", "some of dx, dW, db"),
    ({"gradients": {"dV": G}}, "gradients", "one of dx, dW, db"),
    ({"gradients": {"dW": [[1.0]]}}, "gradients.dW", "of shape (2, 2)"),
    ({"settings": {"stride": 1}}, "settings", "left out here"),
    ({"tolerance": 1.0}, "tolerance", "from 1e-12 to 0.1"),
    ({"operation": "dropout", "inputs": MASK, "settings": {"rate": 1.0}}, "settings.rate", "from 0 to 0.95"),
    ({"operation": "dropout", "inputs": {"x": G, "mask": G}}, "inputs.mask", "1 where a number is kept"),
    ({"operation": "dropout", "inputs": {"x": [[G], [G]], "mask": MASK["mask"]}}, "inputs.mask", "(2, 1, 2, 2), as x"),
    (CONV | {"inputs": {**FILTER, "W": [[[[1, 2, 3]]]]}}, "inputs.W", "no larger than the image"),
    (CONV | {"inputs": {**FILTER, "x": G}}, "inputs.x", "of shape (n, channels, height, width)"),
    (CONV | {"settings": {"padding": "same"}}, "settings.padding", "an odd side"),
    (CONV | {"settings": {"padding": 2}}, "settings.padding", "less than the filter"),
    (CONV | {"settings": {"stride": 0}}, "settings.stride", "from 1 to 16"),
    (CONV | {"operation": "max_pool", "inputs": {"x": [[G]]}, "settings": {"size": 3}}, "settings.size", "no larger"),
    ({"operation": "shortcut", "inputs": {**X, "W": [[1.0, 0.0]], "b": [0.0]}}, "inputs.W", "as many units as inputs"),
    ({"operation": "softmax_cross_entropy", "inputs": {"z": G, "y": [0, 2]}, "upstream": 1}, "inputs.y", "from 0 to 1"),
    (
        {"operation": "softmax_cross_entropy", "inputs": {"z": G, "y": [0, 1]}, "settings": {"reduction": "none"}},
        "settings.reduction",
        "one of mean, sum",
    ),
]  # fmt: skip


def asked(change: dict[str, Any]) -> dict[str, Any]:
    return {"operation": "dense", "inputs": X, "upstream": G, "gradients": {"dW": G}} | change


@pytest.mark.parametrize(("change", "field", "allowed"), REFUSED)
def test_what_cannot_be_is_refused_with_field_and_reason(change: dict[str, Any], field: str, allowed: str) -> None:
    """Whatever it is that was handed in."""
    body = asked(change)
    settings = body.pop("settings", {})
    with pytest.raises(SpecError) as refused:
        diagnose(
            body.pop("operation"), body.pop("inputs"), body.pop("upstream"), body.pop("gradients"), **body, **settings
        )
    assert refused.value.field == field
    assert allowed in refused.value.allowed


def test_nan_is_refused_with_its_place() -> None:
    """In a gradient above all: 0 / 0 is what a homework brings."""
    with pytest.raises(SpecError, match=r"gradients.dW: 'not a number at \[1\]\[0\]'"):
        diagnose("dense", X, G, {"dW": [[1.0, 2.0], [float("nan"), 1.0]]})
    with pytest.raises(SpecError, match=r"out of range at \[0\]\[1\]"):
        diagnose("dense", X, G, {"dW": [[1.0, float("inf")], [1.0, 1.0]]})


@pytest.mark.parametrize("operation", BACKWARD)
def test_whatever_is_handed_in_is_judged_or_refused(operation: str) -> None:
    """Forms that do not go together, lengths that differ, great and small numbers, settings of every kind."""
    of, rng = BACKWARD[operation], np.random.default_rng(11)
    values = [0, 1, 3, 0.3, 1e-12, "same", "mean", "softmax", True, None, -1, 1e300]
    sizes = (0.0, 1.0, 1e-9, 1e8)

    def numbers(shape: tuple[int, ...]) -> Any:
        return (rng.choice([-1.0, 0.5, 1.0], shape) * rng.choice(sizes)).tolist()

    for _ in range(60):
        lengths = {axis: int(rng.integers(1, 4)) for each in of.inputs for form in each.axes for axis in form}
        forms = {each.name: each.axes[rng.integers(len(each.axes))] for each in of.inputs}
        shapes = {name: tuple(lengths[axis] for axis in form) for name, form in forms.items()}
        inputs = {name: numbers(shape) for name, shape in shapes.items()}
        if "mask" in inputs:
            inputs["mask"] = np.ones(shapes["mask"]).tolist()
        settings = {each.name: values[rng.integers(len(values))] for each in of.settings if rng.random() < 0.5}
        gradients = {name: numbers(shapes[name[1:]]) for name in of.gradients}
        for shape in ((), shapes[of.inputs[0].name], (2, 2), (1, 2, 1, 1)):
            with suppress(SpecError):
                assert str(diagnose(operation, inputs, numbers(shape), gradients, **settings))


# A function in a notebook


def batch_norm_backward(dout: Floats, x: Floats, gamma: Floats, eps: float) -> tuple[Floats, Floats, Floats]:
    """Right, written with the way through each node."""
    n, mean = len(x), x.mean(0)
    spread = np.sqrt(((x - mean) ** 2).mean(0) + eps)
    hat, back = (x - mean) / spread, dout * gamma
    centred = back / spread - hat / spread * (back * hat).mean(0)
    dout *= 2  # which is its own copy
    return centred - centred.sum(0) / n, (dout / 2 * hat).sum(0), dout.sum(0) / 2


def test_a_right_function_is_right() -> None:
    """Named as its author likes, with a dict or a tuple or the one gradient, with inputs as they come."""
    assert check(batch_norm_backward, "batch_norm").right
    assert check(lambda g, w, x: {"dW": g.T @ x, "dx": g @ w}, "dense").right
    assert check(lambda g, *inputs: g * (inputs[0] > 0), "relu").right
    assert check(lambda g, z, y, reduction: BACKWARD["softmax_cross_entropy"].backward(
        Case({"z": z, "y": y}, {"reduction": reduction}, g))["dz"], "softmax_cross_entropy").right  # fmt: skip


def test_a_wrong_function_is_told_its_mistake() -> None:
    """The one that explains all draws; what is not written yet is left out."""

    def short(dout: Floats, x: Floats, gamma: Floats, eps: float) -> tuple[Floats | None, ...]:
        deviation = np.sqrt(x.var(0) + eps)
        back = dout * gamma
        return (back - back.mean(0)) / deviation, None, dout

    found = check(short, "batch_norm")
    assert [each.gradient for each in found.findings] == ["dx", "dbeta"]
    assert "the way through the variance is missing" in found["dx"].sentence
    assert [each.name for each in found["dbeta"].mistakes] == ["not_summed"]
    unknown = check(lambda g, W, x: {"dW": g.T @ x / 7}, "dense")["dW"]
    assert not unknown.mistakes
    assert unknown.by_one_factor
    assert "<td>not right</td>" in found._repr_html_()


def test_a_function_that_is_wrong_in_some_draws_is_told_so() -> None:
    """The mean forgotten: seen where the loss is one."""
    found = check(lambda g, z, y, reduction: BACKWARD["softmax_cross_entropy"].backward(
        Case({"z": z, "y": y}, {"reduction": "sum"}, g))["dz"], "softmax_cross_entropy")["dz"]  # fmt: skip
    assert [each.name for each in found.mistakes] == ["mean_missing"]
    assert 0 < found.draws[0] < found.draws[1] == 20
    assert f"in {found.draws[0]} of 20 draws" in found.sentence


def test_a_function_that_cannot_be_called_is_told_why() -> None:
    """What it may ask for, what it is to return; its own fault comes with what it was given."""
    for function, said in (
        (lambda g, q: g, r"batch_norm has x, gamma, beta, eps: the function asks for 'q'"),
        (lambda g, gama: g, "did you mean gamma"),
        (lambda g, x: None, "returned nothing; return dx, dgamma, dbeta"),
        (lambda g, x: (g, g), "returned 2 values"),
        (lambda g, x: g, "one ndarray"),
        (3, "takes a function, not an int"),
    ):
        with pytest.raises(TypeError, match=said):
            check(function, "batch_norm")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="matmul") as fault:
        check(lambda g, x: g @ g @ np.ones((9, 9)), "batch_norm")
    assert "x (" in fault.value.__notes__[0]
    with pytest.raises(SpecError, match="draws"):
        check(lambda g: g, "relu", draws=0)
    with pytest.raises(SpecError, match="settings"):
        check(lambda g: g, "relu", stride=2)


# JSON


async def _answers(folder: Path, bodies: list[Any], **settings: Any) -> list[httpx.Response]:
    app = create_app(Settings(data=folder, **settings))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://playground") as client:
            listed = await client.get("/api/v1/diagnose")
            return [listed, *[await client.post("/api/v1/diagnose", json=body) for body in bodies]]


def test_json_tells_what_python_tells(tmp_path: Path) -> None:
    """The same verdict; the list of operations; and nothing of the right numbers."""
    case = drawn("layer_norm", 2)
    body: dict[str, Any] = {
        "operation": "layer_norm",
        "inputs": {name: each.tolist() for name, each in case.arrays.items()},
        "upstream": case.g.tolist(),
        "gradients": {"dx": np.ones_like(case.g).tolist(), "dbeta": case.g.tolist()},
        "settings": {"eps": 1e-5},
    }
    listed, answer = asyncio.run(_answers(tmp_path, [body]))
    assert {each["name"] for each in listed.json()} == set(BACKWARD)
    Diagnosable.model_validate_json(listed.content)
    assert DiagnosisAnswer.model_validate_json(answer.content, extra="forbid").right is False
    told = answer.json()
    python = diagnose("layer_norm", case.arrays, case.g, body["gradients"])
    assert told["right"] is False
    assert {name: each["sentence"] for name, each in told["gradients"].items()} == {
        each.gradient: each.sentence for each in python.findings
    }
    assert told["gradients"]["dbeta"]["mistakes"][0]["name"] == "not_summed"
    assert told["gradients"]["dx"]["mistakes"] == []


def test_json_refuses_with_field_and_reason(tmp_path: Path) -> None:
    """What the engine refuses, and what is too much; never a 500."""
    many = {
        "operation": "relu",
        "inputs": {"z": [[1.0] * 600]},
        "upstream": [[1.0] * 600],
        "gradients": {"dz": [[1.0]]},
    }
    deep: Any = 1.0
    for _ in range(8):
        deep = [deep]
    kinds: list[Any] = [{}, "x", deep, True, [[True, "a"]], [[1], 2], [[[]]]]
    strange = [asked({"inputs": {**X, "x": each}}) for each in kinds]
    bodies = [asked(change) for change, _, _ in REFUSED]
    heavy = {"operation": "conv2d", "inputs": {"x": [[[[1.0] * 500]]], "W": [[[[1.0]]]] * 240, "b": [1.0] * 240}}
    bodies = [*bodies, asked(heavy | {"gradients": {"db": [1.0]}})]
    _, *answers = asyncio.run(_answers(tmp_path, [*bodies, *strange, many], diagnosed_numbers=1000))
    assert "at most 100,000 multiplications" in answers[len(REFUSED)].text
    for answer in answers:
        assert answer.status_code == 422, answer.text
    for answer, (_, field, allowed) in zip(answers, REFUSED, strict=False):
        (fault,) = answer.json()["errors"]
        assert fault["field"] == field
        assert allowed in fault["allowed"]
    assert "at most 1,000 numbers" in answers[-1].text
