"""Dates and times of day as numbers, for where nothing else goes in or a person wants them used: days, or hours."""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from engine.wording import Words, said

_CLOCK = re.compile(r"(\d{1,3}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?\s*([ap]m)?", re.IGNORECASE)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ]+(.*?))?")
_THREE = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{2,4})(?:[T ,]+(.*?))?")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})()")
_QUARTER = re.compile(r"(?:(\d{4})[- ]?Q([1-4])|Q([1-4])[- ](\d{4}))", re.IGNORECASE)
_WEEK = re.compile(r"(\d{4})[- ]?W(\d{1,2})", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?[. -]+)?([^\W\d_]{3,})\.?[. -]+(?:(\d{1,2})(?:st|nd|rd|th)?,? )?'?(\d{2,4})"
)
_WEEKDAY = re.compile(r"[^\W\d_]{2,10}[,.]? +(?=\d)")
_ZONE = re.compile(r"\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$", re.IGNORECASE)
_MONTHS = (
    "jan ene gen", "feb fév fev", "mar mär mrz maa", "apr avr abr", "may mai mag maj mei", "jun giu juin",
    "jul lug juil", "aug aoû ago", "sep set", "oct okt ott out", "nov", "dec dez dic déc",
)  # fmt: skip
_MONTH = {start: k for k, starts in enumerate(_MONTHS, 1) for start in starts.split()}


def as_numbers(cells: Sequence[str | None]) -> tuple[list[float | None], Words] | None:
    """Times of day in hours, or dates in days from the first of them, and in words what the numbers are; None where one
    of them cannot be told."""
    present = [cell.strip() for cell in cells if cell is not None]
    hours = {cell: _hours(cell) for cell in present}
    if present and all(hour is not None for hour in hours.values()):
        return [None if cell is None else hours[cell.strip()] for cell in cells], said("hours")
    for turned in (False, True):  # the day before the month, or the month before the day
        days = {cell: _day(cell, turned) for cell in present}
        if present and all(days.values()):
            first = min(day for day in days.values() if day)
            told = [None if cell is None else _since(first, days[cell.strip()]) for cell in cells]
            return told, said("days from {day}", day=first.date().isoformat())
    return None


def _since(first: datetime, day: datetime | None) -> float | None:
    return None if day is None else (day - first) / timedelta(days=1)


def _hours(cell: str) -> float | None:
    found = _CLOCK.fullmatch(cell)
    if not found or int(found[2]) > 59:
        return None
    hour = int(found[1])
    if found[4]:
        hour = hour % 12 + 12 * (found[4].lower() == "pm")
    return hour + int(found[2]) / 60 + float((found[3] or "0").replace(",", ".")) / 3600


def _day(cell: str, turned: bool) -> datetime | None:
    """A date with perhaps a time behind it."""
    for form, read in _FORMS:
        if found := form.fullmatch(cell):
            try:
                return read(found, turned)
            except ValueError:
                continue
    without = _WEEKDAY.sub("", cell, count=1)
    return _day(without, turned) if without != cell else None


def _at(day: date, clock: str | None) -> datetime:
    bare = _ZONE.sub("", clock or "")
    hours = _hours(bare) if bare else 0.0
    if hours is None:
        raise ValueError(clock)
    return datetime.combine(day, datetime.min.time()) + timedelta(hours=hours)


def _full(year: str) -> int:
    return int(year) if len(year) > 2 else int(year) + (2000 if int(year) < 70 else 1900)


def _of_three(found: re.Match[str], turned: bool) -> datetime:
    day, month = (int(found[2]), int(found[1])) if turned else (int(found[1]), int(found[2]))
    return _at(date(_full(found[3]), month, day), found[4])


def _of_name(found: re.Match[str], turned: bool) -> datetime:
    month = _MONTH.get(found[2][:3].lower()) or _MONTH.get(found[2][:4].lower(), 0)
    return _at(date(_full(found[4]), month, int(found[1] or found[3] or 1)), None)


def _of_quarter(found: re.Match[str], turned: bool) -> datetime:
    return _at(date(int(found[1] or found[4]), 3 * int(found[2] or found[3]) - 2, 1), None)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], bool], datetime]], ...] = (
    (_ISO, lambda found, turned: _at(date(int(found[1]), int(found[2]), int(found[3] or 1)), found[4])),
    (_THREE, _of_three),
    (_PACKED, lambda found, turned: _at(date(int(found[1]), int(found[2]), int(found[3])), None)),
    (_QUARTER, _of_quarter),
    (_WEEK, lambda found, turned: _at(date.fromisocalendar(int(found[1]), int(found[2]), 1), None)),
    (_NAMED, _of_name),
)
