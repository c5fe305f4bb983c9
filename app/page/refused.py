"""What was refused, as the page says it: a sentence at its field, in a form that keeps what was typed."""

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
from app.words.sentences import lower
from app.words.texts import text
from engine import ACTIVATIONS, FIELDS, LIMITS, Spec, SpecError
from engine.wording import Said, Words


@dataclass(frozen=True)
class Refusal:
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


NOTHING = Refusal("", "", "")


def refused(error: SpecError) -> Refusal:
    """The words for an error."""
    if isinstance(error, WrongData):
        sentence = text(error.sentence)
        return Refusal(error.field, sentence, sentence)
    sentence = text("{value} is not allowed: it must be {allowed}.", value=error.given, allowed=_allowed(error))
    return Refusal(error.field, sentence, text("{field}: {sentence}", field=called(error.field), sentence=sentence))


def _allowed(error: SpecError) -> str:
    """What is allowed; datasets with what their tiles are called."""
    told = error.allowed
    if error.field == "dataset" and isinstance(told, Said):
        known = FIELDS["dataset"].choices
        names = (f"{name} ({text(TILE_NAMES[name])})" if name in TILE_NAMES else name for name in known)
        return text(told, names=", ".join(names))
    return text(told)


_OTHERS: tuple[Words, ...] = ("address", "amount", "count", "example", "examples", "field", "moment", "step", "value")


def called(field: str) -> str:
    """A field as the page calls it: hidden 1 for hidden.0."""
    name, _, index = field.partition(".")
    if name in ("hidden", "activation") and index.isdecimal():
        return text("{field} {number}", field=text(name), number=int(index) + 1)
    if name == "layers" and (place := index.partition(".")[0]).isdecimal():
        return text("layers, item {number}", number=int(place) + 1)
    if field in FIELDS:
        return lower(text(FIELDS[field].title))
    return text(field) if field in _OTHERS else field


_UNOPENED: Words = "This link cannot be opened. {why} Here is the default run."


def unopened(error: SpecError) -> Refusal:
    """The words for a link that is wrong: the default run stands in for it."""
    return Refusal("", "", text(_UNOPENED, why=refused(error).notice))


def controls_again(spec: Spec, form: Fields) -> Controls:
    """The controls of a run as a refused form has left them: what was chosen in it need not go together."""
    if "controls" not in form:
        return controls(spec)
    typed: dict[str, Any] = {name: value for name in FIELDS if (value := _typed(name, form)) is not None}
    units = form.getlist("units")[: LIMITS.hidden_layers]
    names = [name if name in ACTIVATIONS else "tanh" for name in form.getlist("unit_activation")]
    rows = layer_rows([number(each) for each in units], (names + ["tanh"] * len(units))[: len(units)])
    typed["features"] = tuple(form.getlist("features"))
    shown = controls(replace(spec, **typed, parameters=None))
    start, layers = form.get("start_parameters", ""), form.get("layers", "")
    return replace(shown, layers=rows, start_text=start, layers_text=layers)


def _typed(name: str, form: Fields) -> str | float | None:
    """A choice or a number of the form, if it is one at all."""
    field, typed = FIELDS[name], form.get(name, "")
    if field.kind == "choice" and name != "dataset":
        return typed if typed in field.choices else None
    value = number(typed) if field.kind in ("number", "integer") else None
    return value if isinstance(value, int | float) and isfinite(value) else None


_DID_NOT_WORK: Words = "That did not work"
_TITLES: dict[int, Words] = {404: "Nothing here", 410: "This run is gone", 429: "Too much at once", 503: "Not now"}


def sorry(request: Request, failed: Failed) -> Response | None:
    """A failure as a page that leads on, to people."""
    if not read_by_people(request):
        return None
    title = text(_TITLES.get(failed.status, _DID_NOT_WORK))
    return html(request, render("sorry.html", title=title, detail=text(failed.sentence)), failed.status)
