"""Small pictures of feature maps: a window and its kernel, who of a window gets what comes back, a weight's places.

Every number is a square, the stronger the larger it is by size; of small windows it is printed as well, in a cell as
wide as that needs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from app.draw.maps import flattens
from app.explain.faces_maps import LARGEST, sent_to, shares_of
from app.explain.fans import WIDTH, Label
from app.explain.moments import Moment
from app.explain.scene import Scene, Spot
from app.words.numbers import fixed_signed
from app.words.texts import text
from engine import Quantity
from engine.arrays import Floats
from engine.feature_maps import MapEquations
from engine.operations.conv2d import padding_of

WIDE, HIGH, TOP, APART = 111.0, 72.0, 17.0, 120.0  # of one grid, and from one to the next
NOUGHT = "≈0"
LEGIBLE = 3  # numbers in a row that have room to be printed


@dataclass(frozen=True)
class Grids:
    """Some parts of maps side by side: cells (x, y, width, height, role, opacity), frames, texts."""

    kind: str
    cells: tuple[tuple[float, float, float, float, str, float], ...]
    frames: tuple[tuple[float, float, float, float], ...]
    texts: tuple[Label, ...]
    width: float = WIDTH
    height: float = TOP + HIGH + 2


@dataclass(frozen=True)
class Grid:
    """The numbers of one grid, what they are called, and which are framed, (row, column) from 0."""

    name: str
    numbers: Floats
    framed: Sequence[tuple[int, int]] = ()
    printed: bool = False


def grids(kind: str, *parts: Grid) -> Grids | None:
    """The picture of one to three parts; None if a number is none."""
    if not all(np.isfinite(part.numbers).all() for part in parts):
        return None
    cells, frames, texts = [], [], []
    for n, part in enumerate(parts):
        left, (high, wide), reach = 4.0 + n * APART, part.numbers.shape, float(np.abs(part.numbers).max()) or 1.0
        told = part.printed and max(high, wide) <= LEGIBLE
        down = round(HIGH / max(high, wide), 2)
        along = round(WIDE / max(high, wide), 2) if told else down
        texts.append(Label(left, TOP - 6, part.name))
        for row, column in np.ndindex(high, wide):
            number, x, y = float(part.numbers[row, column]), left + along * column, TOP + down * row
            role = "p" if number > 0 else "n" if number < 0 else "o"
            cells.append((round(x, 2), round(y, 2), along, down, role, round(abs(number) / reach, 3)))
            if told:
                shown = NOUGHT if 0 < abs(number) < 0.005 else fixed_signed(number)  # a power of ten has no room there
                texts.append(Label(round(x + along / 2, 1), round(y + down / 2 + 4, 1), shown, "cell"))
        frames += [(round(left + along * c, 2), round(TOP + down * r, 2), along, down) for r, c in part.framed]
    return Grids(kind, tuple(cells), tuple(frames), tuple(texts), max(WIDTH, len(parts) * APART))


def window(scene: Scene, k: int, j: int, source: int = 0) -> Grids | None:
    """What the channel's place looks at in a channel below, in that which moves it most if none is asked for; the
    kernel over it, and what comes of the two."""
    maps, spot = scene.equations.maps, scene.spot(k, j, scene.layer(k).z)
    node, W = maps.node(k), scene.layer(k).W[j - 1]
    begins = [int(node.option("stride")) * (at - 1) - padding_of(node) for at in spot[1:]]
    seen = np.zeros_like(W)
    for each, row, column in np.ndindex(*W.shape):
        at = (each + 1, begins[0] + row + 1, begins[1] + column + 1)
        if all(1 <= place <= length for place, length in zip(at[1:], node.takes[1:], strict=True)):
            seen[each, row, column] = _given(scene, maps, k - 1, at)
    most = source - 1 if source else int(np.abs((seen * W).sum(axis=(1, 2))).argmax())
    is_map = scene.channel(k - 1, most + 1)
    below = text("channel {channel}", channel=most + 1) if is_map else scene.layer_below(k)
    return _times("window", Grid(below, seen[most], printed=True), Grid(text("its kernel"), W[most], printed=True))


def _times(kind: str, one: Grid, other: Grid) -> Grids | None:
    """Two parts, and number by number their products."""
    made = Grid(text("their products"), one.numbers * other.numbers, one.framed, one.printed)
    return grids(kind, one, other, made)


def sent_back(scene: Scene, above: int, to: int, j: int) -> Grids | None:
    """The δ of a channel above that a place of one below led to, the kernel turned over them, and their products."""
    node, (_, row, column) = scene.equations.maps.node(above), sent_to(scene, above - 1, j)
    W, dz = scene.layer(above).W[to - 1, j - 1], scene.layer(above).dz[0, to - 1]
    seen, stride = np.zeros_like(W), int(node.option("stride"))
    for place in np.ndindex(*W.shape):
        steps = [at - 1 + padding_of(node) - shift for at, shift in zip((row, column), place, strict=True)]
        y, x = (step // stride for step in steps)
        if not any(step % stride for step in steps) and 0 <= y < dz.shape[0] and 0 <= x < dz.shape[1]:
            seen[len(W) - 1 - place[0], len(W) - 1 - place[1]] = dz[y, x]
    own = text("δ of channel {channel}", channel=to)
    turned = Grid(text("the kernel, turned"), W[::-1, ::-1], printed=True)
    return _times("window", Grid(own, seen, printed=True), turned)


def picture_of(scene: Scene, moment: Moment) -> Grids | None:
    """The picture of one kernel at one place, or of one of its weights, of the one example that is shown."""
    if scene.count > 1 or not moment.targets or not scene.network.image(moment.layer):
        return None
    k, j, i = moment.layer, *(moment.units or (0,)), moment.targets[0].source
    made = _PICTURES.get(moment.kind)
    with np.errstate(all="ignore"):
        return made(scene, k, j, i) if made else None


def place_of(scene: Scene, moment: Moment) -> str:
    """The address of the place that a moment of feature maps tells of; nothing for any other."""
    k, j = moment.layer, moment.units[0] if moment.units else 0
    if moment.kind == "product_back" and (scene.network.image(k) or flattens(scene.network, k)):
        k, j = k - 1, moment.targets[0].source
    if not j or not scene.network.image(k) or moment.phase not in ("forward", "backward"):
        return ""
    layer = scene.layer(k)
    maps = layer.z if moment.phase == "forward" else layer.dz if moment.kind == "map_ways" else layer.asked
    return str(Quantity("a", k, scene.spot(k, j, maps)))


def _given(scene: Scene, maps: MapEquations, k: int, spot: Spot) -> float:
    kind = scene.trace.spec.network.given_kind(k) if k else "x"
    return float(scene.look(Quantity(kind, k, spot, 0)))


def many_places(scene: Scene, k: int, j: int, source: int = 0) -> Grids | None:
    """All that a weight of the channel met, and δ at the same places; framed where their product is largest."""
    shares, met = shares_of(scene, scene.kernel_place(k, j, source), k)
    largest = np.argsort(-np.abs(np.nan_to_num(shares[0].ravel())), kind="stable")[: LARGEST if source else 1]
    at = [(int(n) // shares.shape[2], int(n) % shares.shape[2]) for n in largest]
    dz = Grid(text("δ at these places"), scene.layer(k).dz[0, j - 1], at)
    return _times("many", Grid(text("what it met"), met[0], at), dz)


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
        parts.append(Grid(name, np.array(numbers).reshape(len(rows), len(columns)), framed, printed=True))
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
        "mask", Grid(text("let through"), mask), Grid(text("what comes back"), np.array(back).reshape(mask.shape))
    )


_PICTURES: dict[str, Callable[[Scene, int, int, int], Grids | None]] = {
    "product": window,
    "product_back": sent_back,
    "dW": many_places,
}
