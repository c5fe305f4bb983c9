"""A spec and its edits as the text fields of a link, and back: what makes the same run again, wherever it is opened."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode
from zlib import compress, decompressobj
from zlib import error as ZlibError

from app.serve.root import at
from app.words.numbers import given
from engine import FIELDS, CustomData, Edit, Spec, SpecError, edits_from
from engine.layers import text_of

LONGEST_PACKED = 12_000
LARGEST_UNPACKED = 2_000_000
LONGEST_SAID = 1_000  # parameters that are tried: more would never fit
TOO_LONG = "-" * (LONGEST_PACKED + 1)


def query_of(fields: Mapping[str, str]) -> str:
    """Fields as a query string."""
    return urlencode(fields, safe=":;,*'()[]{}/", quote_via=quote)


def url_of(fields: Mapping[str, str]) -> str:
    """The whole address within the site."""
    return at("/?" + query_of(fields))


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


def edits_of(text: str) -> tuple[Edit, ...]:
    """The edits that a link's text names; SpecError for what is none."""
    edits = []
    for i, item in enumerate(text.split(";")[:1_001]):
        step, field, value = (*item.split(":", 2), "", "")[:3]
        if not step.isdecimal() or len(step) > 12:
            raise SpecError(f"edits.{i}", item, "step:field:value")
        edits.append({"step": int(step), "field": field, "value": _json_or_text(value)})
    return edits_from(edits)


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
        raise SpecError(name, text, "at most {most:,} characters in a link; use POST /api/v1/runs", most=LONGEST_PACKED)
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


def address_of(spec: Spec, edits: tuple[Edit, ...], step: int, run_id: str) -> str:
    """The page of a run at a step: its link, or where that is too long for an address the run by its id."""
    if spec.parameters is None or spec.network.size <= LONGEST_SAID:
        fields = query_fields(spec, edits)
        if fits(fields) and sum(map(len, fields.values())) <= LONGEST_PACKED:
            return url_of(fields | {"step": str(step)})
    return url_of({"run": run_id, "step": str(step)})
