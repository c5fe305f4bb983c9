"""Predict: the telling moments of a walkthrough as questions, by direction or by number, judged as the lessons' are.

Asked are the first delta, and then once each: a delta of one message or of messages that agree, one of messages that
differ, the sign of a gradient, and the direction of an update.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.explain.plan import Key, plan_of
from app.learn.facts import Facts
from app.learn.judging import Problem, Verdict, check, parse_number
from app.learn.problems import (
    DOWN,
    STAY,
    UP,
    delta_problem,
    gradient_problem,
    messages,
    residual_problem,
)
from app.learn.updating import update_problems
from app.words.names import called, name_of
from app.words.numbers import signed
from app.words.texts import text
from engine import RunState, SpecError
from engine.arrays import Floats
from engine.checks import one_of
from engine.quantity import weight
from engine.receipts import slopes
from engine.wording import Words

GRAINS = ("operation", "unit")


@dataclass(frozen=True)
class Prediction(Verdict):
    """Whether an answer is right; if it is not, which factor to look at, and why. `truth` is what would have been
    right: a direction, or the number where one was answered; null where the answer is neither."""

    truth: float | str | None

    def __bool__(self) -> bool:
        return self.correct

    def __str__(self) -> str:
        return self.message if self.correct else f"Look at: {self.factor}. {self.message}"


@dataclass(frozen=True, repr=False)
class Question:
    """What is asked at a moment: which of the options, or the number itself. `kind` is first, agree, differ, gradient
    or update; `hides` is the quantity asked about. It does not show what is right before `judged` is asked."""

    moment: int
    kind: str
    way: Problem
    number: Problem

    @property
    def hides(self) -> str:
        """The quantity asked about."""
        return self.number.quantity

    @property
    def prompt(self) -> str:
        """Which way it goes."""
        return self.way.prompt

    @property
    def options(self) -> tuple[str, ...]:
        """The ways there are."""
        return self.way.options

    @property
    def number_prompt(self) -> str:
        """How much it is."""
        return self.number.prompt

    @property
    def hint(self) -> str:
        """What decides which way."""
        return self.way.hint

    def judged(self, answer: str | float) -> Prediction:
        """The verdict on up, down or stay, or on a number."""
        told = str(answer).strip().lower()
        if told not in self.options and parse_number(told) is None:
            return Prediction(False, "answer", text("Say up, down or stay, or a number, for instance -0.25."), None)
        problem = self.way if told in self.options else self.number
        return Prediction(**vars(check(problem, told)), truth=problem.truth)

    def __repr__(self) -> str:
        return f"Question(moment {self.moment}: {self.prompt} {', '.join(self.options)}, or the number)"


def predictions(state: RunState, example: int, granularity: str = "unit") -> list[Question]:
    """What a walkthrough asks before it shows: the telling moments of a run's next step on one example, by its row.

    `judged("up")`, or a number, says which factor was off. SpecError for an example or a granularity there is none of.
    """
    return questions(Facts(state, example), one_of("granularity", granularity, GRAINS))


def questions(facts: Facts, grain: str) -> list[Question]:
    """The telling moments of a step on one example, in their order; none of a batch, or where whole layers are told."""
    if facts.example is None or grain not in GRAINS or not np.isfinite(facts.trace.gradient).all():
        return []
    found: dict[str, Question] = {}
    for index, key in enumerate(plan_of(facts.state.spec, grain).keys):  # type: ignore[arg-type]
        for question in _asked(facts, key, index):
            found.setdefault(question.kind, question)
    return list(found.values())


def question_at(facts: Facts, grain: str, moment: int) -> Question:
    """The question of a moment; SpecError if nothing is asked there."""
    asked = {question.moment: question for question in questions(facts, grain)}
    if moment not in asked:
        raise SpecError(
            "moment",
            moment,
            "a moment at which something is asked: {number}",
            number=", ".join(map(str, asked)) or "none",
        )
    return asked[moment]


def _asked(facts: Facts, key: Key, index: int) -> Iterator[Question]:
    k, j, network = key.layer, key.unit, facts.state.spec.network
    if not j or network.image(k) or (k < facts.layers and network.image(k + 1)):  # maps have too many numbers to ask of
        return
    mask = facts.trace.layers[k - 1].mask
    if key.kind in ("delta", "dz") and (mask is None or mask[0, j - 1]) and _has_factors(facts, k):
        kind, way = _unit_way(facts, k, j)
        number = delta_problem if slopes(facts.trace, k) is not None else residual_problem
        yield Question(index, kind, way, number(facts, k, j))
    if not facts.is_plain(k):
        return
    if key.kind in ("gradient", "dW"):
        address = str(weight(k, j, key.source or _largest(facts, k, j)))
        yield Question(index, "gradient", _gradient_way(facts, address), gradient_problem(facts, address))
    if key.kind in ("update", "update_weight"):
        address = str(weight(k, j, key.source or _largest(facts, k, j)))
        if (asked := update_problems(facts, address)) is not None:
            yield Question(index, "update", *asked)


def _has_factors(facts: Facts, k: int) -> bool:
    """Whether a layer's δ is ∂L/∂a × slope, or of softmax with its cross-entropy, a − y."""
    joined = facts.state.spec.network.joined
    return slopes(facts.trace, k) is not None or (k == facts.layers and joined is not None)


