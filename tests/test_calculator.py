"""Every moment closes by a pocket calculator: what stands in its rows is read from the page, computed with the digits
that are printed, and compared with the result that is printed.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import Element, page
from test_digits import NAMES, NUMBER, SIGNS, number
from test_equations import PAIRS, spec_of
from test_pictures import Run, looking

from app.draw.diagram import Space
from app.draw.rendering import render
from app.explain.chips import chips_of
from app.explain.moments import GRAINS, Grain
from app.explain.plan import Key
from app.explain.receipts import receipt
from app.explain.rows import rows_of
from app.explain.walkthrough import walkthrough
from app.explain.why import why_of
from app.page.forms import DEEP, LENET, PRESETS
from app.page.frame import _walk
from app.page.links import View
from app.words.segments import text_of
from engine import Quantity, Spec, Trace, advance, start, trace
from engine.equation import Places
from engine.lookup import Numbers

NETWORKS: dict[str, dict[str, Any]] = {
    "default": {},
    "8-8": {"hidden": [8, 8]},
    "softmax": {"dataset": "three_blobs", "hidden": [3], "output_activation": "softmax", "loss": "cross_entropy"},
    "regression": {"dataset": "sine", "hidden": [3], "learning_rate": 0.05},
    "dropout and shortcut": {"layers": "dense 3 tanh, dropout 0.3, dense 3 relu, shortcut 1"},
    "twelve": {"hidden": [12], "activation": "softplus", "loss": "huber"},
}
# Presets that are large: a few moments of each kind are read of them.
LARGE: dict[str, dict[str, Any]] = {
    **{name: {"dataset": name, **PRESETS[name]} for name in ("digits16", "spiral", "multi_gaussian")},
    **DEEP,
    "16 x 16 LeNet": {**LENET, "samples": 200},
    "frozen": {"frozen": ["b1.1", "W2.1.1"], "optimizer": "adam"},
    "norms and memory": {"layers": "dense 3 tanh, layer_norm, dense 2 sigmoid, batch_norm", "optimizer": "adam"},
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
    walk, _ = _walk(step, View(example=example, moment=index, grain=grain), Space(970, 330))
    return page(render("_rows.html", {"w": walk, "m": walk.moment}))


def equations(face: Element) -> Iterator[str]:
    """The equations that stand in it with numbers, as text: the lines of one equation one behind the other."""
    begun: list[str] = []
    for table in face.all("table", "equation"):
        rows = ["".join(cell.words for cell in row.all("td")) for row in table.all("tr", "numbers")]
        if begun and "=" not in rows[0][1:]:  # the next line of each
            begun = [text + more for text, more in zip(begun, rows, strict=True)]
        else:
            yield from begun
            begun = rows
    yield from begun
    for numbers in face.all("p", id="moment-numbers"):
        for text in numbers.words.split("; "):
            tree, _, result = text.rpartition(" = ")
            yield f"{result}={tree.split(' = ')[-1]}"


def is_one(text: str) -> bool:
    """Whether it is an equation of one number: not a list of many, nor a place among the weights."""
    return bool(NUMBER.fullmatch(text.partition("=")[0].strip(" +−")))


def computed(text: str) -> float:
    """What an expression comes to with the digits that it has."""
    text = re.sub(r"\((by[^)]*|frozen)\)", "", text)
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


@pytest.mark.parametrize(("grain_turn", "grain"), list(enumerate(GRAINS)), ids=str)
@pytest.mark.parametrize(("turn", "name", "rule"), [(n, *case) for n, case in enumerate(dict.fromkeys(CASES))], ids=str)
def test_every_moment_closes(turn: int, name: str, rule: str, grain_turn: int, grain: Grain) -> None:
    """There is something to compute in every moment, and a calculator finds what is printed.

    Every case at every grain, by turns of one example and of a batch: each case and each grain has both.
    """
    example = (3, None)[(turn + grain_turn) % 2]
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


def assert_all_close(step: Trace, grain: Grain, example: int | None, some: int, keep: Callable[[Key], bool]) -> int:
    """Of so many moments of a kind in each layer that are to be kept; how many equations were read."""
    seen: Counter[tuple[str, int]] = Counter()
    read = 0
    for index, key in enumerate(walkthrough(step, grain).plan.keys[:-1]):
        if key.kind == "inputs" or not keep(key):
            continue
        seen[key.kind, key.layer] += 1
        if seen[key.kind, key.layer] > some:
            continue
        for text in filter(is_one, equations(shown(step, grain, index, example))):
            assert closes(text), (key, text)
            read += 1
    return read


@pytest.mark.parametrize("example", [3, None], ids=["one example", "a batch"])
@pytest.mark.parametrize("name", LARGE)
def test_large_networks_close(name: str, example: int | None) -> None:
    """Digits, maps, normalizations, many layers: two moments of each kind in each layer."""
    step = trace(advance(start(Spec.make(LARGE[name])), 2).state, example)
    assert assert_all_close(step, "unit", example, 2, lambda key: True) > 40
    if name in ("frozen", "norms and memory"):
        assert assert_all_close(step, "operation", example, 2, lambda key: key.phase == "update") > 10


def test_what_cancels_closes_whatever_rounding_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sum that is 0 but for rounding is 0 itself with some machines' arithmetic."""
    kept = Numbers.__call__

    def rounded(look: Numbers, of: Quantity, at: Places | None = None) -> Any:
        found = kept(look, of, at)
        return 0.0 * found if np.ndim(found) == 0 and abs(found) < 1e-15 else found

    monkeypatch.setattr(Numbers, "__call__", rounded)
    step = trace(advance(start(Spec.make(LARGE["norms and memory"])), 2).state, 3)
    assert assert_all_close(step, "unit", 3, 2, lambda key: key.kind == "gradient") > 10


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_pair_of_loss_and_output_closes_on_the_page(output: str, loss: str) -> None:
    """The loss, and the output layer both ways, by every rule of an update in its turn."""
    state = advance(start(spec_of(output, loss, PAIRS.index((output, loss)))), 2).state
    each: tuple[tuple[int | None, Grain], ...] = ((3, "unit"), (None, "operation"))
    for example, grain in each:
        step = trace(state, example)
        assert assert_all_close(step, grain, example, 2, lambda key: key.kind == "loss" or key.layer == 3) > 4


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


