"""The address of the page: a spec, its edits and what is looked at, as one query string, and back.

The query holds everything: opening it elsewhere gives the same run and the same picture.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode
from zlib import compress, decompressobj
from zlib import error as ZlibError

from app.draw.lens import LENSES
from app.explain.moments import GRAINS
from app.words.numbers import given
from engine import FIELDS, CustomData, Edit, Quantity, Spec, SpecError, edits_from
from engine.layers import text_of

SCALES = ("linear", "log")
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_PACKED = 12_000
LARGEST_UNPACKED = 2_000_000
COMPARED = 4
TOO_LONG = "-" * (LONGEST_PACKED + 1)


@dataclass(frozen=True)
class View:
    """What is looked at. `step` None is the head of the run, `example` None the mini-batch, `moment` None no
    walkthrough; `across` and `up` are the two inputs drawn over, by their numbers from 1; `compare` are runs whose loss
    is laid over this one's; the stops end Play."""

    step: int | None = None
    lens: str = "weights"
    example: int | None = None
    select: str | None = None
    moment: int | None = None
    grain: str = "unit"
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
        edits = edits_from(_edits(query["edits"])) if query.get("edits") else ()
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
        return "/?" + self.query(**changes)


def query_of(fields: Mapping[str, str]) -> str:
    """Fields as a query string."""
    return urlencode(fields, safe=":;,*'()[]{}/", quote_via=quote)


def url_of(fields: Mapping[str, str]) -> str:
    """The whole address within the site."""
    return "/?" + query_of(fields)


def spec_fields(query: Mapping[str, str]) -> dict[str, Any]:
    """A JSON-like spec from text by field name; other names are left aside."""
    return {name: _decode(name, query[name]) for name in FIELDS if name in query}


def query_fields(spec: Spec, edits: tuple[Edit, ...] = ()) -> dict[str, str]:
    """A spec and its edits as text by field name; what is empty in them by nature is left out."""
    fields = _short_fields(spec) if spec.parameters is None else _spec_fields(spec)
    if edits:
        return fields | {"edits": ";".join(f"{e.step}:{e.field}:{_value_text(e.value)}" for e in edits)}
    return dict(fields)


def _spec_fields(spec: Spec) -> dict[str, str]:
    plain = spec.to_dict(whole=False)
    texts = {name: _encode(name, plain[name]) for name in FIELDS}
    texts["data"] = _packed(spec.data) if spec.data else ""
    return {name: text for name, text in texts.items() if text or (name == "hidden" and spec.is_chain)}


_short_fields = lru_cache(maxsize=128)(_spec_fields)  # a hundred thousand parameters take longer to tell apart


@lru_cache(maxsize=32)
def _packed(data: CustomData) -> str:
    """One's own data as text. Of what could never fit into a link no more than that it does not, for it takes long."""
    return _pack(data.to_dict()) if data.x.size <= 4 * LONGEST_PACKED else TOO_LONG


def _encode(name: str, value: Any) -> str:
    kind = FIELDS[name].kind
    if value is None:
        return ""
    if kind in ("parameters", "data"):
        return _pack(value)
    if kind == "layers":
        return text_of(value)
    if kind == "settings":
        return ",".join(f"{key}:{given(number)}" for key, number in value.items())
    if isinstance(value, list):
        same = name == "activation" and len(set(value)) == 1
        return str(value[0]) if same else ",".join(str(item) for item in value)
    return given(value) if isinstance(value, float) else str(value)


def _decode(name: str, text: str) -> Any:
    """Text as the JSON-like value of a field; what does not read as one goes on as text, for Spec to refuse."""
    kind = FIELDS[name].kind
    if kind in ("parameters", "data"):
        return _unpack(name, text) if text else None
    if kind in ("integer", "number"):
        return number(text)
    if kind == "integers":
        return [number(item) for item in text.split(",") if item != ""]
    if kind == "settings":
        pairs = [item.partition(":") for item in text.split(",") if item]
        return {key: number(value) for key, _, value in pairs} if pairs else None
    if kind in ("choices", "frozen"):
        items = [item for item in text.split(",") if item]
        return items[0] if name == "activation" and len(items) == 1 else items or None
    return text or None


def number(text: str) -> int | float | str:
    """The number that a text is, or the text."""
    try:
        return int(text) if len(text) < 20 and re.fullmatch(r"[+-]?[0-9]+", text) else float(text)
    except ValueError:
        return text


def _value_text(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[a-z_]+", value):
        return value
    return json.dumps(value, separators=(",", ":"))


def _edits(text: str) -> list[dict[str, Any]]:
    edits = []
    for i, item in enumerate(text.split(";")[:1_001]):
        step, field, value = (*item.split(":", 2), "", "")[:3]
        if not step.isdecimal() or len(step) > 12:
            raise SpecError(f"edits.{i}", item, "step:field:value")
        edits.append({"step": int(step), "field": field, "value": _json_or_text(value)})
    return edits


def _json_or_text(text: str) -> Any:
    if re.fullmatch(r"[a-z_]+", text) and text not in ("true", "false", "null"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _pack(value: Any) -> str:
    return urlsafe_b64encode(compress(json.dumps(value, separators=(",", ":")).encode(), 9)).decode().rstrip("=")


def _unpack(name: str, text: str) -> Any:
    wrong = SpecError(name, text, "what this page wrote into the link")
    if len(text) > LONGEST_PACKED:
        raise SpecError(name, text, f"at most {LONGEST_PACKED:,} characters in a link; use POST /api/v1/runs")
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        machine = decompressobj()
        plain = machine.decompress(raw, LARGEST_UNPACKED)
        if machine.unconsumed_tail:
            raise wrong
        return json.loads(plain)
    except (ValueError, ZlibError, Base64Error, RecursionError):
        raise wrong from None


def fits(fields: Mapping[str, str]) -> bool:
    """Whether a link with these fields is short enough to be opened again."""
    return all(len(fields.get(name, "")) <= LONGEST_PACKED for name in ("parameters", "data"))


def view_of(query: Mapping[str, str]) -> View:
    """The view in a query; SpecError for what it does not know."""
    return View(
        step=_whole(query, "step"),
        lens=_choice(query, "lens", tuple(LENSES)),
        example=_whole(query, "example"),
        select=_selected(query.get("select", "")),
        moment=_whole(query, "moment"),
        grain=_choice(query, "grain", GRAINS, "unit"),
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
    texts = {}
    for field in dataclass_fields(View):
        value = getattr(view, field.name)
        if value != getattr(DEFAULT_VIEW, field.name):
            texts[field.name] = (
                ",".join(value)
                if isinstance(value, tuple)
                else "on"
                if value is True
                else given(value)
                if isinstance(value, float)
                else str(value)
            )
    return texts


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
        raise SpecError(name, text, "one of " + ", ".join(allowed))
    return text


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
