"""What stands on the page with its numbers put in closes: read as text, it gives the number behind its = sign."""

import re
from collections.abc import Iterator
from itertools import product
from math import exp, isfinite, log, log1p, sqrt, tanh

import pytest
from drawn import EITHER
from hypothesis import given, settings
from test_equations import PAIRS, of_layer, spec_of

from app.words.digits import digits
from app.words.segments import text_of
from engine import Trace, advance, start, trace
from engine.equation import Equation
from engine.equations import Equations
from engine.lookup import Numbers

NUMBER = re.compile(r"(?<![\w.])[\d\u202f]+(?:\.\d+)?(?:×10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?")
SIGNS = {"−": "-", "×": "*", "²": "**2", "³": "**3", "√(": "sqrt(", "σ(": "sigma(", "ln(": "log(", "e^(": "exp("}
NAMES = {
    "exp": exp, "log": log, "log1p": log1p, "tanh": tanh, "sqrt": sqrt, "max": max, "min": min, "abs": abs,
    "sigma": lambda z: 1 / (1 + exp(-z)), "sign": lambda x: (x > 0) - (x < 0),
}  # fmt: skip


def number(text: str) -> tuple[float, float]:
    """What a number reads, and by how much the true one may differ from it."""
    mantissa, _, power = text.replace("\u202f", "").partition("×10")
    exponent = int(power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))) if power else 0
    places = len(mantissa.partition(".")[2])
    half = 0.5 * 10.0 ** (exponent - places) if "." in mantissa else 0.0
    return float(mantissa) * 10.0**exponent, half


def evaluated(text: str) -> tuple[float, float]:
    """What an expression of the page comes to, and how far its digits leave that open."""
    text = re.sub(r" \(the other \d+\)", "", text).replace("ln(1 + ", "log1p(")  # exact where 1 swallows the rest
    found = [number(match[0]) for match in NUMBER.finditer(text)]
    code = NUMBER.sub("@", text)
    for sign, python in SIGNS.items():
        code = code.replace(sign, python)
    code = re.sub(r"\|([^|]*)\|", r"abs(\1)", code)

    def at(values: list[float]) -> float:
        parts = code.split("@")
        joined = "".join(part + (repr(values[n]) if n < len(values) else "") for n, part in enumerate(parts))
        return float(eval(joined, dict(NAMES)))

    values = [value for value, _ in found]
    exact, open_ = at(values), 0.0
    for n, (value, half) in enumerate(found):
        if half:
            moved = [at([*values[:n], value + way * half, *values[n + 1 :]]) for way in (1, -1)]
            open_ += max(abs(each - exact) for each in moved)
    return exact, open_


def closes(text: str) -> bool:
    """Whether both sides of every equation in a text agree within their digits."""
    for part in text.split("; "):
        part = re.sub(r"^[A-Za-zδ∂/′]+ = ", "", part)
        if " = " not in part:
            continue
        left, right = part.rsplit(" = ", 1)
        try:
            (found, open_), (told, half) = evaluated(left), evaluated(right)
        except (ZeroDivisionError, ValueError, OverflowError):
            continue  # at the very end of what digits can say: 1 - 1.000
        if abs(found - told) > 1.05 * (open_ + half) + 1e-12 * abs(told):
            return False
    return True


def told(step: Trace) -> Iterator[Equation]:
    """The equations of a step that are told with numbers."""
    made = Equations.of(step)
    yield made.loss()
    for k in range(1, made.last + 1):
        for j, i in product(made.units(k), made.units(k - 1)):
            stable = made.activation(k).stable and made.a(k, j, 0, stable=True)
            yield from (each for each in of_layer(made, k, j, i, 0) if each != stable)


def finite(step: Trace) -> bool:
    """Whether every number of a step is told in digits."""
    return isfinite(step.loss) and all(isfinite(float(abs(layer.z).max())) for layer in step.layers)


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_pair_of_loss_and_output_closes(output: str, loss: str) -> None:
    """Of one example and of a batch, after some steps."""
    state = advance(start(spec_of(output, loss, PAIRS.index((output, loss)))), 2).state
    for step in (trace(state), trace(state, 3)):
        if finite(step):
            for equation in told(step):
                text = text_of(digits(equation, Numbers(step)))
                assert closes(text), text


@settings(max_examples=40, deadline=None)
@given(EITHER)
def test_any_step_closes(step: Trace) -> None:
    """Random networks, batches and settings; no minus stands bare behind another sign."""
    if not finite(step):
        return
    for equation in told(step):
        text = text_of(digits(equation, Numbers(step)))
        assert closes(text), text
        assert not re.search("[×−/] [+−]?−|−[+]", text), text


def test_a_missing_bracket_would_be_seen() -> None:
    """The reader takes × before +, and knows how far digits go."""
    assert closes("(+0.5000 + 0.2500) / 2 = +0.3750")
    assert not closes("+0.5000 + 0.2500 / 2 = +0.3750")
    assert closes("+0.3333 × 3 = +1.000")
    assert not closes("+0.3333 × 3 = +1.001")
    assert not closes("−0.5000 × (−0.3000) = −0.1500")
