"""Examples that a user gives in place of a dataset: checked, their words as numbers, and told what their task is.

They come as rows, as columns by name, as records, as arrays or as frames; what is kept is numbers alone, and names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from itertools import chain
from typing import Any, Literal, cast

import numpy as np

from engine.arrays import Floats
from engine.brought import by_name, listed, pair_of
from engine.checks import SpecError, number, one_of, plain, sequence
from engine.fields import Limits
from engine.labels import FEW, LONGEST_NAME, are_classes, classes_of, is_name, name_of
from engine.missing import NOTHING, Complete, Missing, Rows, complete, told_before, way_of
from engine.wording import said

Task = Literal["regression", "binary", "multiclass"]
_TASKS = ("regression", "binary", "multiclass")
LARGEST = 1e150  # its square is still a number


@dataclass(frozen=True, eq=False)
class CustomData:
    """Examples given by the user: x (rows, inputs), y (rows, outputs), read-only, and what the task is.

    Of a class y holds the place among `classes`. `names` are those of the inputs, `targets` of what is to be
    predicted; empty where they have none. `missing` tells what was left out or filled in for want of a value.
    """

    x: Floats
    y: Floats
    task: Task
    names: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    missing: Missing = NOTHING

    @property
    def outputs(self) -> int:
        """Values to predict per example; for multiclass, how many classes."""
        return len(self.classes) if self.task == "multiclass" else self.y.shape[1]

    @cached_property
    def key(self) -> bytes:
        """What tells these examples from others, worked out once: there may be 250,000 numbers."""
        told = repr((self.x.shape, self.y.shape, self.task, self.names, self.targets, self.classes))
        told += repr(self.missing) if self.missing else ""
        return sha256(self.x.tobytes() + self.y.tobytes() + told.encode()).digest()

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, CustomData) and self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        told = f", {self.missing}" if self.missing else ""
        return f"CustomData({len(self.x)} rows, {self.key.hex()[:16]}{told})"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, and `custom_data` of it gives equal examples."""
        missing = {"missing": self.missing.to_dict()} if self.missing else {}
        return missing | {
            "x": self.x.tolist(),
            "y": self.y.tolist(),
            "task": self.task,
            "names": list(self.names),
            "targets": list(self.targets),
            "classes": list(self.classes),
        }


def custom_data(given: Any, limits: Limits) -> CustomData:
    """The `data` field of a spec, an object with x, y and perhaps more; SpecError names what is wrong."""
    if isinstance(given, CustomData):  # of a run that is there
        return given
    given = pair_of(given)
    names, cells = _cells("data.x", given["x"], limits.custom_columns, limits)
    targets, labels = _cells("data.y", given["y"], limits.custom_outputs, limits)
    if len(cells) != len(labels):
        raise SpecError("data.y", len(labels), "as many rows as data.x: {count}", count=len(cells))
    named = _names("data.names", given.get("names"), 0, limits.custom_columns)
    if len(named) == len(cells[0]):
        names = named
    way, before = way_of(given.get("missing")), told_before(given.get("missing"))
    rows = complete(names, cells, labels, way == "fill")
    names, x = _as_numbers(tuple(names[k] for k in rows.columns) if names else (), rows)
    if x.shape[1] > limits.custom_columns:
        raise SpecError("data.x", x.shape[1], "at most {most} inputs, a word's included", most=limits.custom_columns)
    if len(named) not in (0, len(cells[0]), x.shape[1]):
        raise SpecError("data.names", len(named), "{count} names", count=len(cells[0]))
    if len(named) == x.shape[1]:
        names = named
    y, task, classes, targets = _targets(given, rows, targets, limits)
    for array in (x, y):
        array.setflags(write=False)
    return CustomData(x, y, cast(Task, task), names, targets, classes, rows.missing or before)


def _targets(
    given: Mapping[str, Any], rows: Complete, targets: tuple[str, ...], limits: Limits
) -> tuple[Floats, str, tuple[str, ...], tuple[str, ...]]:
    """y, the task, the classes and the names of what is to be predicted."""
    task = given.get("task")
    task = None if task is None else one_of("data.task", task, _TASKS)
    classes = _names("data.classes", given.get("classes"), limits.custom_outputs, limits.custom_outputs)
    targets = _names("data.targets", given.get("targets"), len(rows.y[0])) or targets
    y, task, classes = _understood(rows, task, classes, targets, limits)
    # The columns of a one-hot target are its classes.
    return y, task, classes, targets if y.shape[1] == len(targets) else ()


def knows_of(given: Any) -> bool:
    """Whether these data say themselves what they lacked, so that it is no news."""
    told = given.get("missing") if isinstance(given, Mapping) else None
    return isinstance(given, CustomData) or isinstance(told, Mapping)


