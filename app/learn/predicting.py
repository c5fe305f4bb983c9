"""Predict: the telling moments of a walkthrough as questions, by direction or by number, judged as the lessons' are.

Asked are the first delta, and then once each: a delta of one message or of messages that agree, one of messages that
differ, the sign of a gradient, and the direction of an update.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.explain.plan import Key, plan_of
from app.learn.facts import Facts
from app.learn.judging import Problem, Verdict, check
from app.learn.problems import DOWN, STAY, UP, delta_problem, direction_problem, gradient_problem, new_value_problem
from app.words.names import called, name_of
from app.words.numbers import signed
from engine import OPTIMIZERS, SpecError
from engine.arrays import Floats
from engine.quantity import weight
from engine.receipts import slopes

GRAINS = ("operation", "unit")


@dataclass(frozen=True)
class Question:
    """What is asked at a moment: which way, and how much. `kind` is first, agree, differ, gradient or update."""

    moment: int
    kind: str
    way: Problem
    number: Problem

    def judged(self, answer: str) -> Verdict:
        """The verdict on up, down or stays, or on a number."""
        return check(self.way if answer in (UP, DOWN, STAY) else self.number, answer)


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
            "moment", moment, "a moment at which something is asked: " + (", ".join(map(str, asked)) or "none")
        )
    return asked[moment]


def _asked(facts: Facts, key: Key, index: int) -> Iterator[Question]:
    k, j, network = key.layer, key.unit, facts.state.spec.network
    if not j or network.image(k) or (k < facts.layers and network.image(k + 1)):  # maps have too many numbers to ask of
        return
    mask = facts.trace.layers[k - 1].mask
    if key.kind in ("delta", "dz") and (mask is None or mask[0, j - 1]) and slopes(facts.trace, k) is not None:
        kind, way = _unit_way(facts, k, j)
        yield Question(index, kind, way, delta_problem(facts, k, j))
    if not facts.is_plain(k):
        return
    if key.kind in ("gradient", "dW"):
        address = str(weight(k, j, key.source or _largest(facts, k, j)))
        yield Question(index, "gradient", _gradient_way(facts, address), gradient_problem(facts, address))
    plain = facts.state.spec.optimizer == "sgd" and not facts.state.spec.penalized and not facts.state.spec.frozen
    if key.kind in ("update", "update_weight") and plain and not OPTIMIZERS[facts.state.spec.optimizer].search:
        address = str(weight(k, j, key.source or _largest(facts, k, j)))
        yield Question(index, "update", direction_problem(facts, address), new_value_problem(facts, address))


def _largest(facts: Facts, k: int, j: int) -> int:
    return int(np.abs(facts.trace.layers[k - 1].dW[j - 1]).argmax()) + 1


def _unit_way(facts: Facts, k: int, j: int) -> tuple[str, Problem]:
    """Which way a unit should go for a smaller loss, and what decides it."""
    delta, name = facts[f"dz{k}.{j}"], called(facts.state.spec, k, j)
    if k == facts.layers:
        a, y = float(facts.trace.layers[-1].a[0, j - 1]), float(facts.trace.y[0, j - 1])
        kind, factor, why = "first", "target", f"It is {signed(a)} and should be {signed(y)}: δ is {signed(delta)}."
    else:
        above = facts.trace.layers[k]
        products = above.W[:, j - 1] * above.dz[0]
        kind = "differ" if (products > 0).any() and (products < 0).any() else "agree"
        factor, why = "messages" if len(products) > 1 else "weight", _messages(products, above.dz[0], delta)
    prompt = f"For a smaller loss, which way should {name} go?"
    hint = "The sign of each product, then their sum." if k < facts.layers else "Where is its target?"
    return kind, _way(prompt, f"dz{k}.{j}", -delta, why, factor, hint)


def _messages(products: Floats, deltas: Floats, delta: float) -> str:
    """The messages that reach a unit, and what they come to."""
    if len(products) == 1:
        return f"Weight × δ {signed(float(deltas[0]))} is {signed(float(products[0]))}: δ is {signed(delta)}."
    largest = signed(float(products[np.abs(products).argmax()]))
    return (
        f"{len(products)} messages, the largest {largest}, together {signed(float(products.sum()))}: "
        f"δ is {signed(delta)}."
    )


def _gradient_way(facts: Facts, address: str) -> Problem:
    gradient = facts[f"d{address}"]
    why = f"Its gradient, δ × what the link carried, is {signed(gradient)}."
    prompt = f"If {name_of(address)} grew a little, which way would the loss go?"
    return _way(prompt, f"d{address}", gradient, why, "sign", "The sign of δ times the sign of what it carried.")


def _way(prompt: str, quantity: str, upwards: float, why: str, factor: str, hint: str) -> Problem:
    """A question for a direction; `upwards` is above 0 if that is up."""
    truth = UP if upwards > 0 else DOWN if upwards < 0 else STAY
    slips = {option: (factor, why) for option in (UP, DOWN, STAY) if option != truth}
    return Problem(prompt, quantity, truth, f"{why} So {truth}.", hint, options=(UP, DOWN, STAY), slips=slips)
