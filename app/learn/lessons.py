"""Lessons: the templates of a folder in order. Each sets `title`, `idea` and `spec` at its head, and is made of
screens.
"""

import re
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateNotFound

from app.draw.rendering import ENV
from app.learn.visit import Visit
from app.words.texts import kept

TRACK = (("error", 3), ("slope", 2), ("neuron", 3), ("layers", 3), ("layers", 4))
"""Backpropagation in ten minutes: (lesson, screen), one after the other."""
_NAME = re.compile(r"lessons/(\d+)-([a-z0-9-]+)\.html")


@dataclass(frozen=True)
class Lesson:
    """One lesson as its template's head tells it; `number` counts from 1 in the order of the folder."""

    slug: str
    number: int
    title: str
    idea: str
    spec: dict[str, Any]
    minutes: int
    """How long it takes, about."""
    screens: tuple[str, ...]
    template: str
    head: Any
    """All that the head sets, by name."""


@kept(4)
def lessons(env: Environment) -> tuple[Lesson, ...]:
    """Every lesson of the folder, in the order of their names: a new file is a new lesson, at the next start."""
    names = sorted((int(match[1]), match[2], name) for name in env.list_templates() if (match := _NAME.fullmatch(name)))
    return tuple(_read(env, number, slug, name) for number, (_, slug, name) in enumerate(names, 1))


def lesson(env: Environment, slug: str) -> Lesson | None:
    """The lesson of that name, or None."""
    return next((each for each in lessons(env) if each.slug == slug), None)


def number_of(slug: str) -> int:
    """The number by which a lesson speaks of another: that of today."""
    return next(each.number for each in lessons(ENV) if each.slug == slug)


def _read(env: Environment, number: int, slug: str, name: str) -> Lesson:
    visit = Visit()
    head: Any = env.get_template(name).make_module({"at": visit})
    missing = [each for each in ("title", "idea", "spec") if not hasattr(head, each)]
    if missing:
        raise TemplateNotFound(f"{name}: a lesson's head sets title, idea and spec; {', '.join(missing)} not set")
    screens = tuple(visit.titles)
    minutes = getattr(head, "minutes", 2 * len(screens))
    return Lesson(slug, number, head.title, head.idea, head.spec, minutes, screens, name, head)


def place_on_track(slug: str, screen: int) -> int | None:
    """Where a screen stands in the ten minutes, from 0; None if it is no part of them."""
    return TRACK.index((slug, screen)) if (slug, screen) in TRACK else None