SIGNED = r"([+−]?[\d\u202f.]+(?:×10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?)"
# What a sentence says of its numbers, as an equation of them in their order.
COMPUTED = {
    rf"holds {SIGNED}\. The link to .* has the weight {SIGNED}: together {SIGNED}\.": "{2} = {0} × {1}",
    rf"slope lets {SIGNED} % of ∂L/∂a = {SIGNED} through to [zn]: (?:δ = )?{SIGNED}\.": "{2} = {0} / 100 × {1}",
    rf"they send back {SIGNED} and {SIGNED}, together {SIGNED}\.": "{2} = {0} + {1}",
    rf"they send back {SIGNED}, {SIGNED} and {SIGNED}, together {SIGNED}\.": "{3} = {0} + {1} + {2}",
    rf"on the way back, × {SIGNED}: what comes back, {SIGNED}, becomes {SIGNED}\.": "{2} = {0} × {1}",
    rf"itself {SIGNED}, through the mean {SIGNED}, through the spread {SIGNED}\. They add up to δ = {SIGNED}\.":
        "{3} = {0} + {1} + {2}",
    rf"was {SIGNED}; after this step it is {SIGNED}\..* the step brought {SIGNED}\.": "{2} = {1} − {0}",
    rf"output is {SIGNED}, its target {SIGNED}\. If the output rose a little, the loss would rise, {SIGNED} times":
        "{2} = {0} − {1}",
    rf"output is {SIGNED}, its target {SIGNED}\. If the output rose a little, the loss would fall, {SIGNED} times":
        "{2} = {1} − {0}",
    rf"Nudge [zn] by {SIGNED}: .* moves a by {SIGNED}\. Of what a is asked, the share {SIGNED} reaches":
        "{1} = {0} × {2}",
    rf"From .* that is {SIGNED}: a nudge of {SIGNED} moves z by {SIGNED},": "{2} = {0} × {1}",
}  # fmt: skip


def in_words(text: str, loss: str) -> Iterator[str]:
    """The equations that sentences say; only of a squared error is what was missed by the loss's slope itself."""
    for form, equation in COMPUTED.items():
        if "its target" in form and loss != "squared_error":
            continue
        for found in re.finditer(form, text):
            numbers = [each.rstrip(".") for each in found.groups()]
            yield equation.format(*(f"({each})" if n else each for n, each in enumerate(numbers)))


def whole(equation: str) -> str:
    """Without the brackets round its result."""
    result, _, tree = equation.partition(" = ")
    return f"{result.strip('()')}={tree}"


