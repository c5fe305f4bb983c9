"""What an address or a form asks to see of a formula."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from urllib.parse import parse_qsl, urlencode

from app.graph.presets import PRESETS
from app.page.asked import Asked
from app.serve.root import at
from engine import Graph, SpecError, graph
from engine.graph import Grain
from engine.language import NODES

FIRST, RATE = "twice", 0.1
PREDICTED = ("sign", "number")
LONGEST_BACK, LONGEST_KEPT = 1_500, 20_000
_LISTS = re.compile(r"([A-Za-z]\w*)\s*@\s*([A-Za-z]\w*)|\bdot\(\s*([A-Za-z]\w*)\s*,\s*([A-Za-z]\w*)\s*\)")
_NAMED = re.compile(r"^[ \t]*([A-Za-z]\w*)[ \t]*=", re.MULTILINE)
_SETS = re.compile(r"^[ \t]*[A-Za-z]\w*[ \t]*=[ \t]*\[?[-+0-9eE., \t]+\]?[ \t]*(?=#|$)", re.MULTILINE)
SHOW = "show"  # in place of an answer


@dataclass(frozen=True)
class Asks:
    """What an address asks to see of a formula; `good` is the last source that could be drawn, `kept` its values."""

    source: str
    values: Mapping[str, str]
    good: str
    at: str
    grain: Grain
    nudge: str
    rate: float
    size: str
    predict: str = ""
    answer: str = ""
    still: bool = False
    """Whether it is a picture alone, in a page of another kind."""
    back: str = ""
    """The link of the run that it came from, by its query; empty for none, or where it is too long to be carried."""
    kept: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, ask: Asked) -> "Asks":
        """The asks of a request's fields."""
        asks, answers = cls.read(ask.fields), ask.form.getlist("answer")
        late = bool(ask.text("preset")) or "to" in ask.fields
        answer = "" if late else next(filter(None, answers), "")[:40].strip()
        return replace(asks, size=_size(ask), answer=answer)

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "Asks":
        """What an address's fields ask."""

        def text(field: str) -> str:
            return fields.get(field, "")

        name = text("preset")
        first = PRESETS[name if name in PRESETS else FIRST]
        source, values = first.formula, dict(first.values)
        if "source" in fields and not name:
            source, values = text("source").replace("\r\n", "\n").strip("\n"), {}
        good = "" if name else text("good")
        anew = _set_in(source) - _set_in(good) if good else set()  # a line that was written anew wins over its field
        written = {line.partition("=")[0].strip() for line in anew}
        values |= {k[2:]: v for k, v in fields.items() if k[:2] == "v." and not name and k[2:] not in written}
        at = "" if name else fields.get("to", text("at"))
        grain: Grain = "edge" if text("grain") == "edge" else "node"
        predict = text("predict") if text("predict") in PREDICTED else ""
        kept = dict(parse_qsl(text("kept"), max_num_fields=NODES)) if good and len(text("kept")) < LONGEST_KEPT else {}
        back = text("back") if not name and len(text("back")) <= LONGEST_BACK else ""
        return cls(
            source, values, good, at, grain, text("nudge"), _rate(text("rate")), "l", predict, back=back, kept=kept
        )

    def graph(self) -> Graph:
        """The formula, computed; values of names that it has no more are let go, names without any get one."""
        lists = {name: "1, 2" for pair in _LISTS.findall(self.source) for name in pair if name}
        assigned = set(_NAMED.findall(self.source))
        begun = {name: value for name, value in lists.items() if name not in assigned} | dict(self.values)
        try:
            return _drawn(self.source, begun)
        except SpecError as error:
            found = re.fullmatch(r"values\.(\w+)", error.field)
            if not found or found[1] in begun or not error.allowed.startswith("given"):
                raise
            values, missing = dict(begun), found[1]
            while len(values) < NODES:
                values[missing] = "1"
                try:
                    return _drawn(self.source, values)
                except SpecError as again:
                    more = re.fullmatch(r"values\.(\w+)", again.field)
                    if not more or more[1] in values:
                        raise
                    missing = more[1]
            raise


def _set_in(source: str) -> set[str]:
    """The lines that give a name a plain value, without blanks."""
    return {re.sub(r"\s", "", line) for line in _SETS.findall(source)}


def address_of(source: str, values: Mapping[str, str], more: Mapping[str, str] = {}, path: str = "/graph") -> str:
    """The address that holds a formula, its values, and what is looked at."""
    fields = {"source": source, **{f"v.{name}": text for name, text in values.items()}, **more}
    return at(f"{path}?") + urlencode({name: text for name, text in fields.items() if text})


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        return RATE
    return min(max(rate, 1e-6), 10.0) if isfinite(rate) else RATE


def _size(ask: Asked) -> str:
    wanted = ask.text("size") or str(ask.size)
    return wanted if wanted in ("s", "m") else "l"


def _drawn(source: str, values: Mapping[str, str]) -> Graph:
    names = set(re.findall(r"[A-Za-z]\w*", source))
    return graph(source, {name: _value(name, text) for name, text in values.items() if name in names})


def _value(name: str, text: str) -> float | list[float]:
    try:
        numbers = [float(each) for each in text.replace("−", "-").strip("[] ").split(",")]
    except ValueError:
        raise SpecError(f"values.{name}", text, "a number, or numbers with commas between them") from None
    return numbers if len(numbers) > 1 or text.startswith("[") else numbers[0]
