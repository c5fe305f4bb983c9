"""Text in pieces, each with a role: a colour, the same in the diagram, the formula and the code."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.words.formulas import Role
from app.words.numbers import MINUS, signed, unsigned


@dataclass(frozen=True)
class Segment:
    """A piece of text in one role; `part` is the address of the quantity whose number it is."""

    text: str
    role: Role = "plain"
    part: str = ""


Segments = tuple[Segment, ...]


def text_of(segments: Iterable[Segment]) -> str:
    """Segments as plain text."""
    return "".join(segment.text for segment in segments)


def say(*pieces: str | Segment) -> Segments:
    """Segments from plain strings and segments; empty strings fall away."""
    return tuple(Segment(piece) if isinstance(piece, str) else piece for piece in pieces if piece)


def by_sign(value: float, part: str = "") -> Segment:
    """A parameter's number, in the colour of its sign."""
    return Segment(signed(value), "negative" if value < 0 else "positive", part)


def plus(value: float, role: Role, part: str = "") -> Segment:
    """A number added to what stands before it: " + 0.2200", " − 0.1000"."""
    return Segment(f" {MINUS if value < 0 else '+'} {unsigned(abs(value))}", role, part)


def bracketed(factor: Segment) -> Segment:
    """A factor after a × or a −: in brackets if it is negative."""
    return Segment(f"({factor.text})", factor.role, factor.part) if factor.text.startswith(MINUS) else factor


def several(pieces: Iterable[Segments], count: int, between: str = ", ") -> Segments:
    """A few lists of segments in one, and that there are more."""
    row: list[str | Segment] = []
    shown = 0
    for piece in pieces:
        row += [between if shown else "", *piece]
        shown += 1
    if shown < count:
        row.append(f"{between}… ({count})")
    return say(*row)


def merged(segments: Iterable[Segment]) -> Segments:
    """The same text in as few pieces as its roles need."""
    found: list[Segment] = []
    for each in segments:
        if found and found[-1].role == each.role and not (found[-1].part or each.part):
            found[-1] = Segment(found[-1].text + each.text, each.role)
        else:
            found.append(each)
    return tuple(found)


def joined(faces: Sequence[Segments], between: str) -> Segments:
    """Lists of segments in one, with a text between them."""
    return tuple(piece for n, face in enumerate(faces) for piece in (*say(between if n else ""), *face))
