"""A language of the tests' own: every message in wide letters. Whatever still reads as English was said past
`app.words.texts`, where no translation would find it.
"""

import re
from collections.abc import Iterator
from functools import cache
from string import Formatter
from typing import Any

import pytest
from test_equations import PAIRS, spec_of

from app.explain.fans import Fan
from app.explain.moments import GRAINS, Grain
from app.explain.receipts import Receipt, receipt
from app.explain.walkthrough import walkthrough
from app.explain.why import why_of
from app.words.catalogue import messages
from app.words.health import advised
from app.words.segments import text_of
from app.words.texts import speaking, text
from engine import (
    ACTIVATIONS,
    DATASETS,
    FEATURES,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    SCHEDULES,
    Spec,
    Trace,
    advance,
    start,
    trace,
)
from engine.fields import FIELDS
from engine.operations import OPERATIONS

_WIDE = str.maketrans({chr(n): chr(n + 0xFEE0) for n in (*range(65, 91), *range(97, 123))})
FUNCTIONS = {"max", "min", "sign", "exp", "tanh"}


def wide(message: str) -> str:
    """A message in wide letters; its parts keep their places. What no catalogue would have cannot be said."""
    assert is_listed(message), f"no catalogue has {message!r}: is it annotated as Words?"
    return "".join(_piece(*piece) for piece in Formatter().parse(message))


def is_listed(message: str) -> bool:
    """Whether a translator is given it; names of the tables, letters and numbers are the same in every language."""
    said_before = any(letter in message for letter in _WIDE.values())
    return message in known() or said_before or not re.search(r"[a-z]{3}", message) or message in NAMES


@cache
def known() -> frozenset[str]:
    """Every message that Babel lists."""
    return messages()


def _piece(literal: str, field: str | None, spec: str | None, _: str | None) -> str:
    words = re.split(r"(<[^>]*>|&#?\w+;)", literal)  # tags stay tags
    said = "".join(each if n % 2 else each.translate(_WIDE) for n, each in enumerate(words))
    said = said.replace("{", "{{").replace("}", "}}")
    between = spec.translate(_WIDE) if spec and " " in spec else spec  # what stands between the parts of a list
    return said if field is None else f"{said}{{{field}{':' + between if between else ''}}}"


def _listed() -> Iterator[str]:
    """What the engine's tables say: they are lists of messages by themselves."""
    tables: tuple[dict[str, Any], ...] = (
        ACTIVATIONS, LOSSES, OPTIMIZERS, DATASETS, FEATURES, PENALTIES, SCHEDULES, INITIALIZERS, FIELDS,
    )  # fmt: skip
    for table in tables:
        for name, entry in table.items():
            found = [getattr(entry, key, "") for key in ("title", "sentence", "definition", "costly")]
            yield from (
                each.lower() for each in (name, name.replace("_", " "), *found) if isinstance(each, str) and each
            )


NAMES = {*ACTIVATIONS, *DATASETS, *OPTIMIZERS, *OPERATIONS, *FIELDS, "gamma", "beta", "eps"}
NAMES |= {setting.name for table in (OPTIMIZERS, SCHEDULES) for entry in table.values() for setting in entry.settings}
LISTED = re.compile("|".join(re.escape(each) for each in sorted(set(_listed()), key=len, reverse=True)))


def english(said: str) -> list[str]:
    """The words of a text that no message has said."""
    words: list[str] = re.findall(r"(?<![a-z_\d])[a-z]{3,}(?![\w_])", LISTED.sub(" ", said.lower()))
    return [word for word in words if word not in FUNCTIONS]


def nothing_in_english(*texts: str) -> None:
    for said in texts:
        assert not english(said), said


def steps() -> Iterator[Trace]:
    """Every pair of loss and output, all optimizers and penalties among them; a batch and one example."""
    for n, (output, loss) in enumerate(PAIRS):
        state = advance(start(spec_of(output, loss, n)), 2).state
        yield from (trace(state), trace(state, 3))


def test_wide_letters_are_seen() -> None:
    """What is said by a message is not English any more, and its parts are as they were."""
    with speaking(wide):
        assert english(text("hidden {layer}", layer="of these")) == ["these"]
    assert text("hidden {layer}", layer=3) == "hidden 3"


@pytest.mark.parametrize("grain", GRAINS)
def test_moments_are_messages(grain: Grain) -> None:
    """Words, numbers and reasons of every moment, and what is said of a walkthrough that is shortened.

    Of each pair of loss and output by a batch at every other grain, by one example at those between, and of its
    neighbour the other way round.
    """
    with speaking(wide):
        for n, step in enumerate(steps()):
            if (n // 2 + n + GRAINS.index(grain)) % 2:
                continue
            walk = walkthrough(step, grain)
            nothing_in_english(walk.collapsed)
            for moment in walk:
                why = why_of(walk.scene, moment)
                nothing_in_english(
                    text_of(moment.words), text_of(moment.numbers), *(text_of(each.words) for each in why)
                )
                fans = (each.picture for each in why if isinstance(each.picture, Fan))
                nothing_in_english(*(told.text for fan in fans for told in fan.texts))
                nothing_in_english(*(term.label for term in moment.terms))


def told(of: Receipt) -> Iterator[str]:
    """Everything that a receipt says."""
    yield from (text_of(of.words), text_of(of.numbers), of.place, *(line.label for line in of.lines))
    for group in of.more:
        yield from (group.title, *(line.label for line in group.lines))


def test_receipts_are_messages() -> None:
    """Of inputs, units and parameters, whole and in the middle of a walkthrough."""
    with speaking(wide):
        for step in steps():
            for address in ("a0.1", "a1.1", "a2.1", "W1.1.1", "b1.1", "W2.1.2"):
                for known in (None, frozenset[Any]()):
                    nothing_in_english(*told(receipt(step, address, known)))


@pytest.mark.parametrize(
    ("lr", "more"),
    [
        (0.1, {"initializer": "zeros"}),
        (100.0, {"activation": "identity"}),
        (0.1, {"activation": "threshold"}),
        (3.0, {"activation": "relu"}),
    ],
)
def test_health_is_a_message(lr: float, more: dict[str, Any]) -> None:
    """What is wrong with a step, and where a run's numbers ran out."""
    state = start(Spec.make(learning_rate=lr, **more))
    with speaking(wide):
        for _ in range(3):
            state = advance(state, 20).state
            nothing_in_english(advised(trace(state), state))
