"""Small pictures of feature maps: a window and its kernel, who of a window gets what comes back, a weight's places.

Every number is a square, the stronger the larger it is by size; of small windows it is printed as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from app.explain.faces_maps import Spot, kernel_place, strongest
from app.explain.fans import WIDTH, Label
from app.explain.scene import Scene
from app.words.numbers import fixed_signed
from app.words.texts import text
from engine import Quantity
from engine.arrays import Floats
from engine.feature_maps import MapEquations
from engine.operations.conv2d import padding_of

EDGE, TOP, APART = 120.0, 20.0, 158.0
NOUGHT = "≈0"
LEGIBLE = 3  # numbers in a row that have room to be printed


@dataclass(frozen=True)
class Grids:
    """Two parts of maps side by side: squares (x, y, side, role, opacity), frames (x, y, side) and texts."""

    kind: str
    cells: tuple[tuple[float, float, float, str, float], ...]
    frames: tuple[tuple[float, float, float], ...]
    texts: tuple[Label, ...]
    width: float = WIDTH
    height: float = TOP + EDGE + 4


@dataclass(frozen=True)
class Part:
    """The numbers of one grid, what they are called, and which are framed, (row, column) from 0."""

    name: str
    numbers: Floats
    framed: Sequence[tuple[int, int]] = ()
    printed: bool = False


def grids(kind: str, *parts: Part) -> Grids | None:
    """The picture of one or two parts; None if a number is none."""
    if not all(np.isfinite(part.numbers).all() for part in parts):
        return None
    cells, frames, texts = [], [], []
    for n, part in enumerate(parts):
        left, (high, wide), reach = 4.0 + n * APART, part.numbers.shape, float(np.abs(part.numbers).max()) or 1.0
        side = round(EDGE / max(high, wide), 2)
        texts.append(Label(left, TOP - 7, part.name))
        for row, column in np.ndindex(high, wide):
            number, x, y = float(part.numbers[row, column]), left + side * column, TOP + side * row
            role = "p" if number > 0 else "n" if number < 0 else "o"
            cells.append((round(x, 2), round(y, 2), side, role, round(abs(number) / reach, 3)))
            if part.printed and max(high, wide) <= LEGIBLE:
                told = NOUGHT if 0 < abs(number) < 0.005 else fixed_signed(number)  # a power of ten has no room there
                texts.append(Label(round(x + side / 2, 1), round(y + side / 2 + 4, 1), told, "cell"))
        frames += [(round(left + side * column, 2), round(TOP + side * row, 2), side) for row, column in part.framed]
    return Grids(kind, tuple(cells), tuple(frames), tuple(texts))


def window(scene: Scene, k: int, j: int) -> Grids | None:
    """What the channel's strongest place looks at in the channel below that moves it most, and the kernel over it."""
    maps, spot = scene.equations.maps, strongest(scene.layer(k).z, j)
    node, W = maps.node(k), scene.layer(k).W[j - 1]
    begins = [int(node.option("stride")) * (at - 1) - padding_of(node) for at in spot[1:]]
    seen = np.zeros_like(W)
    for source, row, column in np.ndindex(*W.shape):
        at = (source + 1, begins[0] + row + 1, begins[1] + column + 1)
        if all(1 <= place <= length for place, length in zip(at[1:], node.takes[1:], strict=True)):
            seen[source, row, column] = _given(scene, maps, k - 1, at)
    most = int(np.abs((seen * W).sum(axis=(1, 2))).argmax())
    below = scene.channel(k - 1, most + 1) or scene.layer_below(k)
    return grids("window", Part(below, seen[most], printed=True), Part(text("its kernel"), W[most], printed=True))


def _given(scene: Scene, maps: MapEquations, k: int, spot: Spot) -> float:
    kind = scene.trace.spec.network.given_kind(k) if k else "x"
    return float(scene.look(Quantity(kind, k, spot, 0)))


def many_places(scene: Scene, k: int, j: int) -> Grids | None:
    """All that the channel's strongest weight met, and δ at the same places; framed where their product is largest."""
    maps, (_, source, row, column) = scene.equations.maps, kernel_place(scene.layer(k).dW, j)
    node, dz = maps.node(k), scene.layer(k).dz[0, j - 1]
    stride, pad = int(node.option("stride")), padding_of(node)
    met = np.zeros_like(dz)
    for y, x in np.ndindex(*dz.shape):
        at = (source, stride * y + row - pad, stride * x + column - pad)
        if all(1 <= place <= length for place, length in zip(at[1:], node.takes[1:], strict=True)):
            met[y, x] = _given(scene, maps, k - 1, at)
    largest = tuple(map(int, np.unravel_index(int(np.abs(met * dz).argmax()), dz.shape)))
    framed = [(largest[0], largest[1])]
    return grids("many", Part(text("what it met"), met, framed), Part(text("δ at these places"), dz, framed))


def pooled(scene: Scene, k: int, into: tuple[int, ...], back: bool) -> Grids | None:
    """A window of a pool with its winner framed; on the way back beside what comes back to each of its numbers."""
    maps, network = scene.equations.maps, scene.trace.spec.network
    spots, letter = maps.window(k, into), network.before(k, "v")
    passed = network.before(k, letter) if letter == "o" else letter  # what comes to a joint goes on as it is
    rows, columns = (sorted({int(str(spot[axis])) for spot in spots}) for axis in (1, 2))
    framed = list[tuple[int, int]]()
    if network.pools[k].operation == "max_pool":
        _, row, column = (int(str(at)) for at in maps.winner(k, into, 0, scene.look))
        framed = [(rows.index(row), columns.index(column))]
    parts = []
    for kind, name in ((letter, text("the window")), (f"d{passed}", text("what comes back")))[: 1 + back]:
        numbers = [float(scene.look(Quantity(kind, k, (into[0], *at), 0))) for at in product(rows, columns)]
        parts.append(Part(name, np.array(numbers).reshape(len(rows), len(columns)), framed, printed=True))
    return grids("pooled", *parts)


def tied(scene: Scene, k: int, into: tuple[int, ...]) -> bool:
    """Whether more than one number of a max pool's window is the largest."""
    maps, network = scene.equations.maps, scene.trace.spec.network
    kind = network.before(k, "v")
    numbers = np.array([float(scene.look(Quantity(kind, k, spot, 0))) for spot in maps.window(k, into)])
    return network.pools[k].operation == "max_pool" and int((numbers == numbers.max()).sum()) > 1


def masked(scene: Scene, k: int, j: int) -> Grids | None:
    """What of a channel was let through, and what comes back to it."""
    layer = scene.layer(k)
    if layer.mask is None or layer.mask.ndim < 4:
        return None
    kind = scene.trace.spec.network.before(k, "h")
    spots = np.ndindex(*layer.mask.shape[2:])
    back = [float(scene.look(Quantity(f"d{kind}", k, (j, y + 1, x + 1), 0))) for y, x in spots]
    mask = layer.mask[0, j - 1]
    return grids(
        "mask", Part(text("let through"), mask), Part(text("what comes back"), np.array(back).reshape(mask.shape))
    )
