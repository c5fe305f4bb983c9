"""Numbers as people write them, in any locale: decimal comma or point, thousands, a true minus, per cent, money."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

Decimal = Literal[".", ","]

_MONEY = "$€£¥₹₩₽₺₴₪₫฿₱"
_CURRENCY = r"USD|EUR|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|US\$|C\$|A\$|R\$|Rs\.?|kr\.?|zł|Kč|Fr\.?|€|\$|£|¥"
_CODES = re.compile(rf"^(?:{_CURRENCY})\s*(?=[-+.\d])|(?<=[-.\d])\s*(?:{_CURRENCY})$", re.IGNORECASE)
_EVEN = re.compile(r"(?<=\d)[.,][-–—]+$")  # as in 1'200.–: no cents
_TIMES = {"k": 1e3, "m": 1e6, "b": 1e9, "bn": 1e9}
_MANY = re.compile(rf"([{_MONEY}]\s*[-+.,\d]+)\s?(k|m|bn?)", re.IGNORECASE)
_POWER = re.compile(r"\s?[×x*·]\s?10\^?\(?([-+−]?\d+)\)?$")
_CLEAN = str.maketrans({"−": "-", "–": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "٫": ".", "٬": ","})
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_GROUPS = {mark: re.compile(rf"[+-]?\d{{1,3}}([{re.escape(mark)}]\d{{3}})+") for mark in ". '_"}
_GROUPS[","] = re.compile(r"[+-]?\d{1,3}((,\d{2,3})*,\d{3})")  # as in India too: 12,34,567
_UNIT = re.compile(r"\s*([-+−]?\d[\d.,' ]*)\s?([^\W\d_]{1,10}[²³23]?|°\s?[A-Z]?|[^\W\d_]{1,4}/[^\W\d_]{1,4}[²³23]?)\s*")
_GIVE = re.compile(r"\s*([-+−]?\d[\d.,]*)\s*(?:±|\+/?-)\s*[\d.,]+\s*")
_ABOUT = re.compile(r"\s*(?:[<>≤≥~≈]=?|=[<>]|ca\.?|circa|about)\s*([-+−]?\d[\d.,]*(?:[eE][-+]?\d+)?)\s*", re.IGNORECASE)
_MARKED_BEHIND = re.compile(r"\s*([-+−]?\d[\d.,]*)\s?(?:\+|\*{1,3}|[†‡]|\[\w{1,3}\])\s*")
_DIGITS = re.compile(r"\d")
_AS_IT_IS = re.compile(r"[+-]?[0-9.,]*")
_MARKED = re.compile("[.,٫٬]")


_HEX = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]{1,12})")
_FORTRAN = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))[dD]([+-]?\d{1,3})")
_FRACTION = re.compile(r"([-+−]?)(?:(\d{1,6})[ -])?(\d{1,6})\s?[/⁄]\s?(\d{1,6})")
# Nines that stand for "no value" in measurements and surveys, as -999 and 9999.9 do.
_SENTINEL = re.compile(r"(99|999|9999|99999|999999)(\.9{1,3}|\.25)?")


def number(text: str, decimal: Decimal = ".") -> float | None:
    """The number that a text is, None if it is none. A cell whose marks leave no doubt is read by them."""
    if decimal == "." and text[-1:].isdigit() and "_" not in text and text.isascii():
        try:
            return _bounded(float(text))
        except ValueError:
            pass
    if len(text) > 400 or not _DIGITS.search(text):
        return None
    if (many := _MANY.fullmatch(text.strip())) and (value := number(many[1], decimal)) is not None:
        return _bounded(value * _TIMES[many[2].lower()])
    if fortran := _FORTRAN.fullmatch(text.strip()):
        return _bounded(float(f"{fortran[1]}e{fortran[2]}"))
    bare = _bare(text)
    return _read(bare, style_of(bare) or decimal)


def spelled(text: str) -> float | None:
    """The number that 1/2, 1 3/4 or 0x1F is, where a whole column is written so; None for anything else."""
    if found := _HEX.fullmatch(text.strip()):
        return float(int(found[1] + found[2], 16))
    found = _FRACTION.fullmatch(text.strip())
    if not found or not int(found[4]):
        return None
    value = int(found[2] or 0) + int(found[3]) / int(found[4])
    return -value if found[1] in ("-", "−") else value


def sentinel_of(values: Sequence[float]) -> float | None:
    """A number such as -999 that stands for no value: nines, far from all others, which are most."""
    for value in sorted(set(values), key=abs, reverse=True)[:2]:
        rest = [other for other in values if other != value]
        if not _SENTINEL.fullmatch(f"{abs(value):g}") or 2 * len(rest) < len(values) or len(set(rest)) < 3:
            continue
        low, high = min(rest), max(rest)
        if (value < 0 <= low and -value > high) or max(low - value, value - high) > 3 * max(high - low, 1.0):
            return value
    return None


def _bare(text: str) -> str:
    """Without what stands round a number: currency, per cent, an accountant's brackets, blanks between thousands."""
    if _AS_IT_IS.fullmatch(text):  # most cells of a large table
        return text
    bare = text.translate(_CLEAN).strip()
    if bare[:1] == "(" and bare[-1:] == ")":
        bare = "-" + bare[1:-1]
    if bare[-1:] == "-" and bare[-2:-1].isdigit():  # as SAP writes what is below 0
        bare = "-" + bare[:-1]
    if bare and (bare[0] in _MONEY or bare[0] in "+-" or bare[0].isalpha() or not bare[-1].isdigit()):
        sign = bare[0] if bare[0] in "+-" else ""
        plain = bare.lstrip("+-").strip() if sign else bare
        plain = _CODES.sub("", _EVEN.sub("", plain).strip(_MONEY + " ").rstrip("%").strip())
        bare = (sign + _EVEN.sub("", plain).strip()).replace("--", "-")
    if "10" in bare:
        bare = _POWER.sub(lambda match: f"e{match[1].replace('−', '-')}", bare)
    if "_" in bare and _GROUPS["_"].fullmatch(re.split("[.,]", bare)[0]):
        bare = bare.replace("_", "")
    for mark in " '":
        head = re.split("[.,]", bare)[0]
        if mark in bare and _GROUPS[mark].fullmatch(head):
            bare = bare.replace(mark, "")
    return bare


