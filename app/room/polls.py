"""Questions to a class, and the answers to them: the engine knows the truth before anybody answers.

Answers are text in one spelling each, so that equal answers are equal strings and a distribution is a count.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor, log10
from typing import Any

from app.failures import BadQuestion
from app.learn.judging import Problem, parse_number
from app.room.names import clean
from app.words.numbers import signed
from app.words.texts import text
from engine.wording import Words

OPEN, CLOSED, REVEALED = "open", "closed", "revealed"
OWN = "own"
OPTIONS = (2, 6)
PROMPT_LENGTH, OPTION_LENGTH = 200, 60
GROUPS = 6


@dataclass(frozen=True)
class ClassQuestion:
    """What a class is asked. With `options` the answer is one of them, else a number within `tolerance` of the truth.

    `address` is what it is about (a parameter or a unit), `step` the step whose numbers it was made from, on one
    `example` or its mini-batch. `truth` and `sentence` are never told before the reveal. `given` are the numbers that
    the answer can be worked out from. A question of the teacher's own may have no truth.
    """

    number: int
    kind: str
    prompt: str
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    truth: str | None = None
    tolerance: float = 0.0
    sentence: str = ""
    given: str = ""
    address: str = ""
    step: int = 0
    example: int | None = None
    steps: bool = False
    """Whether the reveal takes the step that the question is about."""

    def label(self, answer: str) -> str:
        """An answer as people read it."""
        if answer in self.options and self.labels:
            return self.labels[self.options.index(answer)]
        if not self.options:
            return signed(float(answer))
        return answer if self.kind == OWN else text(answer)


@dataclass(frozen=True)
class Bar:
    """One answer of a distribution and how often it was given; `true` is None while it is not told."""

    answer: str
    label: str
    count: int
    true: bool | None = None


def canonical(question: ClassQuestion, answer: object) -> str:
    """The one spelling of an answer; BadQuestion if it is none."""
    if question.options:
        text = str(answer).strip() if isinstance(answer, str | int | float) else ""
        if text in question.options:
            return text
        spelled = {option.casefold(): option for option in question.options}
        spelled |= {question.label(option).casefold(): option for option in question.options}
        found = spelled.get(text.casefold())
        if found is None:
            raise BadQuestion("answer", text[:40], "one of {options}", options=", ".join(question.options))
        return found
    value = parse_number(answer) if isinstance(answer, str | int | float) and not isinstance(answer, bool) else None
    if value is None or abs(value) > 1e12:
        raise BadQuestion("answer", str(answer)[:40], "a number, such as -0.25")
    return repr(value + 0.0)


def is_right(question: ClassQuestion, answer: str) -> bool | None:
    """Whether an answer is the truth; None where there is none."""
    if question.truth is None:
        return None
    if question.options:
        return answer == question.truth
    return abs(float(answer) - float(question.truth)) <= question.tolerance


def distribution(question: ClassQuestion, answers: Mapping[str, str], told: bool) -> tuple[Bar, ...]:
    """How often each answer was given: counts alone. `told` also says which of them is true."""
    if question.options:
        counts = Counter(answers.values())
        return tuple(
            Bar(option, question.label(option), counts[option], is_right(question, option) if told else None)
            for option in question.options
        )
    return _grouped(question, [float(answer) for answer in answers.values()], told)


def _grouped(question: ClassQuestion, values: list[float], told: bool) -> tuple[Bar, ...]:
    """Numbers that agree in two digits count as one answer; the truth's own group stands apart once it is told."""
    right = [v for v in values if told and is_right(question, repr(v))]
    groups = Counter(_two_digits(v) for v in values if not (told and is_right(question, repr(v))))
    most = sorted(groups.items(), key=lambda item: (-item[1], item[0]))
    bars = [Bar(repr(v), signed(v, 2), n, False if told else None) for v, n in sorted(most[:GROUPS])]
    if others := sum(n for _, n in most[GROUPS:]):
        bars.append(Bar("others", text("others"), others, False if told else None))
    if told and question.truth is not None:
        truth = float(question.truth)
        bars.insert(0, Bar(question.truth, signed(truth, 3), len(right), True))
    return tuple(bars)


def _two_digits(value: float) -> float:
    if value == 0:
        return 0.0
    return float(f"{value:.{max(0, 1 - floor(log10(abs(value))))}f}") if abs(value) < 10 else float(f"{value:.2g}")


def question_from(problem: Problem, **more: Any) -> ClassQuestion:
    """A problem as a question to a class."""
    truth = problem.truth if isinstance(problem.truth, str) else repr(float(problem.truth))
    base = ClassQuestion(
        0, "", problem.prompt, problem.options, truth=truth, tolerance=problem.tolerance, sentence=problem.solution
    )
    return replace(base, **more)


def own(prompt: str, options: list[str] | tuple[str, ...] = (), truth: str | None = None) -> ClassQuestion:
    """A question of the teacher's own: one of 2 to 6 options, or with none a number; with or without a known truth."""
    prompt = clean(prompt, PROMPT_LENGTH)
    if not prompt:
        raise BadQuestion("prompt", prompt, "a question of 1 to {most} characters", most=PROMPT_LENGTH)
    cleaned, (least, most) = tuple(clean(option, OPTION_LENGTH) for option in options), OPTIONS
    if cleaned and not (least <= len(cleaned) <= most and all(cleaned) and len(set(cleaned)) == len(cleaned)):
        allowed: Words = "{least} to {most} different options, or none"
        raise BadQuestion("options", f"{len(cleaned)} options", allowed, least=least, most=most)
    question = ClassQuestion(0, OWN, prompt, cleaned)
    if not truth:
        return question
    try:
        told = canonical(question, clean(truth, OPTION_LENGTH))
    except BadQuestion as error:
        raise BadQuestion("truth", truth, error.allowed) from None
    solution = text("The answer is “{answer}”." if cleaned else "The answer is {answer}.", answer=question.label(told))
    tolerance = 0.0 if cleaned else max(0.02 * abs(float(told)), 6e-5)
    return replace(question, truth=told, sentence=solution, tolerance=tolerance)
