"""How the units of one layer stand in a drawing: in columns of rows, or feature maps in a zigzag of larger pictures."""

from dataclasses import dataclass
from math import ceil

LEGIBLE, MAP_COLUMNS = 40.0, (1, 2, 3, 4)  # a feature map's side that needs no further column; columns to choose from


@dataclass(frozen=True)
class Block:
    """How so many units of a layer stand: in how many columns of how many rows, how far from one row to the next. In a
    `zigzag` each unit has a row of its own, and as many columns as it takes for pictures to be larger than a row. After
    each comes a `tail`, as a share of its side."""

    count: int
    side: float
    pitch: float
    rows: int
    columns: int = 1
    zigzag: bool = False
    tail: float = 0.0

    @property
    def width(self) -> float:
        """What its columns take, side by side."""
        return self.side * ((1.12 + self.tail) * self.columns - 0.12)

    def at(self, i: int) -> tuple[float, float]:
        """The middle of a unit, from the left edge and the middle of the block."""
        column, row = (i % self.columns, i) if self.zigzag else (i // self.rows, i % self.rows)
        return self.side * (0.5 + (1.12 + self.tail) * column), self.pitch * (row - (self.rows - 1) / 2)


def block(count: int, rows: int, side: float, inside: float, most: float) -> Block:
    """A layer's units in columns of so many rows, which share what is inside the drawing."""
    fit = inside / rows
    return Block(count, min(side, 0.82 * fit), min(most, fit), rows, ceil(count / rows))


def maps_block(count: int, inside: float, across: float, most: float, numbers: float, tail: float = 0.0) -> Block:
    """Feature maps: in the fewest columns in which they are legible, or else in those in which they are largest; in one
    where `numbers` have so much of the height between them."""

    def side(columns: int) -> float:
        tall = inside * columns / (1.08 * (count - 1) + columns)
        return min(most, tall, across / ((1.12 + tail) * columns - 0.12))

    if numbers:
        own = min(most, across / (1 + tail), max(inside / count - numbers, 12))
        return Block(count, own, inside / count, count, tail=tail)
    columns = next((c for c in MAP_COLUMNS if side(c) >= LEGIBLE), max(MAP_COLUMNS, key=side))
    own = side(columns)
    return Block(count, own, (inside - own) / max(1, count - 1), count, columns, zigzag=True, tail=tail)