def recalled(given: Any) -> Any:
    """Stored data of a release whose classes had no names, said in today's words: it means what it meant."""
    if not isinstance(given, Mapping) or "classes" in given or not isinstance(given.get("y"), list):
        return given
    rows = [row if isinstance(row, list) else [row] for row in given["y"]]
    values = {value for row in rows for value in row if isinstance(value, int | float)}
    pair = all(len(row) == 1 for row in rows) and (values <= {0, 1} or values <= {-1, 1})
    task = given.get("task") or ("binary" if pair else "regression")
    if task == "regression" or not values:
        return {**given, "task": task}
    count = 2 if task == "binary" else max(2, int(max(values)) + 1)
    y = [[max(row[0], 0)] for row in rows] if pair else given["y"]
    return {**given, "y": y, "task": task, "classes": [str(k) for k in range(count)]}


def _cells(name: str, given: Any, columns: int, limits: Limits) -> tuple[tuple[str, ...], Rows]:
    """What was given as names, if it has any, and rows of as yet unchecked cells, all of one length."""
    named = by_name(name, given)
    if named is not None:
        lengths = {len(column) for column in named.values()}
        if len(lengths) != 1:
            raise SpecError(name, "columns of several lengths", "columns of one length")
        rows: Sequence[Any] = list(zip(*named.values(), strict=True))
    else:
        rows = listed(name, given, "a list of rows of numbers, or columns by name", limits.custom_rows)
    if not 1 <= len(rows) <= limits.custom_rows:
        raise SpecError(name, len(rows), "1 to {most:,} rows", most=limits.custom_rows)
    lists = [list(row) if isinstance(row, list | tuple) else _row(name, row) for row in rows]
    width = len(lists[0])
    if not 1 <= width <= columns or width * len(rows) > limits.custom_values:
        raise SpecError(
            name, width, "1 to {columns} numbers a row, {most:,} in all", columns=columns, most=limits.custom_values
        )
    for i, row in enumerate(lists):
        if len(row) != width:
            raise SpecError(f"{name}.{i}", len(row), "as long as the first row: {width}", width=width)
    if not set(map(type, chain.from_iterable(lists))) <= {int, float, str, bool}:
        lists = [[_cell(name, cell) for cell in row] for row in lists]
    return _names(name, list(named) if named else None, width), lists


def _cell(name: str, given: Any) -> Any:
    cell = plain(name, given)
    return float(cell) if isinstance(cell, Decimal | Fraction) else cell


def _row(name: str, given: Any) -> list[Any]:
    row = plain(name, given)
    return list(row) if isinstance(row, list) else [row]


def inputs_by_name(names: tuple[str, ...], given: Any) -> list[tuple[Any, ...]] | None:
    """Rows of inputs from columns by the names of the data, in whatever order these come and with whatever else beside
    them; None where either has no names. Words go into the columns of 0 and 1 that were made of them."""
    columns = by_name("inputs", given) if names else None
    if columns is None:
        return None
    found = [_named(name, columns) for name in names]
    if len(set(map(len, found))) != 1:
        raise SpecError("inputs", "columns of several lengths", "columns of one length")
    return list(zip(*found, strict=True))


def _named(name: str, columns: dict[str, Any]) -> list[Any]:
    if name in columns:
        return [float(cell) if isinstance(cell, bool) else cell for cell in columns[name]]
    of = next((key for key in columns if name.startswith(f"{key}=")), None)
    if of is None:
        raise SpecError(
            "inputs", ", ".join(columns)[:200], "columns by the names of the data, {name} among them", name=name
        )
    return [float(f"{of}={cell}"[:LONGEST_NAME] == name) for cell in columns[of]]


def _names(name: str, given: Any, count: int, most: int = 0) -> tuple[str, ...]:
    """Names for so many things, or up to `most` of them; none for None."""
    listed = sequence(name, plain(name, given), "names") if given is not None else ()
    names = [str(each) if isinstance(each, int) else each for each in listed]
    if not names:
        return ()
    if len(names) > most if most else len(names) != count:
        raise SpecError(
            name, len(names), said("at most {most} names", most=most) if most else said("{count} names", count=count)
        )
    for i, each in enumerate(names):
        if not is_name(each):
            raise SpecError(
                f"{name}.{i}", each, "a text of 1 to {most} characters that can be shown", most=LONGEST_NAME
            )
    return tuple(names)


def _matrix(name: str, rows: Rows, at: Sequence[int], columns: Sequence[int]) -> Floats:
    """Cells as numbers; SpecError names the first that is none, by its place in what was given."""
    if set(map(type, chain.from_iterable(rows))) <= {int, float}:
        try:
            matrix = np.array(rows, dtype=np.float64)
        except OverflowError:  # an integer with hundreds of digits
            matrix = np.full((1, 1), np.nan)
        if np.abs(matrix).max() <= LARGEST:
            return matrix
    checked = [
        [number(f"{name}.{i}.{j}", value, -LARGEST, LARGEST) for j, value in zip(columns, row, strict=True)]
        for i, row in zip(at, rows, strict=True)
    ]
    return np.array(checked, dtype=np.float64)


