"""What a question is, and how an answer to it is judged: right within its tolerance, a known slip, or told by its size.

How questions come about is the matter of `problems`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite

from app.words.texts import text
from engine.wording import Words


@dataclass(frozen=True)
class Slip:
    """A number that a known slip leads to, the factor it concerns, and what to say about it."""

    value: float
    factor: str
    sentence: str


@dataclass(frozen=True)
class Problem:
    """A question about one quantity. The answer is one of `options`, or else a number within `tolerance`."""

    prompt: str
    quantity: str
    truth: float | str
    solution: str
    hint: str
    mistakes: tuple[Slip, ...] = ()
    tolerance: float = 0.0
    wanted: float = 0.0
    """The tolerance there would be if no slip came near."""
    options: tuple[str, ...] = ()
    slips: dict[str, tuple[str, str]] = field(default_factory=dict)
    """For options: what a wrong one says, as (factor, sentence)."""

    @property
    def clear(self) -> bool:
        """Whether slips stand well apart from the truth, and neither is lost in rounding."""
        if self.options or isinstance(self.truth, str):
            return True
        return self.tolerance >= self.wanted and abs(self.truth) >= 0.01


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right; if not, which factor to look at, and why."""

    correct: bool
    factor: str | None
    message: str


def check(problem: Problem, answer: str | float) -> Verdict:
    """The verdict on an answer, a number or one of the options, as text or as a number."""
    if problem.options:
        return _check_option(problem, str(answer).strip())
    value = parse_number(answer)
    if value is None:
        return Verdict(False, "number", text("Write the answer as a number, for instance -0.25."))
    assert not isinstance(problem.truth, str)
    if abs(value - problem.truth) <= problem.tolerance:
        return Verdict(True, None, problem.solution)
    near = [m for m in problem.mistakes if abs(value - m.value) <= max(problem.tolerance, 0.005 * abs(m.value))]
    if near:
        best = min(near, key=lambda m: abs(value - m.value))
        return Verdict(False, best.factor, best.sentence)
    return _by_size(problem, problem.truth, value)


def parse_number(answer: str | float) -> float | None:
    """A finite number from what people type (a true minus, a decimal comma); None if it is none."""
    typed = str(answer).strip().replace("−", "-").replace(" ", "")
    if "." not in typed:
        typed = typed.replace(",", ".", 1)
    try:
        value = float(typed) if len(typed) <= 40 and "_" not in typed else float("nan")
    except ValueError:
        return None
    return value if isfinite(value) else None


def _check_option(problem: Problem, answer: str) -> Verdict:
    chosen = next((option for option in problem.options if option.lower() == answer.lower()), None)
    if chosen is None:
        return Verdict(
            False, "choice", text("Choose one of: {options}.", options=", ".join(map(text, problem.options)))
        )
    if chosen == problem.truth:
        return Verdict(True, None, problem.solution)
    factor, sentence = problem.slips.get(chosen, ("", problem.hint))
    return Verdict(False, factor or "choice", sentence)


def _by_size(problem: Problem, truth: float, value: float) -> Verdict:
    """No known slip: at least say whether the sign, the decimal point or the size is off."""
    if abs(value + truth) <= problem.tolerance:
        return Verdict(False, "sign", text("The size is right and the sign is not. {hint}", hint=problem.hint))
    if value * truth < 0:
        return Verdict(False, "sign", text("Look at the sign first. {hint}", hint=problem.hint))
    if value * truth == 0:
        size: Words = "The size is too large. {hint}" if value else "The size is too small. {hint}"
        return Verdict(False, "size", text(size, hint=problem.hint))
    for power in (0.001, 0.01, 0.1, 10, 100, 1000):
        if abs(value - truth * power) <= problem.tolerance * power:
            return Verdict(False, "decimal point", text("The digits are right and the decimal point is not."))
    large: Words = "The sign is right, the size is too large. {hint}"
    small: Words = "The sign is right, the size is too small. {hint}"
    return Verdict(False, "size", text(large if abs(value) > abs(truth) else small, hint=problem.hint))


def numeric(
    prompt: str,
    quantity: str,
    truth: float,
    solution: str,
    hint: str,
    mistakes: Sequence[Slip],
    wanted: float | None = None,
    least: float | None = None,
) -> Problem:
    """A question for a number. It may be off by two per cent, so that rounded intermediate results do no harm, or by
    `wanted`; by less where a slip comes nearer, but never by less than four digits can be.

    Slips that lead to the right number all the same (a bias of 0, a slope of 1) are none.
    """
    wanted = max(0.02 * abs(truth), 6e-5) if wanted is None else wanted
    least = 5e-4 * abs(truth) if least is None else least
    apart = tuple(mistake for mistake in mistakes if abs(mistake.value - truth) > max(2 * least, 1e-12))
    nearest = min((abs(mistake.value - truth) / 3 for mistake in apart), default=wanted)
    tolerance = max(min(wanted, nearest), least)
    return Problem(prompt, quantity, float(truth), solution, hint, apart, tolerance, wanted)
