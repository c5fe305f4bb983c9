"""The checks that a spec is made with: each takes a field's name and a value, returns the value or raises SpecError."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import reduce, wraps
from inspect import get_annotations
from math import isfinite
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, get_args, get_origin

from engine.wording import Said, Words, said

P = ParamSpec("P")
R = TypeVar("R")

ONE_OF: Words = "one of {names}{meant}"
SHOWN = 60  # characters of a wrong value that a message repeats
_LONG = 10**SHOWN


class SpecError(ValueError):
    """A field that a spec cannot have: which one, what was given, and what is allowed.

    All three are short plain ASCII, whatever was sent, so that a message can be shown and logged as it is.
    """

    def __init__(self, field: str, value: object, allowed: Words, /, **parts: object) -> None:
        self.field, self.value = ascii(field[:SHOWN])[1:-1], short_form(value)
        self.given = value if isinstance(value, Said) else self.value  # as people are told of it
        self.allowed = said(allowed, **parts) if parts else allowed
        super().__init__(f"{self.field}: {self.value} is not allowed, must be {self.allowed}")

    def renamed(self, field: str, allowed: str) -> "SpecError":
        """The same refusal in the words of a caller that calls the field otherwise."""
        other = SpecError(field, None, allowed)
        other.value, other.given = self.value, self.given
        other.args = (f"{other.field}: {other.value} is not allowed, must be {allowed}",)
        return other


def short_form(value: object) -> str:
    """A wrong value as a message repeats it: short and ASCII."""
    if isinstance(value, int) and abs(value) >= _LONG:
        return "a very long number"  # Python refuses to print more than 4,300 digits
    if isinstance(value, str):
        value = value[: SHOWN + 1]
    text = ascii(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


_MADE = {"RunState": "start(spec) makes one", "Trace": "trace(state) makes one", "Spec": "Spec.make(…) makes one"}


def kind_of(given: object) -> str:
    """A value's type with its article: a Spec, an int."""
    name = type(given).__name__
    return f"an {name}" if name[0].lower() in "aeiou" or name == "ndarray" else f"a {name}"


def other_kind(asked: str, wanted: type, given: object) -> TypeError:
    """What to say to whoever asks something of a thing of another kind, and what to give in its place."""
    own = next((name for name in ("state", "spec") if isinstance(getattr(given, name, None), wanted)), None)
    way = f"its .{own} is one" if own else _MADE[wanted.__name__]
    return TypeError(f"{asked} takes a {wanted.__name__}, not {kind_of(given)}: {way}")


