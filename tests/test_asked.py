"""What is told of a question when it is resolved has the signs of the numbers it speaks of."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from app.learn.facts import Facts
from app.learn.posing import better_problem
from app.learn.problems import direction_problem
from app.room import asking
from app.room.polls import BadQuestion
from app.words.asked import ASKED
from app.words.messages import Message
from app.words.sentences import MESSAGES
from app.words.terms import SIGNED, meaning
from engine import Quantity, RunState, Spec, advance, apply, start

ADDRESSES = ("W1.1.1", "W1.2.2", "W2.1.2", "W2.1.1", "b1.1", "b2.1")
Claims = dict[str, bool]


def states() -> Iterator[RunState]:
    """Steps of several optimizers, a frozen weight, a network without any gradient."""
    yield start(Spec.make())
    yield start(Spec.make(learning_rate=30.0))
    yield apply(start(Spec.make(initializer="zeros")), "b2.1", 0.0)
    for optimizer in ("momentum", "adam"):
        yield advance(start(Spec.make(optimizer=optimizer, frozen=["W1.1.1"])), 4).state


def of_a_gradient(gradient: float) -> Claims:
    return {"zero": gradient == 0, "negative": gradient < 0, "positive": gradient > 0}


def of_a_move(change: float) -> Claims:
    return {"go(es)? up": change > 0, "go(es)? down": change < 0, "stays": change == 0}


def hold(told: str, claims: Claims, said: Counter[str]) -> None:
    """Everything that is claimed is so, and what is so is claimed."""
    for claim, is_so in claims.items():
        assert bool(re.search(rf"\b{claim}\b", told)) == is_so, (claim, told)
        said[claim] += is_so


def of_questions(said: Counter[str]) -> None:
    """A class's questions, and a lesson's, about one example and about a mini-batch."""
    for state, example in product(states(), (None, 3)):
        facts = Facts(state, example)
        for address in ADDRESSES:
            told = direction_problem(facts, address).solution
            hold(told, of_a_gradient(facts[f"d{address}"]) | of_a_move(facts.change(address)), said)
            of_a_class(facts, address, said)
        loss = asking.make(facts, "loss").sentence
        change = facts.after().metrics["train"].loss - facts.metrics["train"].loss
        hold(loss, {": up": change > 0, ": down": change < 0, "stays": change == 0}, said)


def of_a_class(facts: Facts, address: str, said: Counter[str]) -> None:
    for kind in ("direction", "trap"):
        try:
            question = asking.make(facts, kind, address)
        except BadQuestion:
            continue
        seen = facts.on(question.example)
        change = seen.change(question.address)
        told = question.sentence
        if kind == "trap":
            misled, told = re.match(r"(.*says \w+, .*products\.) (.*)", told).groups()  # type: ignore[union-attr]
            hold(misled, {"says up": change < 0, "says down": change > 0}, said)
        hold(told, of_a_gradient(seen[f"d{question.address}"]) | of_a_move(change), said)


def of_other_numbers(said: Counter[str]) -> None:
    """Losses before and after, and the terms that are pointed at."""
    for before, after in ((1.0, 0.5), (0.5, 1.0), (1.0, 1.0)):
        told = better_problem("?", before, after).solution
        hold(told, {"better": after < before, "worse": after > before, "the same": after == before}, said)
    for slope in (-0.5, 0.0, 0.5):
        problem = direction_problem(_With(slope), "W1.1.1", "the slope", "The slope")  # type: ignore[arg-type]
        hold(problem.solution, of_a_gradient(slope) | of_a_move(-slope), said)
        for kind in SIGNED:
            told = meaning(Quantity(kind, 1, (1, 1) if kind == "dW" else (1,)), slope)
            below, above = "below 0.*smaller", "above 0.*larger"
            hold(told, {below: slope < 0, above: slope > 0}, said)


class _With(Facts):
    """Facts of one weight whose gradient is as asked."""

    def __init__(self, gradient: float) -> None:
        super().__init__(start(Spec.make()))
        object.__setattr__(self, "gradient", gradient)

    def __getitem__(self, name: str) -> float:
        return float(self.gradient) if name == "dW1.1.1" else super().__getitem__(name)  # type: ignore[attr-defined]

    def change(self, address: str) -> float:
        return -float(self.gradient)  # type: ignore[attr-defined]


def everything(said: Counter[str]) -> None:
    of_other_numbers(said)
    of_questions(said)


def test_what_is_told_of_a_question_is_so() -> None:
    """Every direction comes up, and is the one of the number."""
    said = Counter[str]()
    everything(said)
    assert not [claim for claim, count in said.items() if not count]


@pytest.mark.parametrize("name", [name for name, message in ASKED.items() if message.up])
def test_swapped_forms_would_be_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message by sign with its two forms swapped makes some sentence false."""
    message = MESSAGES[name]
    swapped: Message = replace(message, up=message.down, down=message.up)
    monkeypatch.setitem(MESSAGES, name, swapped)
    with pytest.raises(AssertionError):
        everything(Counter())
