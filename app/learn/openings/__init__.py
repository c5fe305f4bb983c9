"""What each lesson opens with: a scene made of its own run's numbers. A function for every lesson, from what its head
sets to the scene.
"""

from collections.abc import Callable
from typing import Any

from app.learn.lessons import Lesson
from app.learn.openings import circuits, images, lines, networks, operations
from app.learn.scenes import Film
from app.words.texts import kept

OPENINGS: dict[str, Callable[[Any], Film]] = {
    "error": lines.error,
    "line": lines.line,
    "nudge": lines.nudge,
    "slope": lines.slope,
    "overshoot": lines.overshoot,
    "neuron": lines.neuron,
    "circuit": circuits.circuit_scene,
    "layers": networks.layers,
    "deeper": networks.deeper,
    "pixels": networks.pixels,
    "code": networks.code,
    "math": networks.math,
    "black-box": networks.black_box,
    "convolution": images.convolution,
    "pooling": images.pooling,
    "normalization": operations.normalization,
    "dropout-and-shortcuts": operations.residual,
}


@kept(64)
def _made(slug: str, found: "_Head") -> Film:
    return OPENINGS[slug](found.head)


class _Head:
    """A lesson's head as a key: the same while the lesson is."""

    def __init__(self, head: Any) -> None:
        self.head = head

    def __hash__(self) -> int:
        return id(self.head)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Head) and other.head is self.head


def opening(lesson: Lesson) -> Film | None:
    """The scene that a lesson opens with; none of a lesson that has none."""
    return _made(lesson.slug, _Head(lesson.head)) if lesson.slug in OPENINGS else None