def _as_numbers(names: tuple[str, ...], rows: Complete) -> tuple[tuple[str, ...], Floats]:
    """The inputs as numbers: a column of words becomes one column a word, of two words one, yes and no 1 and 0."""
    columns = list(zip(*rows.x, strict=True))
    wordy = [all(isinstance(cell, str | bool) for cell in column) for column in columns]
    if not any(wordy):
        return names, _matrix("data.x", rows.x, rows.rows, rows.columns)
    known = names or tuple(f"x{k + 1}" for k in rows.columns)
    found: list[tuple[str, Sequence[Any]]] = []
    for name, place, column, is_words in zip(known, rows.columns, columns, wordy, strict=True):
        cells = [[cell] for cell in column]
        found += (
            one_hot(name, column) if is_words else [(name, _matrix("data.x", cells, rows.rows, [place])[:, 0].tolist())]
        )
    told, values = zip(*found, strict=True)
    return told, np.array(values, dtype=np.float64).T.copy()


def one_hot(name: str, column: Sequence[str | bool]) -> list[tuple[str, list[float]]]:
    """A column of words as columns of 0 and 1 with names; SpecError if there are many words."""
    words = sorted(set(map(str, column)))
    if numeric := next((word for word in words if word.replace(".", "", 1).lstrip("-").isdecimal()), ""):
        raise SpecError(f"data.x.{name}", numeric, "a number without quotes")
    if len(words) > FEW:
        raise SpecError(
            f"data.x.{name}",
            said("{count} different words", count=len(words)),
            "numbers, or at most {few} different words",
            few=FEW,
        )
    if all(isinstance(cell, bool) for cell in column):
        return [(name, [float(cell) for cell in column])]
    told = words[1:] if len(words) == 2 else words
    return [(f"{name}={word}"[:LONGEST_NAME], [float(str(cell) == word) for cell in column]) for word in told]


def _understood(
    rows: Complete, task: str | None, classes: tuple[str, ...], targets: tuple[str, ...], limits: Limits
) -> tuple[Floats, str, tuple[str, ...]]:
    """y, the task and the classes."""
    if classes and task != "regression":
        return _placed(rows.y, rows.rows, task, classes)
    if len(rows.y[0]) > 1:
        rows = rows._replace(y=[[float(cell) if isinstance(cell, bool) else cell for cell in row] for row in rows.y])
        y = _labels(rows)
        if task != "regression" and _is_one_hot(y, task):
            return y.argmax(axis=1)[:, np.newaxis].astype(float), "multiclass", targets or _counted(y.shape[1])
        if task in ("binary", "multiclass"):
            raise SpecError("data.y", "other values", "one class a row, or a single 1 among 0s")
        return y, "regression", ()
    labels = [row[0] for row in rows.y]
    words = any(isinstance(label, str | bool) for label in labels)
    for i, label in zip(rows.rows, labels, strict=True):
        if words and not isinstance(label, str | bool):
            raise SpecError(f"data.y.{i}", label, "a label as the others are, a word or true and false")
    values = labels if words else _labels(rows)[:, 0].tolist()
    if task == "regression" or (task is None and not are_classes(values)):
        return _labels(rows), "regression", ()
    found = _checked(classes_of(values))
    most = 2 if task == "binary" else limits.custom_outputs
    whole = words or all(value == int(value) for value in values)
    if not whole or not 2 <= len(found) <= most:
        what = said("classes: 2 to {most} different words or whole numbers", most=most)
        told = "other values" if not whole else "one label" if len(found) == 1 else f"{len(found)} different labels"
        raise SpecError("data.y", told, "two different labels" if task == "binary" else what)
    return _placed([[name_of(value)] for value in values], rows.rows, task, found)


def _labels(rows: Complete) -> Floats:
    return _matrix("data.y", rows.y, rows.rows, range(len(rows.y[0])))


def _checked(classes: tuple[str, ...]) -> tuple[str, ...]:
    for name in classes:
        if not is_name(name):
            raise SpecError("data.y", name, "labels of 1 to {most} characters that can be shown", most=LONGEST_NAME)
    return classes


def _placed(
    rows: Rows, at: Sequence[int], task: str | None, classes: tuple[str, ...]
) -> tuple[Floats, str, tuple[str, ...]]:
    """Each label as its place among the classes: a word is looked up, a number is that place."""
    places, found = {name: float(k) for k, name in enumerate(classes)}, list[list[float]]()
    for i, row in zip(at, rows, strict=True):
        label = row[0]
        place = places.get(str(label)) if isinstance(label, str | bool) else label
        if len(row) != 1 or place is None or place not in places.values():
            raise SpecError(f"data.y.{i}", label, "one of the {count} classes, or its place from 0", count=len(classes))
        found.append([float(place)])
    if len(classes) < 2 or (task == "binary" and len(classes) != 2):
        raise SpecError("data.classes", len(classes), "two classes" if task == "binary" else "at least two classes")
    return np.array(found), task or ("binary" if len(classes) == 2 else "multiclass"), classes


def _is_one_hot(y: Floats, task: str | None) -> bool:
    hot = bool(np.isin(y, (0.0, 1.0)).all() and (y.sum(axis=1) == 1).all())
    return hot and (task == "multiclass" or len(set(y.argmax(axis=1).tolist())) > 1)


def _counted(count: int) -> tuple[str, ...]:
    return tuple(str(k) for k in range(count))
