"""Examples that a user gives in place of a dataset: checked, and told what their task is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

from engine.checks import SpecError, number, one_of, sequence
from engine.fields import Limits

Rows = tuple[tuple[float, ...], ...]
Task = Literal["regression", "binary", "multiclass"]
_TASKS = ("regression", "binary", "multiclass")
_PAIRS = ({0.0, 1.0}, {-1.0, 1.0})  # how people write the two classes of a binary task


@dataclass(frozen=True)
class CustomData:
    """Examples given by the user: x (rows, inputs), y (rows, outputs), and what the task is."""

    x: Rows
    y: Rows
    task: Task

    @property
    def outputs(self) -> int:
        """Values to predict per example; for multiclass, how many classes."""
        if self.task == "multiclass":
            return max(2, int(max(row[0] for row in self.y)) + 1)
        return len(self.y[0])

    @cached_property
    def _hash(self) -> int:
        return hash((self.x, self.y, self.task))

    def __hash__(self) -> int:
        # Cached: the examples of a run are looked up by it, and it reads up to 20,000 numbers.
        return self._hash


def custom_data(given: Any, limits: Limits) -> CustomData:
    """The `data` field of a spec, an object with x, y and perhaps task; SpecError names what is wrong."""
    if not isinstance(given, Mapping) or not {"x", "y"} <= set(given) <= {"x", "y", "task"}:
        raise SpecError("data", given, "an object with x and y, and task if it is not evident")
    x = _rows("data.x", given["x"], limits.custom_columns, limits)
    y = _rows("data.y", given["y"], limits.custom_outputs, limits)
    if len(x) != len(y):
        raise SpecError("data.y", len(y), f"as many rows as data.x: {len(x)}")
    values = {value for row in y for value in row}
    is_pair = len(y[0]) == 1 and any(values <= pair for pair in _PAIRS)
    task = given.get("task")
    if task is None:
        task = "binary" if is_pair else "regression"
    task = cast(Task, one_of("data.task", task, _TASKS))
    if task == "binary":
        if not is_pair:
            raise SpecError("data.y", "other values", "one label a row, 0 or 1 (or -1 and 1), for a binary task")
        y = tuple((max(row[0], 0.0),) for row in y)
    if task == "multiclass" and not (len(y[0]) == 1 and values <= set(map(float, range(limits.custom_outputs)))):
        raise SpecError("data.y", "other values", f"one class a row, 0 to {limits.custom_outputs - 1}")
    return CustomData(x, y, task)


def _rows(name: str, given: Any, columns: int, limits: Limits) -> Rows:
    rows = sequence(name, given, "a list of rows of numbers")
    if not 1 <= len(rows) <= limits.custom_rows:
        raise SpecError(name, len(rows), f"1 to {limits.custom_rows} rows")
    lists = [row if isinstance(row, list | tuple) else [row] for row in rows]
    width = len(lists[0])
    if not 1 <= width <= columns or width * len(rows) > limits.custom_values:
        raise SpecError(name, width, f"1 to {columns} numbers a row, {limits.custom_values:,} in all")
    for i, row in enumerate(lists):
        if len(row) != width:
            raise SpecError(f"{name}.{i}", len(row), f"as long as the first row: {width}")
    return tuple(
        tuple(number(f"{name}.{i}.{j}", value, -1e6, 1e6) for j, value in enumerate(row)) for i, row in enumerate(lists)
    )
