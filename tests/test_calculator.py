"""Every moment closes by a pocket calculator: what stands in its rows is read from the page, computed with the digits
that are printed, and compared with the result that is printed.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reading import Element, page
from test_digits import NAMES, NUMBER, SIGNS, number
from test_pictures import Run, looking

from app.draw.diagram import Room
from app.draw.rendering import render
from app.explain.moments import GRAINS, Grain
from app.explain.plan import Key
from app.explain.walkthrough import walkthrough
from app.page.frame import _walk
from app.page.links import View
from engine import Spec, Trace, advance, start, trace

NETWORKS: dict[str, dict[str, Any]] = {
    "default": {},
    "8-8": {"hidden": [8, 8]},
    "softmax": {"dataset": "three_blobs", "hidden": [3], "output_activation": "softmax", "loss": "cross_entropy"},
    "regression": {"dataset": "sine", "hidden": [3], "learning_rate": 0.05},
    "dropout and shortcut": {"layers": "dense 3 tanh, dropout 0.3, dense 3 relu, shortcut 1"},
    "twelve": {"hidden": [12], "activation": "softplus", "loss": "huber"},
}
RULES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "momentum": {"optimizer": "momentum"},
    "adam": {"optimizer": "adam", "learning_rate": 0.003},
    "l2": {"regularization": "l2", "regularization_rate": 0.01},
    "momentum and l1": {"optimizer": "momentum", "regularization": "l1", "regularization_rate": 0.003},
    "adam and l2": {"optimizer": "adam", "regularization": "l2", "regularization_rate": 0.001},
    "adamw": {"optimizer": "adamw"},
    "nesterov": {"optimizer": "nesterov"},
    "rmsprop": {"optimizer": "rmsprop"},
    "adagrad": {"optimizer": "adagrad"},
}
SOME = 6  # moments of a kind that are read in each layer


def shown(step: Trace, grain: Grain, index: int, example: int | None) -> Element:
    """A moment's rows as the page has them."""
    walk, _ = _walk(step, View(example=example, moment=index, grain=grain), Room(970, 330))
    return page(render("_rows.html", {"w": walk, "m": walk.moment}))


def equations(face: Element) -> Iterator[str]:
    """The equations that stand in it with numbers, as text: the lines of one equation one behind the other."""
    last = ""
    for table in face.all("table", "equation"):
        for row in table.all("tr", "numbers"):
            text = "".join(cell.words for cell in row.all("td"))
            if "=" not in text:  # a line that goes on
                last += text
                continue
            if last:
                yield last
            last = text
    if last:
        yield last
    for numbers in face.all("p", id="moment-numbers"):
        for text in numbers.words.split("; "):
            tree, _, result = text.rpartition(" = ")
            yield f"{result}={tree.split(' = ')[-1]}"


def computed(text: str) -> float:
    """What an expression comes to with the digits that it has."""
    code = NUMBER.sub(lambda found: repr(number(found[0])[0]), text).replace("exp(", "e^(")
    for sign, python in SIGNS.items():
        code = code.replace(sign, python)
    code = re.sub(r"\|([^|]*)\|", r"abs(\1)", code).replace("^", "**")
    return float(eval(code, dict(NAMES)))


def closes(text: str) -> bool:
    """Whether the result that is printed is what a calculator shows, to the digits that are printed."""
    result, _, tree = text.replace(" ", "").partition("=")
    told, half = number(result.replace("−", "").replace("+", ""))
    sign = -1 if "−" in result[:1] else 1
    return abs(computed(tree) - sign * told) <= half * 1.001 + 1e-12 * abs(told)


CASES = [(name, "sgd") for name in NETWORKS] + [(name, rule) for name in ("default", "softmax") for rule in RULES]


def is_given(key: Key, step: Trace) -> bool:
    """Whether a moment takes over a number as it is: a bias's δ, what identity lets through."""
    same = key.kind == "activation" and step.layers[key.layer - 1].activation == "identity"
    return same or key.kind == "db"


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("example", [3, None], ids=["one example", "a batch"])
@pytest.mark.parametrize(("name", "rule"), dict.fromkeys(CASES), ids=str)
def test_every_moment_closes(name: str, rule: str, example: int | None, grain: Grain) -> None:
    """There is something to compute in every moment, and a calculator finds what is printed."""
    step = trace(advance(start(Spec.make(**{**NETWORKS[name], **RULES[rule]})), 3).state, example)
    seen: Counter[tuple[str, int]] = Counter()
    for index, key in enumerate(walkthrough(step, grain).plan.keys[:-1]):
        seen[key.kind, key.layer] += 1
        again = rule != "sgd" and key.phase in ("forward", "backward")  # as it is without that rule
        if key.kind == "inputs" or again or seen[key.kind, key.layer] > SOME:
            continue
        found = [text for text in equations(shown(step, grain, index, example)) if not text.endswith("=λ")]
        made = [text for text in found if re.search(".[×+/(−]", text.partition("=")[2])]
        assert made or is_given(key, step), (key, found)
        for text in found:
            assert closes(text), (key, text)


@pytest.mark.parametrize("given", [{}, {**NETWORKS["softmax"], **RULES["l2"]}, NETWORKS["regression"]], ids=str)
def test_the_loss_of_the_next_run_closes(tmp_path: Path, given: dict[str, Any]) -> None:
    """What the step has made of the loss is computed as printed, on one example and on the batch."""

    async def work(run: Run) -> None:
        for view in ({}, {"example": 3}):
            frame = await run.look(moment=999, **view)
            assert frame.all("div", id="again")
            found = list(equations(frame))
            assert found
            assert all(closes(text) for text in found), found

    looking(tmp_path, work, 3, **given)


def test_the_calculator_is_strict() -> None:
    """What is off by one in the last digit that is printed does not close."""
    assert closes("−0.1500=−0.5000×+0.3000")
    assert not closes("−0.1501=−0.5000×+0.3000")
    assert not closes("+0.1500=−0.5000×+0.3000")