def _read(bare: str, decimal: Decimal) -> float | None:
    group = "," if decimal == "." else "."
    head, _, tail = bare.partition(decimal)
    if _GROUPS[group].fullmatch(head) and group not in tail:
        bare = head.replace(group, "") + ("." + tail if tail else "")
    elif decimal == ",":
        bare = bare.replace(",", ".", 1)
    return _bounded(float(bare)) if _PLAIN.fullmatch(bare) else None


def _bounded(value: float) -> float | None:
    return value if abs(value) <= 1e150 else None


def within(cell: str) -> str:
    """The number of a cell that has a mark of how sure or how far it is: <0.01, ~5, 90+, 2.3*; else the cell itself."""
    match = _ABOUT.fullmatch(cell) or _MARKED_BEHIND.fullmatch(cell)
    return match[1] if match else cell


def per_cent(cells: Sequence[str]) -> bool:
    """Whether some cells have a sign of per cent and the others, without one, are shares: 50% and 0.5 are the same."""
    marked = [cell.rstrip().endswith("%") for cell in cells]
    if all(marked) or not any(marked):
        return False
    plain = [number(cell) for cell, sign in zip(cells, marked, strict=True) if not sign]
    return all(value is not None and abs(value) <= 1 for value in plain)


def unit_of(cells: Sequence[str]) -> str:
    """The unit that stands after the number in every one of these cells, "" if there is none."""
    found = [_UNIT.fullmatch(cell) for cell in cells]
    units = {match[2].strip() for match in found if match}
    return units.pop() if len(units) == 1 and all(found) else ""


def without_unit(cell: str) -> str:
    """The number of a cell that has a unit, or how far it may be off, behind it."""
    match = _UNIT.fullmatch(cell) or _GIVE.fullmatch(cell)
    return match[1] if match else cell


def style_of(text: str) -> Decimal | None:
    """Which mark is the decimal one here, where that is beyond doubt: 1,5 or 1.234,5 a comma, 1.50 a point."""
    dots, commas = text.count("."), text.count(",")
    if dots and commas:
        last: Decimal = "." if text.rfind(".") > text.rfind(",") else ","
        return last
    if dots + commas == 0:
        return None
    mark, other = (".", ",") if dots else (",", ".")
    if dots + commas > 1:
        return other if _GROUPS[mark].fullmatch(text) else None  # type: ignore[return-value]
    head, tail = text.lstrip("+-").split(mark)
    doubtful = len(tail) == 3 and tail.isdigit() and 1 <= len(head) <= 3 and head.isdigit() and head[0] != "0"
    return None if doubtful else mark  # type: ignore[return-value]


def doubtful(text: str) -> bool:
    """Whether 1.234 or 1,234 stands here, which may be thousands."""
    bare = _bare(text)
    return bare.count(".") + bare.count(",") == 1 and style_of(bare) is None


def _is_marked(cell: str) -> bool:
    return len(cell) < 40 and _MARKED.search(cell) is not None


def decimal_of(cells: Iterable[str]) -> Decimal | None:
    """The decimal mark that most of these cells leave no doubt of."""
    votes = Counter(style for cell in cells if _is_marked(cell) and (style := style_of(_bare(cell))))
    return votes.most_common(1)[0][0] if votes else None