def _largest(facts: Facts, k: int, j: int) -> int:
    return int(np.abs(facts.trace.layers[k - 1].dW[j - 1]).argmax()) + 1


_AIM: Words = "It is {a} and should be {y}: δ is {delta}."


def _unit_way(facts: Facts, k: int, j: int) -> tuple[str, Problem]:
    """Which way a unit should go for a smaller loss, and what decides it."""
    delta, name = facts[f"dz{k}.{j}"], called(facts.state.spec, k, j)
    if k == facts.layers:
        a, y = float(facts.trace.layers[-1].a[0, j - 1]), float(facts.trace.y[0, j - 1])
        kind, factor, why = "first", "target", text(_AIM, a=signed(a), y=signed(y), delta=signed(delta))
    else:
        products, above = messages(facts, k, j), facts.trace.layers[k].dz[0]
        kind = "differ" if (products > 0).any() and (products < 0).any() else "agree"
        factor, why = "messages" if len(products) > 1 else "weight", _messages(products, above, delta)
    prompt = text("For a smaller loss, which way should {name} go?", name=name)
    hint = text("The sign of each product, then their sum.") if k < facts.layers else text("Where is its target?")
    return kind, _way(prompt, f"dz{k}.{j}", -delta, why, factor, hint)


def _messages(products: Floats, deltas: Floats, delta: float) -> str:
    """The messages that reach a unit, and what they come to."""
    if len(products) == 1:
        of_one: Words = "Weight × δ {above} is {product}: δ is {delta}."
        return text(of_one, above=signed(float(deltas[0])), product=signed(float(products[0])), delta=signed(delta))
    return text(
        "{count} messages, the largest {largest}, together {sum}: δ is {delta}.",
        count=len(products),
        largest=signed(float(products[np.abs(products).argmax()])),
        sum=signed(float(products.sum())),
        delta=signed(delta),
    )


def _gradient_way(facts: Facts, address: str) -> Problem:
    gradient = facts[f"d{address}"]
    why = text("Its gradient, δ × what the link carried, is {gradient}.", gradient=signed(gradient))
    prompt = text("If {name} grew a little, which way would the loss go?", name=name_of(address))
    return _way(prompt, f"d{address}", gradient, why, "sign", text("The sign of δ times the sign of what it carried."))


def _way(prompt: str, quantity: str, upwards: float, why: str, factor: str, hint: str) -> Problem:
    """A question for a direction; `upwards` is above 0 if that is up."""
    truth = UP if upwards > 0 else DOWN if upwards < 0 else STAY
    slips = {option: (factor, why) for option in (UP, DOWN, STAY) if option != truth}
    told = text("{why} So {way}.", why=why, way=text(truth))
    return Problem(prompt, quantity, truth, told, hint, options=(UP, DOWN, STAY), slips=slips)