def asked_of(wanted: type, name: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A question that says what it is to be asked of, where what it is given first is of another kind; and what else it
    takes, where that is of another kind than its annotation."""

    def checked(question: Callable[P, R]) -> Callable[P, R]:
        kinds, names = kinds_of(question), list(get_annotations(question))

        @wraps(question)
        def ask(*args: P.args, **more: P.kwargs) -> R:
            if len(args) == 1 and not more and isinstance(args[0], wanted):  # the engine's own way, many a step
                return question(*args, **more)
            for first in args[:1] or [more[each] for each in names[:1] if each in more]:
                if not isinstance(first, wanted):
                    raise other_kind(name or question.__name__, wanted, first)
            if more or len(args) > 1:
                kinds_hold(kinds, {**dict(zip(names, args, strict=False)), **more})
            return question(*args, **more)

        return ask

    return checked


Kind = tuple[Callable[[object], bool], Words]


def kinds_of(question: Callable[..., Any]) -> dict[str, list[Kind]]:
    """What the arguments of a question may be by their annotations, of those that say it with plain kinds alone."""
    kinds = {name: _united(kind) for name, kind in get_annotations(question).items()}
    return {name: [_TAKEN[each] for each in of] for name, of in kinds.items() if all(each in _TAKEN for each in of)}


def kinds_hold(kinds: Mapping[str, Sequence[Kind]], given: Mapping[str, Any]) -> None:
    """SpecError for the first of these arguments that is of none of its kinds."""
    for name, value in given.items():
        if (known := kinds.get(name)) and not any(holds(value) for holds, _ in known):
            raise SpecError(name, value, reduce(_or, (kind for _, kind in known)))


def _or(one: Words, other: Words) -> Words:
    return said("{one}, or {other}", one=said(one), other=said(other))


def _united(kind: Any) -> list[Any]:
    """The kinds of a union, or the one; of list[int] and its like without what is in it."""
    parts = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    return [get_origin(each) or each for each in parts]


def _many(value: object) -> bool:
    return isinstance(value, Container) and hasattr(value, "__iter__") and not isinstance(value, str | bytes | Mapping)


# What an argument of an annotated kind may be, and how that is said; NumPy's numbers do as well as Python's own.
_TAKEN: dict[Any, Kind] = {
    int: (lambda value: isinstance(value, Integral) and not isinstance(value, bool), "a whole number"),
    float: (lambda value: isinstance(value, Real) and not isinstance(value, bool), "a number"),
    Callable: (callable, "a function"),
    Sequence: (_many, "a list"),
    Container: (_many, "a range or a set"),
    Mapping: (lambda value: isinstance(value, Mapping), "a mapping"),
    NoneType: (lambda value: value is None, "None"),
}


def one_of(field: str, value: Any, allowed: Sequence[str]) -> str:
    """One of the allowed names."""
    if not isinstance(value, str) or value not in allowed:
        if not allowed:
            raise SpecError(field, value, "left out here")
        raise SpecError(field, value, ONE_OF, names=", ".join(allowed), meant=meant(value, allowed))
    return value


# What people call things elsewhere that mean something near, or the same.
NEAR = {
    "lr": "learning_rate",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "bce": "binary_cross_entropy",
    "linear": "identity",
    "glorot_uniform": "xavier_uniform",
    "glorot_normal": "xavier_normal",
    "kaiming_uniform": "he_uniform",
    "kaiming_normal": "he_normal",
    "weight_decay": "regularization_rate",
    "l2": "regularization",
    "momentum": "optimizer_settings",
    "swish": "silu",
    "crossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "sigmoid_cross_entropy": "binary_cross_entropy",
}
_NEXT = 0.7  # how like a name must be to be meant


def meant(value: object, allowed: Iterable[str]) -> Words:
    """Which of the allowed names somebody may have meant, as the end of a sentence; empty if none is near."""
    if not isinstance(value, str):
        return ""
    names, low = list(allowed), value[:SHOWN].lower()
    near = [name for name in (low, NEAR.get(low)) if name in names] or get_close_matches(low, names, 1, _NEXT)
    return said("; did you mean {name}?", name=near[0]) if near else ""


def _is_real(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(field: str, value: Any, minimum: float, maximum: float) -> float:
    """A finite number within the bounds; a boolean is none."""
    # The range first: a huge int has no float to test.
    if _is_real(value) and minimum <= value <= maximum and isfinite(value):
        return float(value)
    raise SpecError(field, value, "a number from {low} to {high}", low=_bound(minimum), high=_bound(maximum))


def _bound(value: float) -> str:
    return f"{value:,.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:g}"


def integer(field: str, value: Any, minimum: float, maximum: float) -> int:
    """A whole number within the bounds; 2.0 is one, a boolean is none."""
    if _is_real(value) and minimum <= value <= maximum and value == int(value):
        return int(value)
    raise SpecError(field, value, "a whole number from {low:.0f} to {high:.0f}", low=minimum, high=maximum)


def sequence(field: str, value: Any, allowed: Words) -> Sequence[Any]:
    """A list or a tuple."""
    if not isinstance(value, list | tuple):
        raise SpecError(field, value, allowed)
    return value


def plain(field: str, value: Any) -> Any:
    """An array, a scalar of NumPy or a column of a frame as Python's own lists and numbers; anything else as it is."""
    if value is None or (isinstance(value, str | int | float | list | tuple | dict) and not hasattr(value, "dtype")):
        return value
    try:
        if isinstance(value, range):
            return list(value)
        if hasattr(value, "to_numpy"):
            value = value.to_numpy()
        elif hasattr(value, "toarray"):  # a sparse matrix
            value = value.toarray()
        elif hasattr(value, "__array__") and not hasattr(value, "tolist"):
            value = value.__array__()
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        if kind in ("M", "m"):  # in nanoseconds tolist gives integers
            value = value.astype(f"{kind}8[us]")
        if kind == "S":
            value = value.astype(str)
        return value.tolist() if hasattr(value, "tolist") else value
    except Exception as error:  # other people's code: a tensor on another device, say
        raise SpecError(field, value, "an array that NumPy can read ({error})", error=type(error).__name__) from None


def all_plain(field: str, value: Any) -> Any:
    """The same for everything within lists and mappings."""
    value = plain(field, value)
    if isinstance(value, dict):
        return {key: all_plain(f"{field}.{key}", item) for key, item in value.items()}
    if isinstance(value, list | tuple) and not all(isinstance(item, str | int | float) for item in value):
        return [all_plain(field, item) for item in value]
    return value