@pytest.mark.parametrize("grain", ["operation", "unit"])
@pytest.mark.parametrize(
    "given",
    [*NETWORKS.values(), {"layers": "dense 4 sigmoid, layer_norm, dense 4 relu, dropout 0.5"},
     {"hidden": [2, 3], "activation": "gelu", "regularization": "l2", "learning_rate": 0.001}],
    ids=str,
)  # fmt: skip
def test_what_words_compute_closes(given: dict[str, Any], grain: Grain) -> None:
    """Of sentences, and of what Why unfolds: with the digits that they say."""
    seen = set[str]()
    for steps, example in ((0, 8), (40, 3)):
        walk = walkthrough(trace(advance(start(Spec.make(given)), steps).state, example), grain)
        for moment in walk:
            text = " ".join([text_of(moment.words), *(text_of(each.words) for each in why_of(walk.scene, moment))])
            for equation in map(whole, in_words(text, walk.trace.spec.loss)):
                seen.add(moment.kind)
                assert closes(equation), (moment.kind, equation, text)
    assert len(seen) > 1


def told_of(value: str) -> float:
    """A number of a ledger."""
    sign = -1 if value.startswith("−") else 1
    return sign * number(value.lstrip("+−"))[0]


@pytest.mark.parametrize(
    "given",
    [{}, RULES["adam and l2"], {**NETWORKS["twelve"], "optimizer": "momentum"}, NETWORKS["dropout and shortcut"]],
    ids=str,
)
@pytest.mark.parametrize("example", [3, None], ids=["one example", "a batch"])
def test_ledgers_of_receipts_add_up(given: dict[str, Any], example: int | None) -> None:
    """Old value and steps make the new one; what adds up to z, to what comes back and to a gradient, does."""
    step = trace(advance(start(Spec.make(given)), 3).state, example)
    network, read = step.spec.network, 0
    units = (f"a{k}.{j}" for k in (1, 2) for j in range(1, min(4, network.sizes[k] + 1)))
    for address in [*units, *network.addresses()][:30]:
        told = receipt(step, address)
        main = {line.label: line.value for line in told.lines}
        if told.kind == "parameter":
            steps = [line.value for line in told.lines if line.label == "now" or line.role == "update"]
            assert closes(f"{main['next']}={sum(map(told_of, steps)):.15f}"), (address, main)
        for group in told.more:
            about = group.title.removeprefix("What adds up to ")
            result = next((value for label, value in main.items() if label.startswith(about)), None)
            if group.title.startswith("What adds up to") and result:
                assert closes(f"{result}={sum(told_of(line.value) for line in group.lines):.15f}"), (address, group)
                read += 1
            for line in group.lines:
                if found := re.fullmatch(r"example \d+: (.*)", line.label):
                    assert closes(f"{line.value}={found[1]}"), line
    assert read > 3


def test_the_calculator_is_strict() -> None:
    """What is off by one in the last digit that is printed does not close."""
    assert closes("−0.1500=−0.5000×+0.3000")
    assert not closes("−0.1501=−0.5000×+0.3000")
    assert not closes("+0.1500=−0.5000×+0.3000")


def test_numbers_are_as_short_as_closing_lets_them() -> None:
    """Of those with digits that count, three of four have four, and one of 25 more than five; none has eight."""
    counts: Counter[int] = Counter()
    for name in ("default", "softmax", "twelve"):
        step = trace(advance(start(Spec.make(**NETWORKS[name])), 3).state, 3)
        walk = walkthrough(step, "unit")
        for moment in walk:
            rows = [cells for block in rows_of(walk.scene, moment).blocks for _, cells in block.numbers]
            chips = chips_of(walk.scene, moment)
            rows += [(chip.result, *chip.factors) for chip in chips.chips] if chips else []
            rows += [tuple(line.cell for line in chips.lines)] if chips else []
            told = (cell.number.partition("×")[0] for cells in rows for cell in cells if not cell.sign and cell.part)
            counts.update(len(re.sub(r"\D", "", text).lstrip("0")) for text in told)
    measured = {digits: count for digits, count in counts.items() if digits >= 4}
    whole = sum(measured.values())
    assert whole > 400
    assert measured[4] / whole > 3 / 4
    assert sum(count for digits, count in measured.items() if digits > 5) / whole < 1 / 25
    assert max(measured) < 8
