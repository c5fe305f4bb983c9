"""Tables as programs have them: what is x and what is y of data, and columns by name of whatever holds them."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any

import numpy as np

from engine.checks import SpecError, plain, sequence
from engine.wording import Words, said

KEYS = ("x", "y", "task", "names", "targets", "classes", "missing")
FORM: Words = "an object with x and y, and task, names, targets, classes or missing if need be; or (x, y)"
_X, _Y = ("x", "X", "inputs", "features", "data"), ("y", "Y", "labels", "target", "outputs")
_SPLIT = {"columns", "data", "index", "index_names", "column_names"}  # as pandas writes a frame


def pair_of(given: Any) -> Mapping[str, Any]:
    """Data as an object with x and y: of a pair, of one that names them otherwise, as scikit-learn does, or where y is
    the name of a column, or of several, among those of x. SpecError for what has not both."""
    if isinstance(given, tuple) and len(given) == 2:
        given = {"x": given[0], "y": given[1]}
    if not isinstance(given, Mapping):
        raise SpecError(
            "data", given, FORM if keys_of(given) is None else "{'x': the table, 'y': the name of a column}"
        )
    if not {"x", "y"} <= set(given):
        given = _renamed(given)
    if not {"x", "y"} <= set(given) <= set(KEYS):
        raise SpecError("data", given, FORM)
    return _parted(given)


def _renamed(given: Mapping[str, Any]) -> Mapping[str, Any]:
    x, y = (next((name for name in names if name in given), "") for names in (_X, _Y))
    if not x or not y:
        return given
    names, words = given.get("feature_names"), given.get("target_names")
    found = {"x": given[x], "y": given[y]} | {name: given[name] for name in KEYS[2:] if name in given}
    if names is not None and keys_of(found["x"]) is None:
        found["names"] = names
    if words is not None and len(words) > 1 and _are_places(plain("data.y", given[y]), len(words)):
        found["classes"] = words
    known = {"feature_names", "target_names", "frame", "DESCR", "filename", "data_module", "images"}
    return found if x == "data" else found | {name: given[name] for name in given if name not in {x, y, *found, *known}}


def _are_places(labels: Any, count: int) -> bool:
    return isinstance(labels, list) and all(isinstance(k, int) and 0 <= k < count for k in labels)


def _parted(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """x without the columns that y names, and these as y."""
    y = plain("data.y", given["y"]) if not isinstance(given["y"], Mapping) else None
    told = [y] if isinstance(y, str) else y
    if not isinstance(told, list) or not told or not all(isinstance(name, str) for name in told):
        return given
    if len(set(told)) < len(told):  # labels, which come back
        return given
    columns = by_name("data.x", given["x"])
    if columns is None or not set(told) <= set(columns) or len(told) >= len(columns):
        if isinstance(y, str):
            known = ", ".join(columns or ())[:200] or "none, for x has no names"
            raise SpecError("data.y", y, "values, or the name of a column of data.x: {known}", known=known)
        return given
    rest = {name: column for name, column in columns.items() if name not in told}
    return {**given, "x": rest, "y": {name: columns[name] for name in told}}


def by_name(name: str, given: Any) -> dict[str, Any] | None:
    """Columns by name: of a mapping, a frame, or a list of records; None for anything else."""
    if type(given).__name__ == "LazyFrame":  # of polars, whose columns are not worked out yet
        given = given.collect()
    if isinstance(given, Mapping):
        columns = _split(name, given) or {str(key): _column(given[key]) for key in given}
    elif (keys := keys_of(given)) is not None:
        columns = {str(key): given[key] for key in keys}
        if len(columns) < len(keys):
            raise SpecError(name, ", ".join(map(str, keys))[:200], "columns with names that differ")
    elif isinstance(given, list | tuple) and given and (records := _records(name, given)) is not None:
        keys = list(dict.fromkeys(key for record in records for key in record))
        columns = {str(key): [record.get(key) for record in records] for key in keys}
    else:
        return None
    if not columns:
        raise SpecError(name, "{}", "columns by name")
    return {key: listed(f"{name}.{key}", column, "a list") for key, column in columns.items()}


def listed(name: str, given: Any, allowed: str, most: int = 10**9) -> Any:
    """A list of what can be gone through: an array, a column, a generator, up to one more than there may be."""
    if getattr(given, "ndim", 1) > 2:  # pictures: a row of pixels each
        given = np.asarray(given).reshape(len(given), -1)
    value = plain(name, given)
    if isinstance(value, Iterable) and not isinstance(value, list | tuple | str | bytes | Mapping | set | frozenset):
        value = list(islice(value, most + 1))
    return sequence(name, value, allowed)


def keys_of(given: Any) -> list[Any] | None:
    """The columns of a frame of pandas, polars or Arrow, or of a structured array of NumPy."""
    if hasattr(given, "column_names"):
        return list(given.column_names)
    if hasattr(given, "columns"):
        return list(given.columns)
    return list(given.dtype.names) if getattr(getattr(given, "dtype", None), "names", None) else None


def _split(name: str, given: Mapping[Any, Any]) -> dict[str, Any] | None:
    """Columns of names and rows apart; None if it is not that."""
    if not {"columns", "data"} <= set(given) <= _SPLIT:
        return None
    names, rows = (listed(name, plain(name, given[key]), "a list") for key in ("columns", "data"))
    if not all(isinstance(row, list | tuple) and len(row) == len(names) for row in rows):
        raise SpecError(
            f"{name}.data",
            said("rows of other lengths"),
            "rows with a value for each of {count} columns",
            count=len(names),
        )
    return {str(key): [row[k] for row in rows] for k, key in enumerate(names)}


def _column(given: Any) -> Any:
    """A column by the names of its rows, as a frame's to_dict has it, is their values."""
    return list(given.values()) if isinstance(given, Mapping) else given


def _records(name: str, given: list[Any] | tuple[Any, ...]) -> list[Mapping[Any, Any]] | None:
    """Rows whose values have names, in mappings, named tuples or dataclasses; None if the first row's have none."""
    if _record(given[0]) is None:
        return None
    found = list[Mapping[Any, Any]]()
    for i, row in enumerate(given):
        if (record := _record(row)) is None:
            raise SpecError(f"{name}.{i}", row, "a record, as the first is")
        found.append(record)
    return found


def _record(row: Any) -> Mapping[Any, Any] | None:
    if isinstance(row, Mapping):
        return row
    if isinstance(row, tuple) and hasattr(row, "_asdict"):
        named: Mapping[Any, Any] = row._asdict()
        return named
    if is_dataclass(row) and not isinstance(row, type):
        return {each.name: getattr(row, each.name) for each in fields(row)}
    return None
