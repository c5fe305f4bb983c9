"""What was refused, as the page says it: a sentence at its field, in a form that keeps what was typed."""

import re
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from fastapi import Request, Response

from app.data.table import WrongData
from app.draw.rendering import render
from app.page.forms import TILE_NAMES, Controls, controls, layer_rows
from app.run.links import number
from app.serve.errors import Failed, read_by_people
from app.serve.forms import Fields
from app.serve.html import html
from engine import ACTIVATIONS, FIELDS, LIMITS, Spec, SpecError


@dataclass(frozen=True)
class Refused:
    """A refusal: the field, and the sentences at the field and at the head of the page."""

    field: str
    sentence: str
    notice: str

    def at(self, *names: str) -> str:
        """What stands at the field of one of these names: the sentence, if it is the one that was refused."""
        if self.field in names:
            return self.sentence
        return self.notice if self.field.partition(".")[0] in names else ""

    @property
    def ids(self) -> list[tuple[str, str]]:
        """Ids of the places where it may stand, each with its sentence."""
        names = dict.fromkeys((self.field, self.field.partition(".")[0]))
        return [(f"error-{name.replace('.', '-')}", self.at(name)) for name in names]


NOTHING = Refused("", "", "")


def refused(error: SpecError) -> Refused:
    """The words for an error."""
    if isinstance(error, WrongData):
        return Refused(error.field, str(error), str(error))
    error = _tiled(error)
    sentence = f"{error.value} is not allowed: it must be {error.allowed}."
    return Refused(error.field, sentence, f"{_called(error.field)}: {sentence}")


def _tiled(error: SpecError) -> SpecError:
    """The same, where datasets are named, with what their tiles are called."""
    if error.field != "dataset":
        return error
    allowed = error.allowed
    for name, tile in TILE_NAMES.items():
        allowed = re.sub(rf"\b{name}\b", f"{name} ({tile})", allowed)
    return error.renamed("dataset", allowed)


def _called(field: str) -> str:
    """A field as the page calls it: hidden 1 for hidden.0."""
    name, _, index = field.partition(".")
    if name in ("hidden", "activation") and index.isdecimal():
        return f"{name} {int(index) + 1}"
    if name == "layers" and (place := index.partition(".")[0]).isdecimal():
        return f"layers, item {int(place) + 1}"
    return field.replace("_", " ")


def unopened(error: SpecError) -> Refused:
    """The words for a link that is wrong: the default run stands in for it."""
    return Refused("", "", f"This link cannot be opened: {_tiled(error)}. Here is the default run.")


def controls_again(spec: Spec, form: Fields) -> Controls:
    """The controls of a run as a refused form has left them: what was chosen in it need not go together."""
    if "controls" not in form:
        return controls(spec)
    typed: dict[str, Any] = {name: value for name in FIELDS if (value := _typed(name, form)) is not None}
    units = form.getlist("units")[: LIMITS.hidden_layers]
    names = [name if name in ACTIVATIONS else "tanh" for name in form.getlist("unit_activation")]
    rows = layer_rows([number(text) for text in units], (names + ["tanh"] * len(units))[: len(units)])
    typed["features"] = tuple(form.getlist("features"))
    shown = controls(replace(spec, **typed, parameters=None))
    start, text = form.get("start_parameters", ""), form.get("layers", "")
    return replace(shown, layers=rows, start_text=start, layers_text=text)


def _typed(name: str, form: Fields) -> str | float | None:
    """A choice or a number of the form, if it is one at all."""
    field, text = FIELDS[name], form.get(name, "")
    if field.kind == "choice" and name != "dataset":
        return text if text in field.choices else None
    value = number(text) if field.kind in ("number", "integer") else None
    return value if isinstance(value, int | float) and isfinite(value) else None


_TITLES = {404: "Nothing here", 410: "This run is gone", 429: "Too much at once", 503: "Not now"}


def sorry(request: Request, failed: Failed) -> Response | None:
    """A failure as a page that leads on, to people."""
    if not read_by_people(request):
        return None
    title = _TITLES.get(failed.status, "That did not work")
    return html(request, render("sorry.html", title=title, detail=failed.sentence), failed.status)
