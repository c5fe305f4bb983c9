"""One reader's visit to a lesson: what was set and answered stands in the address, so it needs no cookie, works without
script, and can be sent to others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any
from urllib.parse import urlencode

from app.learn.facts import Facts
from app.learn.judging import Problem, Verdict, check
from app.words.numbers import unsigned
from app.words.texts import text
from engine import LIMITS, RunState, Spec, start


@dataclass(frozen=True)
class Control:
    """Something the reader sets: a number in a range, or one of several options (value, label)."""

    name: str
    label: str
    value: float | str
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    options: tuple[tuple[str, str], ...] = ()
    texts: tuple[str, ...] = ()
    """What the whole numbers from 0 on stand for, where they are places in a row."""


@dataclass(frozen=True)
class Task:
    """A question put to the reader, what was answered, and the verdict on it; None before an answer."""

    name: str
    problem: Problem
    answer: str | None
    verdict: Verdict | None
    shown: bool
    field: str
    """What its answer is called in the address: another name in each state that it asks about."""

    @property
    def correct(self) -> bool:
        """Whether it was answered, and rightly."""
        return self.verdict is not None and self.verdict.correct

    @property
    def told(self) -> str:
        """The right answer as it is shown: a count without decimal places."""
        truth = self.problem.truth
        if isinstance(truth, str):
            return text(truth)
        return str(int(truth)) if truth.is_integer() else unsigned(truth)

    @property
    def revealed(self) -> bool:
        """Whether what follows may be seen: after the right answer, or when the reader asks to be told."""
        return self.correct or self.shown


class Visit:
    """One reading of one screen (from 1), of every screen (`ALL`, to print) or of none (0, to learn their titles).

    A screen's function notes its controls and tasks here before its text is rendered, which finds them by name.
    """

    ALL = -1

    def __init__(self, screen: int = 0, query: Mapping[str, str] | None = None) -> None:
        self.screen, self.query, self.open = screen, query or {}, screen
        self.titles: list[str] = []
        self.controls: list[Control] = []
        self.tasks: list[Task] = []

    def turn(self, screen: int) -> None:
        """Open a screen: the one of this visit, or when all are read, one after the other."""
        self.open, self.titles = screen, []

    def begin(self, title: str) -> bool:
        """Note a screen; True if it is the open one."""
        self.titles.append(title)
        return self.open == len(self.titles)

    @property
    def index(self) -> int:
        """The screen being rendered, from 1."""
        return len(self.titles)

    @property
    def printing(self) -> bool:
        """Whether all screens are shown in a row, to be read and not to be worked at."""
        return self.screen == Visit.ALL

    def number(self, name: str, label: str, default: float, low: float, high: float, step: float = 0.01) -> float:
        """A number that the reader sets, brought into its range; `default` where nothing sensible was given."""
        value = _clamped(self.query.get(name), default, low, high)
        self.controls.append(Control(name, label, value, low, high, step))
        return value

    def place(self, name: str, label: str, texts: Sequence[object], default: int = 0) -> int:
        """A place in a row, from 0, that the reader slides to; each is shown as its text."""
        last = len(texts) - 1
        value = round(_clamped(self.query.get(name), default, 0, last))
        self.controls.append(Control(name, label, value, 0, last, 1, texts=tuple(map(str, texts))))
        return value

    def count(self, name: str, default: int, high: int, low: int = 0) -> int:
        """A whole number that buttons of the screen set, such as a step."""
        return round(_clamped(self.query.get(name), default, low, high))

    def value(self, name: str, default: float, low: float, high: float) -> float:
        """A number that buttons of the screen set."""
        return _clamped(self.query.get(name), default, low, high)

    def choice(self, name: str, label: str, options: Sequence[Sequence[str]], default: str) -> str:
        """One of several (value, label) that the reader chooses."""
        allowed = tuple((value, text) for value, text in options)
        given = self.query.get(name)
        value = given if given in {value for value, _ in allowed} else default
        assert value is not None
        self.controls.append(Control(name, label, value, options=allowed))
        return value

    def flag(self, name: str) -> bool:
        """Whether a button of that name was pressed."""
        return self.query.get(name) == "1"

    def text(self, name: str, longest: int) -> str:
        """Something longer that a script of the page fills in, or "" if it is too long."""
        given = self.query.get(name, "")
        return given if len(given) <= longest else ""

    def ask(self, name: str, problem: Problem, of: Sequence[float] = ()) -> Task:
        """Put a question, and judge what was answered.

        `of` are the settings that it asks about, if the reader can change them: with others it is a new question, and
        an answer given before says nothing about it.
        """
        field = "-".join([name, *(f"{value:g}" for value in of)])
        answer = self.query.get(field, "").strip()[:60] or None
        verdict = check(problem, answer) if answer else None
        task = Task(name, problem, answer, verdict, field in self.query.get("show", "").split(), field)
        self.tasks.append(task)
        return task

    def task(self, name: str) -> Task:
        """The task of that name, asked and judged before."""
        return next(task for task in reversed(self.tasks) if task.name == name)

    def facts(self, spec: Mapping[str, Any], example: int | None = None) -> Facts:
        """The start of the run that a spec stands for."""
        return Facts(_start(Spec.make(spec, LIMITS)), example)

    def address(self, **changes: object) -> str:
        """The query of this screen with something set otherwise, for a link that does it."""
        kept = {name: value for name, value in self.query.items() if len(value) <= 60}
        return "?" + urlencode({**kept, "screen": self.screen, **changes})


def _clamped(given: str | None, default: float, low: float, high: float) -> float:
    try:
        value = float(given) if given else default
    except ValueError:
        value = default
    return min(max(value, low), high) if isfinite(value) else default


@lru_cache(maxsize=64)
def _start(spec: Spec) -> RunState:
    return start(spec)


Values = dict[str, Any]
"""What a screen's text and pictures name."""
Screen = Callable[[Visit, Any], Values]
"""From a visit and what the lesson's head sets to the values of one screen."""
