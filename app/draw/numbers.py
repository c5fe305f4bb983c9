"""Numbers as people read them: a true minus, signs always shown, and a width that does not change while they do."""

from collections.abc import Sequence
from math import isfinite

MINUS = "−"
UNKNOWN = "?"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def signed(value: float | None, digits: int = 2) -> str:
    """+0.24, −0.02; tiny and huge numbers as +2.1×10⁻⁵; "?" for None."""
    if value is None:
        return UNKNOWN
    return _minus(_text(value, digits, "+"))


def plain(value: float | None, digits: int = 4) -> str:
    """Like `signed` without a plus; "–" for None: there is no such number."""
    if value is None:
        return "–"
    return _minus(_text(value, digits, ""))


def _text(value: float, digits: int, sign: str) -> str:
    if not isfinite(value):
        return "∞"
    size = abs(value)
    if value != 0 and (size < 0.5 * 10**-digits or size >= 1e5):
        return _scientific(f"{value:{sign}.1e}")
    if size >= 100:
        digits = max(0, digits - len(str(int(size))) + 1)
    return f"{value:{sign}.{digits}f}"


def _scientific(text: str) -> str:
    mantissa, exponent = text.split("e")
    return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


def short(value: float, digits: int = 2) -> str:
    """`signed` for a label under a unit: never wider than seven characters."""
    size = abs(value)
    if not isfinite(value):
        return "∞"
    if value != 0 and size < 0.5 * 10**-digits:
        return _minus(f"{value:+.0e}").replace("e−0", "e−").replace("e+0", "e")
    if size >= 1e4:
        return _minus(f"{value:+.0e}").replace("e+0", "e").replace("e+", "e")
    return _minus(f"{value:+.{digits if size < 100 else 0}f}")


def shorts(values: Sequence[float], digits: int = 2) -> list[str]:
    """`short` of each: all in one format, then those again that do not fit it."""
    texts = _minus(f"%+.{digits}f " * len(values) % tuple(values)).split()
    least = 0.5 * 10**-digits
    for i, value in enumerate(values):
        if not (value == 0 or least <= value < 100 or -100 < value <= -least):
            texts[i] = short(value, digits)
    return texts


def count(value: int) -> str:
    """1,368."""
    return f"{value:,}"


def percent(share: float | None) -> str:
    """97.5 %; "–" for None."""
    return "–" if share is None else f"{100 * share:.1f} %"


def given(value: float) -> str:
    """A number that a person typed or chose, as they would write it: 0.03, 10, 1e-07."""
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)
