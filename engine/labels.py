"""When what is to be predicted is a class, and what the classes are called: one rule for page, JSON and Python."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

FEW = 10  # classes at most
LONGEST_NAME = 60
Label = str | bool | float


def are_classes(values: Sequence[Label]) -> bool:
    """Whether labels stand for classes. Words and yes/no do. Numbers do if they are whole, few, and come back: at most
    ten different ones, each at least twice, or ten examples to each; 0 and 1, or -1 and 1, always do."""
    if not values or any(isinstance(value, str | bool) for value in values):
        return bool(values)
    counts = Counter(values)
    if any(set(counts) <= pair for pair in PAIRS):
        return True
    if not 2 <= len(counts) <= FEW or any(value != int(value) for value in counts):
        return False
    return min(counts.values()) >= 2 or len(values) >= 10 * len(counts)


PAIRS: tuple[set[Label], ...] = ({0.0, 1.0}, {-1.0, 1.0})  # how people write the two classes of a binary task


def classes_of(values: Sequence[Label]) -> tuple[str, ...]:
    """The classes by name, in order: numbers by size, words by the alphabet, at least two of them."""
    found: set[Any] = set(values)
    for pair in PAIRS:
        if found <= pair and not any(isinstance(value, bool | str) for value in found):
            found = set(pair)
    if found <= {True, False} and any(isinstance(value, bool) for value in found):
        found = {False, True}
    mixed = any(isinstance(value, str) for value in found)
    ordered = sorted({name_of(value) for value in found}) if mixed else [name_of(value) for value in sorted(found)]
    return tuple(dict.fromkeys(ordered))


def name_of(value: Label) -> str:
    """A label as it is written: 3 for 3.0, False for False."""
    if isinstance(value, str | bool):
        return str(value)
    return str(int(value)) if value == int(value) else repr(value)


def is_name(text: object) -> bool:
    """Whether this can be the name of a column or a class: a short text that can be shown."""
    return isinstance(text, str) and 1 <= len(text) <= LONGEST_NAME and text.isprintable()
