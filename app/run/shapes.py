"""Answers made of values: a dataclass is declared once, and both its JSON and the shape that OpenAPI shows are its own.

`shape_of` reads the fields and properties of a class; `plain` writes a value by the same names.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property, reduce
from json import loads
from operator import or_
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import BaseModel, ConfigDict, create_model

from app.words.segments import Segments, text_of
from engine import Quantity

Vector = list[float | None]
_TEXTS = (Quantity, Segments)
_SHAPES: dict[type, tuple[type[BaseModel], tuple[str, ...]]] = {}  # of a class, and which of its names it shows


def shape_of(of: type, example: str = "", name: str = "", shown: str = "", **more: Any) -> type[BaseModel]:
    """The shape of an answer with a value's fields, or with those and the properties that `shown` lists; those in
    `more` stand behind or in place of them. An answer that stands alone has an `example`, and says of which step."""
    names = tuple(shown.split()) or tuple(field.name for field in fields(of))
    own = {each: (more.get(each) or _shape(_hint(of, each)), ...) for each in names}
    whole = ({"step": (int, ...)} if example else {}) | own | {each: (kind, ...) for each, kind in more.items()}
    config = ConfigDict(json_schema_extra={"examples": [loads(example)]}) if example else ConfigDict()
    title = f"{name or of.__name__}Answer"
    made: type[BaseModel] = create_model(title, __config__=config, __doc__=of.__doc__, **whole)
    _SHAPES[of] = made, names
    return made


def plain(value: Any) -> Any:
    """A value as JSON has it: dataclasses by the names they show, quantities by their addresses, arrays as they are."""
    if isinstance(value, Quantity):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _shown(value)
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value


def _shown(value: Any) -> dict[str, Any]:
    if type(value) not in _SHAPES:
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    shape, names = _SHAPES[type(value)]
    found = {name: getattr(value, name) for name in names}
    is_text = {name for name in names if shape.model_fields[name].annotation is str}
    return {
        name: text_of(each) if name in is_text and isinstance(each, tuple) else plain(each)
        for name, each in found.items()
    }


def _hint(of: type, name: str) -> Any:
    """The type of a field or a property."""
    own = getattr(of, name, None)
    getter = own.fget if isinstance(own, property) else own.func if isinstance(own, cached_property) else None
    return get_type_hints(getter)["return"] if getter else get_type_hints(of)[name]


def _shape(hint: Any) -> Any:
    """What JSON has for it: numbers that are not finite are null there."""
    origin, inside = get_origin(hint), get_args(hint)
    if hint in _TEXTS:
        return str
    if hint is float:
        return float | None
    if origin is np.ndarray:
        return list[int] if inside[1] == np.dtype[np.int64] else Vector
    if origin is tuple and inside[-1] is Ellipsis:
        return list[_shape(inside[0])]  # type: ignore[misc]
    if origin is tuple:
        return tuple[tuple(_shape(each) for each in inside)]  # type: ignore[misc]
    if origin in (Union, UnionType):
        return reduce(or_, map(_shape, inside))
    if origin in (Mapping, dict):
        return dict[str, _shape(inside[1])]  # type: ignore[misc]
    if is_dataclass(hint) and isinstance(hint, type):
        return _SHAPES[hint][0] if hint in _SHAPES else shape_of(hint)
    return hint
