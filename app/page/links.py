"""The address of the page: a spec, its edits and what is looked at, as one query string, and back.

The query holds everything: opening it elsewhere gives the same run and the same picture.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from typing import Any

from app.draw.lens import LENSES
from app.explain.moments import GRAINS
from app.run.links import edits_of, number, query_fields, query_of, spec_fields
from app.serve.root import at
from app.words.numbers import given
from engine import Edit, Quantity, Spec, SpecError

SCALES = ("linear", "log")
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
COMPARED = 4


@dataclass(frozen=True)
class View:
    """What is looked at. `step` None is the head of the run, `example` None the mini-batch, `moment` None no
    walkthrough; `place` is the place of feature maps that it tells of; `across` and `up` are the two inputs drawn over,
    by their numbers from 1; `compare` are runs whose loss is laid over this one's; the stops end Play."""

    step: int | None = None
    lens: str = "weights"
    example: int | None = None
    select: str | None = None
    moment: int | None = None
    grain: str = "unit"
    place: str | None = None
    scale: str = "linear"
    discrete: bool = False
    tests: bool = False
    across: int | None = None
    up: int | None = None
    compare: tuple[str, ...] = ()
    stop_step: int | None = None
    stop_loss: float | None = None
    stop_accuracy: float | None = None


DEFAULT_VIEW = View()


@dataclass(frozen=True)
class Link:
    """A spec, the edits made since its start, and the view."""

    spec: Spec
    edits: tuple[Edit, ...] = ()
    view: View = DEFAULT_VIEW

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "Link":
        """The link of a query; what is left out takes its default. SpecError names a field that is wrong."""
        spec = Spec.recalled(spec_fields(query))
        edits = edits_of(query["edits"]) if query.get("edits") else ()
        return cls(spec, edits, view_of(query))

    def fields(self) -> dict[str, str]:
        """Every field of the query by name, as text."""
        return query_fields(self.spec, self.edits) | view_fields(self.view)

    def query(self, **changes: Any) -> str:
        """The query string, with some of the view changed."""
        link = replace(self, view=replace(self.view, **changes)) if changes else self
        return query_of(link.fields())

    def url(self, **changes: Any) -> str:
        """The whole address within the site."""
        return at("/?" + self.query(**changes))


def view_of(query: Mapping[str, str]) -> View:
    """The view in a query; SpecError for what it does not know."""
    return View(
        step=_whole(query, "step"),
        lens=_choice(query, "lens", tuple(LENSES)),
        example=_whole(query, "example"),
        select=_selected(query.get("select", "")),
        moment=_whole(query, "moment"),
        grain=_choice(query, "grain", GRAINS, "unit"),
        place=_place(query.get("place", "")),
        scale=_choice(query, "scale", SCALES),
        discrete=query.get("discrete", "") == "on",
        tests=query.get("tests", "") == "on",
        across=_whole(query, "across"),
        up=_whole(query, "up"),
        compare=tuple(i for i in query.get("compare", "").split(",") if RUN_ID.fullmatch(i))[:COMPARED],
        stop_step=_whole(query, "stop_step"),
        stop_loss=_share(query, "stop_loss"),
        stop_accuracy=_share(query, "stop_accuracy"),
    )


def view_fields(view: View) -> dict[str, str]:
    """The fields of a view that differ from the default, as text."""
    values = ((field.name, getattr(view, field.name)) for field in dataclass_fields(View))
    return {name: _text(value) for name, value in values if value != getattr(DEFAULT_VIEW, name)}


def _text(value: object) -> str:
    match value:
        case tuple():
            return ",".join(value)
        case float():
            return given(value)
    return "on" if value is True else str(value)


def _whole(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 12:
        raise SpecError(name, text, "a whole number from 0")
    return int(text)


def _share(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name, "")
    if not text:
        return None
    value = number(text)
    if isinstance(value, str) or not 0 <= value <= 1e12:
        raise SpecError(name, text, "a number from 0")
    return float(value)


def _choice(query: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str = "") -> str:
    text = query.get(name) or default or allowed[0]
    if text not in allowed:
        raise SpecError(name, text, "one of {allowed}", allowed=", ".join(allowed))
    return text


def _place(text: str) -> str | None:
    """The address of a place of a feature map, as it is spelled."""
    try:
        found = Quantity.parse(text) if text else None
    except ValueError:
        found = Quantity("")
    if found and (found.kind != "a" or len(found.index) != 3):
        raise SpecError("place", text, "a place of a feature map, such as a1.2.5.7")
    return str(found) if found else None


def _selected(text: str) -> str | None:
    """The address of a parameter or a unit, as it is spelled."""
    if not text:
        return None
    try:
        found = Quantity.parse(text)
    except ValueError:
        found = Quantity("")
    if not ((found.kind == found.letter and found.is_parameter) or (found.kind == "a" and len(found.index) == 1)):
        raise SpecError("select", text, "an address such as W2.1.3, b2.1 or a2.1")
    return str(found)
