"""The schema of a spec, made from the engine's table of fields: as requests give it, and as answers have it."""

from collections.abc import Collection
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, WithJsonSchema, create_model

from app.run.record import LONG
from engine import FIELDS, LIMITS, OPERATIONS
from engine.fields import Field
from engine.layers import kinds
from engine.missing import WAYS
from engine.operations.base import Option

Schema = dict[str, Any]

_NUMBERS: Schema = {"type": "array", "items": {"type": "number"}}
_ROWS: Schema = {"type": "array", "items": _NUMBERS}
_KERNELS: Schema = {"type": "array", "items": {"type": "array", "items": _ROWS}}
_WEIGHTS: Schema = {"anyOf": [_ROWS, _KERNELS]}
_LAYER: Schema = {
    "anyOf": [
        {
            "type": "object",
            "description": "W and b; gamma and beta where it is normalized; or a layer as a trace has it.",
            "properties": {"W": _WEIGHTS, "b": _NUMBERS, "gamma": _NUMBERS, "beta": _NUMBERS},
        },
        {"type": "array", "minItems": 2, "items": {"anyOf": [_ROWS, _KERNELS, _NUMBERS]}},
    ]
}
_STARTS: Schema = {
    "anyOf": [
        {"type": ["array", "null"], "items": _LAYER, "maxItems": LIMITS.hidden_layers + 1},
        {"type": "array", "items": {"type": "number"}},
        {"type": "object", "properties": {"layers": {"type": "array", "items": _LAYER}}, "required": ["layers"]},
    ]
}
Starts = Annotated[Any, WithJsonSchema(_STARTS)]
_LABEL: Schema = {"type": ["number", "string", "boolean", "null"]}  # null is no value
_LABELS: Schema = {"type": "array", "minItems": 1, "items": _LABEL}
_COLUMNS: Schema = {"type": "object", "minProperties": 1, "additionalProperties": _LABELS}
_RECORD: Schema = {"type": "object", "minProperties": 1, "additionalProperties": _LABEL}
_CELLS: Schema = {
    "anyOf": [
        _LABELS,
        {
            "type": "array",
            "minItems": 1,
            "items": {"type": "array", "items": _LABEL},
        },
        _COLUMNS,
        {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "minProperties": 1, "additionalProperties": _LABEL},
        },
    ]
}
_NAMES: Schema = {"type": ["array", "null"], "items": {"type": "string"}}
_MISSING: Schema = {  # what was done with it, of data that are complete
    "type": "object",
    "properties": {
        "rows_left_out": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "cells_filled": {"type": "integer", "minimum": 0},
        "columns_left_out": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": False,
}
_DATA: Schema = {
    "type": ["object", "null"],
    "properties": {
        "x": _CELLS,
        "y": _CELLS,
        "task": {"enum": ["regression", "binary", "multiclass", None]},
        "names": _NAMES,
        "targets": _NAMES,
        "classes": _NAMES,
        "missing": {"anyOf": [{"enum": [*WAYS, None]}, _MISSING]},
    },
    "required": ["x", "y"],
    "additionalProperties": False,
}


def _option_schema(option: Option) -> Schema:
    if option.limit:
        return {"type": "integer", "minimum": 1, "maximum": getattr(LIMITS, option.limit)}
    if option.bounds:
        return {"type": "number", "minimum": option.bounds[0], "maximum": option.bounds[1]}
    return {"type": "string", "enum": list(option.choices)}


def _item_schema(kind: str) -> Schema:
    """JSON Schema of one item of the field `layers`, an object."""
    options = OPERATIONS[kind].options
    return {
        "type": "object",
        "description": OPERATIONS[kind].sentence,
        "properties": {"kind": {"const": kind}, **{option.name: _option_schema(option) for option in options}},
        "required": ["kind", *(option.name for option in options if option.default is None)],
        "additionalProperties": False,
    }


_ITEMS: list[Schema] = [{"type": "string"}, *map(_item_schema, kinds())]


def _field_schema(field: Field) -> Schema:
    """JSON Schema of one field of a spec. null stands for the default."""
    bounds = {"minimum": field.minimum, "maximum": field.maximum}
    one_of: Schema = {"type": "string", "enum": list(field.choices)}
    units: Schema = {"type": "integer", "minimum": field.minimum, "maximum": field.maximum}
    kinds: dict[str, Schema] = {
        "choice": {"enum": [*field.choices, None]},
        "choices": {"type": ["array", "null"], "items": one_of},
        "integer": {"type": ["integer", "null"], **bounds},
        "number": {"type": ["number", "null"], **bounds},
        "integers": {"type": ["array", "null"], "items": units, "maxItems": LIMITS.hidden_layers},
        "layers": {"anyOf": [{"type": ["string", "null"]}, {"type": "array", "items": {"anyOf": _ITEMS}}]},
        "settings": {"type": ["object", "null"], "additionalProperties": {"type": "number"}},
        "frozen": {"type": ["array", "null"], "items": {"type": "string"}, "maxItems": LIMITS.frozen},
        "parameters": _STARTS,
        "data": _DATA,
    }
    schema = kinds[field.kind]
    if field.name == "activation":
        schema = {"anyOf": [one_of, schema]}
    return schema | {"title": field.title, "description": field.sentence}


def _model(name: str, doc: str, fields: dict[str, Field], example: Schema) -> type[BaseModel]:
    """A model that lets every value through to the engine and documents what the engine takes."""
    config = ConfigDict(
        extra="allow", json_schema_extra={"additionalProperties": False, "examples": [example], "required": []}
    )
    typed: dict[str, Any] = {
        field.name: (Annotated[Any, WithJsonSchema(_field_schema(field))], None) for field in fields.values()
    }
    return create_model(name, __config__=config, __doc__=doc, **typed)


SpecBody = _model(
    "Spec",
    "Everything a run is made of. Every field is optional.",
    FIELDS,
    {"dataset": "spiral", "hidden": [8, 8], "activation": "relu", "optimizer": "adam", "learning_rate": 0.01},
)


def _spec_fields(left_out: Collection[str] = ()) -> type[BaseModel]:
    """The fields of a spec as answers have them: each is there, null where it has no value."""
    typed: dict[str, Any] = {
        field.name: Annotated[Any, WithJsonSchema(_field_schema(field))]
        for field in FIELDS.values()
        if field.name not in left_out
    }
    return create_model("Fields", **typed)


class SpecAnswer(_spec_fields()):  # type: ignore[misc]
    """Everything a run is made of."""


class BriefSpecAnswer(_spec_fields(LONG)):  # type: ignore[misc]
    """A spec without what may be long."""


ChangesBody = _model(
    "Changes",
    "Fields of the spec that change without a reset.",
    {name: field for name, field in FIELDS.items() if field.live},
    {"learning_rate": 0.1, "batch_size": 32},
)
