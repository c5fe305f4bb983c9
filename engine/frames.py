"""Numbers as a frame of pandas, where pandas is there: the engine itself needs NumPy alone."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def frame(columns: Mapping[str, Any]) -> Any:
    """A DataFrame of these columns; ImportError says how to have one."""
    try:
        pandas = import_module("pandas")
    except ImportError:
        raise ImportError("to_frame needs pandas, which the engine does not: pip install pandas") from None
    return pandas.DataFrame(dict(columns))
