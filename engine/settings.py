"""One adjustable number of an optimizer or a schedule: its default, its range and what it does.

The catalog, the form and the validation all read these.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.wording import Words


@dataclass(frozen=True)
class Setting:
    """A number between `minimum` and `maximum`; `whole` asks for an integer."""

    name: str
    default: float
    minimum: float
    maximum: float
    sentence: Words
    whole: bool = False


def complete(settings: tuple[Setting, ...], chosen: Mapping[str, float]) -> dict[str, float]:
    """Every setting by name: the chosen value, or its default."""
    return {setting.name: chosen.get(setting.name, setting.default) for setting in settings}
