"""Numbers as people read them, in four ways, each with one promise.

- `signed` and `unsigned`: a fact, with digits that count; the same wherever on a page it is told.
- `label`: the same fact where a drawing has no room for it, and `labels` for a whole layer.
- `percent`: a share, which is all or none only where it is.
- `fixed` and `fixed_signed`: so many decimal places, for what changes in its place or was rounded by hand in a lesson.

A true minus everywhere, and none before a zero; what is not finite is "∞", "−∞" or "not a number".
"""

from collections.abc import Callable, Sequence
from math import floor, isfinite, isnan, log10

from app.words.texts import text

MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"
UNKNOWN = "?"
NONE = "–"
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
DIGITS = 4
LONG = 6  # digits that a reader still takes in


def signed(value: float, digits: int = DIGITS) -> str:
    """A number with its sign and so many digits that count: +0.2360, −0.01777, −1.200×10⁻⁷, 0."""
    return ("+" if value > 0 else "") + unsigned(value, digits)


def unsigned(value: float, digits: int = DIGITS) -> str:
    """A number without a plus; a true minus if it is negative."""
    if not isfinite(value) or value == 0:
        return _special(value)
    if value < 0:
        return MINUS + unsigned(-value, digits)
    if not 1e-4 <= value < 1e6:
        return _scientific(f"{value:.{digits - 1}e}")
    if value >= 10 ** (digits - 1):
        return f"{value:,.1f}".replace(",", THIN)
    return f"{value:#.{digits}g}".rstrip(".")


def digits_of(make: Callable[[list[float]], float], values: Sequence[float], result: float) -> int:
    """With how many digits numbers are told, so that what a calculator makes of them is the result that is told."""
    told = _rounded(result, DIGITS)
    close = (n for n in range(DIGITS, 14) if _rounded(make([_rounded(value, n) for value in values]), DIGITS) == told)
    return next(close, DIGITS)


def adding_up(terms: Sequence[float], whole: float, digits: int) -> list[str]:
    """A sum told with so many digits, and then its terms so that they add up to it: with its decimal places, or a few
    more. Where that takes long numbers, all have the places that the largest term has with few digits; none where even
    these do not close."""
    least, most = _places(whole, digits), max(map(abs, terms))
    for places in range(least, least + 3):
        counts = [max(DIGITS, places - _places(term, 0)) for term in terms]
        if max(counts) <= LONG and _rounded(sum(map(_rounded, terms, counts)), digits) == _rounded(whole, digits):
            return [signed(whole, digits), *map(signed, terms, counts)]
    numbers = (whole, *terms)
    for places in range(_places(most, LONG - 1), _places(most, LONG + 2)):
        counts = [places - _places(number, 0) for number in numbers]
        if counts[0] < DIGITS - 1 or min(counts) < 1:
            continue
        together, *told = map(_rounded, numbers, counts)
        if abs(sum(told) - together) < 0.5 * 10.0**-places:
            return list(map(signed, numbers, counts))
    return []


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def _places(value: float, digits: int) -> int:
    """How many decimal places a number has that is told with so many digits."""
    return digits - 1 - (floor(log10(abs(value))) if value and isfinite(value) else 0)


def all_signed(values: Sequence[float]) -> list[str]:
    """`signed` of each: all in one format, then those again that do not fit it."""
    texts = _minus(f"%#+.{DIGITS}g " * len(values) % tuple(values)).split()
    for i, value in enumerate(values):
        if not 1e-4 <= abs(value) < 999:
            texts[i] = signed(value)
    return texts


def _special(value: float) -> str:
    return "0" if value == 0 else text("not a number") if isnan(value) else MINUS + "∞" if value < 0 else "∞"


def _scientific(text: str) -> str:
    """What Python writes with an e, as a power of ten."""
    mantissa, exponent = text.split("e")
    return _minus(mantissa) + "×10" + str(int(exponent)).translate(SUPERSCRIPTS)


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


def short(value: float) -> str:
    """A setting as it was typed, for a sentence: 0.03, 1e-07 as 1×10⁻⁷."""
    text = f"{value + 0.0:g}"  # -0.0 is 0
    return _scientific(text) if "e" in text else _minus(text)


def target(value: float) -> str:
    """A target as it was given, if that is short."""
    text = short(value)
    return signed(value) if len(text) > 5 else "+" + text if value > 0 else text


def given(value: float) -> str:
    """A setting as a person would type it, for a field or a link: 0.03, 10, 1e-07."""
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def label(value: float, places: int = 2) -> str:
    """A number at a unit, never wider than seven characters: +0.24, −0.003, −2e−7, +1234."""
    size = abs(value)
    if not isfinite(value) or value == 0:
        return "NaN" if isnan(value) else signed(value)
    if 1e-4 <= size < 0.5 * 10**-places:
        return _minus(f"{value:+.{-floor(log10(size))}f}")  # a first step is read without powers of ten
    if size < 0.5 * 10**-places or size >= 1e4:
        return _minus(f"{value:+.0e}").replace("e−0", "e−").replace("e+0", "e").replace("e+", "e")
    return _minus(f"{value:+.{places if size < 100 else 0}f}")


def labels(values: Sequence[float], places: int = 2) -> list[str]:
    """`label` of each: all in one format, then those again that do not fit it."""
    texts = _minus(f"%+.{places}f " * len(values) % tuple(values)).split()
    least = 0.5 * 10**-places
    for i, value in enumerate(values):
        if not least <= abs(value) < 100:
            texts[i] = label(value, places)
    return texts


def fixed(value: float | None, places: int = 4) -> str:
    """So many decimal places, fewer from 100 on; tiny and huge numbers as 2.1×10⁻⁵; "–" for None."""
    return NONE if value is None else _fixed(value, places, "")


def fixed_signed(value: float, places: int = 2) -> str:
    """`fixed` with its sign: +0.24, −0.02."""
    return _fixed(value, places, "+")


def _fixed(value: float, places: int, sign: str) -> str:
    size = abs(value)
    if not isfinite(value):
        return _special(value)
    if value == 0:
        return f"{0.0:{sign}.{places}f}"  # -0.0 has no sign
    if round(size, places) == 0 or size >= 1e5:
        return _scientific(f"{value:{sign}.1e}")
    if size >= 100:
        places = max(0, places - len(str(int(size))) + 1)
    return _minus(f"{value:{sign}.{places}f}")


def count(value: int) -> str:
    """1,368."""
    return f"{value:,}"


def percent(share: float | None, places: int = 1) -> str:
    """97.5 %; 100.0 % is all and 0.0 % none, so that 4,499 of 4,500 are >99.9 %. "–" for None."""
    if share is None:
        return NONE
    least, text = 10.0**-places, f"{100 * share:.{places}f}"
    if 0 < share < 1 and float(text) in (0.0, 100.0):
        return f"<{least:.{places}f} %" if share < 0.5 else f">{100 - least:.{places}f} %"
    return f"{text} %"
