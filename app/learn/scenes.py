"""Scenes: a few seconds in which a lesson's own numbers move. A scene is a drawing whose shapes have a value for every
frame; a script goes from frame to frame, and without it any frame is a still.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json import dumps

from markupsafe import Markup, escape

from app.learn.plots import Box
from app.words.numbers import given

WIDTH, HEIGHT = 400.0, 240.0
Value = float | str | tuple[float, ...]
"""What an attribute holds in one frame: a number, a text, or the numbers of a row of points."""


@dataclass(frozen=True)
class Shape:
    """One element of a drawing: what stays, and what has a value for each frame ("text" is what it contains)."""

    tag: str
    still: dict[str, Value]
    moves: dict[str, tuple[Value, ...]]

    def at(self, frame: int) -> Markup:
        """It in one frame."""
        return self._markup(frame)

    def moving(self, frame: int) -> Markup:
        """It in one frame, and what a script needs to move it through all of them."""
        more = Markup(" data-track='{}'").format(_in_quotes(self.moves))
        return self._markup(frame, more if self.moves else "")

    def _markup(self, frame: int, more: str = "") -> Markup:
        values = {**self.still, **{name: track[frame] for name, track in self.moves.items()}}
        text = escape(values.pop("text", ""))
        attributes = Markup("").join(Markup(' {}="{}"').format(name, _written(value)) for name, value in values.items())
        return Markup("<{0}{1}{2}>{3}</{0}>").format(self.tag, attributes, more, text)


@dataclass(frozen=True)
class Film:
    """A drawing over time. `captions` says of each frame what is seen; `telling` is the frame that says most by itself.

    `flowing` scenes go evenly, others rest a little at each frame.
    """

    title: str
    captions: tuple[str, ...]
    shapes: tuple[Shape, ...]
    box: Box | None = None
    x_label: str = ""
    y_label: str = ""
    telling: int = -1
    seconds: float = 5
    flowing: bool = False

    def __post_init__(self) -> None:
        tracks = [track for shape in self.shapes for track in shape.moves.values()]
        if any(len(track) != self.frames for track in tracks):
            raise ValueError(f"every track of the scene {self.title!r} needs {self.frames} values")

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.captions)

    @property
    def shown(self) -> int:
        """The telling frame, from 0."""
        return self.telling % self.frames

    @property
    def stills(self) -> tuple[int, ...]:
        """The first, the middle and the last frame, for those who see no motion."""
        return (0, self.frames // 2, self.frames - 1)


def shape(tag: str, kind: str = "", **attributes: Value | Sequence[Value] | None) -> Shape:
    """A shape of a class; a list is a value for each frame, anything else stays. stroke_width is stroke-width."""
    still: dict[str, Value] = {"class": kind} if kind else {}
    moves: dict[str, tuple[Value, ...]] = {}
    for key, value in attributes.items():
        name = key.replace("_", "-")
        if isinstance(value, list):
            moves[name] = tuple(_rounded(each) for each in value)
        elif value is not None:
            still[name] = _rounded(value)  # type: ignore[arg-type]
    return Shape(tag, still, moves)


def label(
    kind: str,
    x: Value | list[Value],
    y: Value | list[Value],
    text: str | list[str],
    anchor: str = "start",
    opacity: list[Value] | None = None,
) -> Shape:
    """Words at a place."""
    return shape("text", kind, x=x, y=y, text_anchor=anchor, text=text, opacity=opacity)


def trail(places: Sequence[tuple[float, float]], kind: str) -> Shape:
    """A line that grows by one place a frame: what is still to come waits where it has got to."""
    reached = [[places[min(i, frame)] for i in range(len(places))] for frame in range(len(places))]
    return shape("polyline", kind, points=[tuple(value for place in each for value in place) for each in reached])


def from_frame(first: int, frames: int, last: int | None = None) -> list[Value]:
    """Opacities of what is there from a frame on, or only up to another."""
    return [1.0 if first <= frame <= (frames if last is None else last) else 0.0 for frame in range(frames)]


def _rounded(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(round(each, 1) for each in value)
    return round(value, 2) if isinstance(value, int | float) else value


def _written(value: Value) -> str:
    if isinstance(value, tuple):
        return " ".join(map(given, value))
    return value if isinstance(value, str) else given(float(value))


def _in_quotes(moves: dict[str, tuple[Value, ...]]) -> Markup:
    """As JSON, which may stand between single quotes."""
    text = dumps(moves, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&#39;"))


def told(scene: Film) -> Iterator[str]:
    """All texts of a scene, of every frame."""
    yield from scene.captions
    for each in scene.shapes:
        yield from (str(value) for value in (each.still.get("text"), *each.moves.get("text", ())) if value)
