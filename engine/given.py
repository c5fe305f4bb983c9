"""What `Spec.make` is given: its keywords as a type, and names that people bring along from elsewhere.

The type has every field of FIELDS and nothing else, so that a type checker refuses `hiden=`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from warnings import warn

from engine.activations import ACTIVATIONS
from engine.fields import FIELDS
from engine.losses import LOSSES


class SpecKeywords(TypedDict, total=False):
    """A spec's fields as keywords. Arrays, tuples and NumPy's numbers do as well as lists and Python's own."""

    dataset: str
    samples: int
    noise: float
    test_share: float | None
    features: Sequence[str] | None
    data: Any
    scaling: str | None
    hidden: Any
    activation: str | Sequence[str] | None
    layers: Any
    output_activation: str | None
    initializer: str
    parameters: Any
    seed: int
    loss: str | None
    optimizer: str
    optimizer_settings: Mapping[str, float] | None
    learning_rate: float
    schedule: str
    schedule_settings: Mapping[str, float] | None
    regularization: str
    regularization_rate: float
    batch_size: int
    frozen: Sequence[str]


# The same thing by another name.
_FIELDS = {"lr": "learning_rate"}
_VALUES: dict[str, dict[str, str]] = {
    "loss": {"mse": "mean_squared_error", "mae": "mean_absolute_error", "bce": "binary_cross_entropy"},
    "activation": {"linear": "identity"},
    "output_activation": {"linear": "identity"},
}
_CHOICES = {"activation": tuple(ACTIVATIONS), "output_activation": tuple(ACTIVATIONS), "loss": tuple(LOSSES)}


def familiar(given: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords with exact synonyms, and names in capitals, as the names used here; a warning tells of them."""
    found, told = dict[str, Any](), list[str]()
    for name, value in given.items():
        field = _FIELDS.get(name, name)
        if field != name:
            if field in given:
                raise TypeError(f"Spec.make: {name} and {field} are the same, give one of them")
            told.append(f"{name} as {field}")
        many = field == "activation" and isinstance(value, list | tuple)
        found[field] = [_known(field, each, told) for each in value] if many else _known(field, value, told)
    if told:
        warn("Spec.make takes " + ", ".join(told), stacklevel=3)
    return found


def _known(field: str, value: Any, told: list[str]) -> Any:
    choices = _CHOICES.get(field) or (FIELDS[field].choices if field in FIELDS else ())
    if not isinstance(value, str) or not choices or value in choices:
        return value
    known = _VALUES.get(field, {}).get(value.lower(), value.lower())
    if known not in choices:
        return value
    told.append(f"{value} as {known}")
    return known
