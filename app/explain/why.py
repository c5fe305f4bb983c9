"""Why a moment does what it does: one sentence, and a small picture made of the moment's own numbers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

import numpy as np

from app.draw.charts import path
from app.explain.fans import Fan, shared, ways_back
from app.explain.moments import Moment
from app.explain.places import Grids, many_places, masked, pooled, tied, window
from app.explain.scene import Scene
from app.words.numbers import fixed_signed
from app.words.segments import Segments
from app.words.sentences import Sentence, lower, said, sentence
from app.words.texts import text
from engine import ACTIVATIONS, LOSSES, OPTIMIZERS, Quantity
from engine.arrays import Floats
from engine.quantity import unit, weight

SIDE, POINTS, DRAWN = 120.0, 61, 64
NUDGE = 0.01


@dataclass(frozen=True)
class Curves:
    """Curves and points in a square of SIDE: `curve` what is so, `line` what is drawn to it, `point` where one is."""

    kind: Literal["tangent", "product", "step", "norm"]
    curve: str
    line: str
    point: tuple[float, float]
    labels: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class Why:
    """One reason: the sentence and the picture."""

    sentence: Sentence
    picture: Curves | Fan | Grids | None

    @property
    def words(self) -> Segments:
        """The sentence in words."""
        return said(self.sentence)


def why_of(scene: Scene, moment: Moment) -> tuple[Why, ...]:
    """Why, of the one example that is shown; none where there is nothing to say beyond the moment itself."""
    if (scene.count > 1 and moment.kind not in _OF_BATCHES) or (not moment.layer and moment.kind not in _OF_STEPS):
        return ()
    if moment.phase == "update" and OPTIMIZERS[scene.trace.spec.optimizer].search:
        return ()
    maps = moment.layer and scene.network.image(moment.layer)
    k, j = moment.layer or scene.last, next(iter(moment.units), 0)
    made = None if maps and not j else _KINDS.get(moment.kind)
    with np.errstate(all="ignore"):
        from_above = moment.kind in ("delta", "da", scene.network.back_kind(k))
        fan = ways_back(scene, moment) if from_above and not maps else None
        ways = (Why(sentence("why ways"), fan),) if fan else ()
        return (*ways, *(made(scene, k, j) if made else ()))


def _shared(scene: Scene, k: int, j: int) -> Iterator[Why]:
    if j:
        yield Why(sentence("why shared", unit=scene.unit(k, j)), shared(scene, k, j))


def _slope(scene: Scene, k: int, j: int) -> Iterator[Why]:
    if k == scene.last and scene.network.joined:
        yield Why(sentence("why joined", loss=lower(text(LOSSES[scene.trace.spec.loss].title))), None)
    elif j and not ACTIVATIONS[scene.layer(k).activation].product:
        yield _slope_at(scene, k, (j,))


def _slope_at(scene: Scene, k: int, index: tuple[int, ...]) -> Why:
    """Of a unit, or of one place of a channel."""
    entry, bent = ACTIVATIONS[scene.layer(k).activation], scene.network.bent_kind(k)
    slope, z, a = (float(scene.look(Quantity(kind, k, index, 0))) for kind in ("slope", bent, "a"))
    told = sentence(
        "why slope", function=lower(text(entry.title)), bent=bent, nudge=NUDGE, moved=slope * NUDGE, share=slope
    )
    return Why(told, _tangent(entry.forward, z, a, slope))


def _tangent(function: Callable[..., object], z: float, a: float, slope: float) -> Curves | None:
    """The activation round z, where the unit stands on it, and its tangent."""
    if not all(map(isfinite, (z, a, slope))):
        return None
    zs: Floats = np.linspace(z - 3, z + 3, POINTS)[None]
    values = np.empty_like(zs)
    function(zs, values)
    low, high = float(min(values.min(), a - 1)), float(max(values.max(), a + 1))

    def place(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return (x - z + 3) / 6 * SIDE, SIDE - 8 - (y - low) / (high - low) * (SIDE - 16)

    tangent: Floats = np.array([z - 0.9, z + 0.9])
    at = place(np.array([z]), np.array([a]))
    labels = ((6.0, 14.0, text("slope {slope}", slope=fixed_signed(slope))),)
    curve, line = path(*place(zs[0], values[0])), path(*place(tangent, a + slope * (tangent - z)))
    return Curves("tangent", curve, line, (float(at[0][0]), float(at[1][0])), labels)


def _product(scene: Scene, k: int, j: int) -> Iterator[Why]:
    if not j or scene.network.image(k):
        return
    i = int(np.abs(scene.layer(k).dW[j - 1]).argmax()) + 1
    a, dz = float(scene.below(k)[0, i - 1]), float(scene.layer(k).dz[0, j - 1])
    told = sentence("why product", unit=scene.unit(k, j), source=scene.source(k, i), a=a, moved=a * NUDGE, nudge=NUDGE)
    yield Why(told, _area(a, dz))


def _area(a: float, dz: float) -> Curves | None:
    """Two numbers as the sides of a rectangle."""
    most = max(abs(a), abs(dz), 1e-12)
    if not isfinite(most):
        return None
    width, height = (max(4.0, 84 * abs(each) / most) for each in (a, dz))
    box = f"M26 96V{96 - height:.1f}H{26 + width:.1f}V96Z"
    labels = ((26.0, 112.0, f"a {fixed_signed(a)}"), (4.0, max(10.0, 92 - height), f"δ {fixed_signed(dz)}"))
    return Curves("product", box, "", (26 + width, 96 - height), labels)


def _step(scene: Scene, k: int, j: int) -> Iterator[Why]:
    """What memory is good for; else where the step is the gradient's alone, with no penalty and nothing that is held,
    where it goes."""
    spec, layer = scene.trace.spec, scene.layer(k)
    if OPTIMIZERS[spec.optimizer].slots:
        yield from () if spec.frozen else (Why(sentence("why remembered"), None),)
        return
    if not j or spec.penalized or spec.frozen or scene.network.image(k):
        return
    i = int(np.abs(layer.dW[j - 1]).argmax()) + 1
    if layer.W_next[j - 1, i - 1] != layer.W[j - 1, i - 1]:  # else too small to move it
        gradient = float(scene.look(weight(k, j, i).like("dW")))
        yield Why(sentence("why step", source=scene.source(k, i), gradient=gradient), None)


def _forward(scene: Scene, k: int, j: int) -> Iterator[Why]:
    """Of one unit its bend; of a softmax, which takes all of them together, nothing."""
    entry = ACTIVATIONS[scene.layer(k).activation]
    if not j or entry.product:
        return
    bent = scene.network.bent_kind(k)
    z, a = (float(scene.look(of.at(0))) for of in (unit(k, j).like(bent), unit(k, j)))
    slope = float(scene.look(Quantity("slope", k, (j,), 0)))
    told = sentence("why forward", function=lower(text(entry.title)))
    found = _tangent(entry.forward, z, a, slope)
    labels = ((6.0, 14.0, f"a {fixed_signed(a)}"),)
    yield Why(told, replace(found, line="", labels=labels) if found else None)


def _norm(scene: Scene, k: int, j: int) -> Iterator[Why]:
    """Of an example's whole layer; or on all examples of a unit, or of a channel's places."""
    norm, z = scene.layer(k).norm, scene.layer(k).z
    assert norm is not None
    whole = scene.network.norms[k] == "layer_norm"
    before, after = (z[0], norm.n[0]) if whole else (z[:, j - 1], norm.n[:, j - 1])
    place = (j - 1 if whole else 0, *(at - 1 for at in scene.spot(k, j, z)[1:]))
    picture = _distribution(before.ravel(), after.ravel(), int(np.ravel_multi_index(place, before.shape)))
    yield Why(sentence("why norm", count=before.size), picture)


def _distribution(before: Floats, after: Floats, own: int) -> Curves | None:
    """The numbers that are normalized together, before above and after below, on one scale; of many some of each
    size."""
    reach = float(np.abs([before, after]).max())
    if not isfinite(reach) or not reach:
        return None
    chosen = np.arange(len(before))
    if len(before) > DRAWN:
        chosen = np.argsort(before, kind="stable")[np.linspace(0, len(before) - 1, DRAWN).astype(int)]
    x, y = ((values / reach * 52 + SIDE / 2).tolist() for values in (before, after))
    ways = [f"M{x[n]:.1f} 34V28M{x[n]:.1f} 34L{y[n]:.1f} 92V98" for n in (*chosen.tolist(), own)]
    labels = ((4.0, 14.0, "z"), (4.0, 114.0, "n"))
    return Curves("norm", "".join(ways[:-1]), ways[-1], (y[own], 98.0), labels)


def _three_ways(scene: Scene, k: int, j: int) -> Iterator[Why]:
    own = scene.of_first(k, scene.spot(k, j, scene.layer(k).dz), "dz_own", "dz_mean", "dz_spread")
    yield Why(sentence("why three ways"), _added_up(list(own.values())))


def _added_up(ways: list[float]) -> Curves | None:
    """What comes back over each way as a bar that begins where the one before it ended, and their sum."""
    ends = np.cumsum([0.0, *ways])
    reach = float(np.abs(ends).max())
    if not isfinite(reach) or not reach:
        return None
    levels = [SIDE / 2 - 42 * float(end) / reach for end in ends]
    bars = [f"M{8 + 28 * n} {levels[n]:.1f}h20V{levels[n + 1]:.1f}h-20z" for n in range(3)]
    bars.append(f"M92 {SIDE / 2:.1f}h20V{levels[3]:.1f}h-20z")
    labels = tuple((14.0 + 28 * n, 116.0, name) for n, name in enumerate(("x̂", "μ", "σ", "δ")))
    return Curves("product", "".join(bars), "", (102.0, levels[3]), labels)


def _says(message: str) -> Callable[[Scene, int, int], Iterator[Why]]:
    """A reason that is the same for all numbers."""
    return lambda scene, k, j: iter((Why(sentence(message), None),))


def _activation(scene: Scene, k: int, j: int) -> Iterator[Why]:
    """Of one unit its bend; of a softmax, which takes all of them together, what shares are good for."""
    yield from _forward(scene, k, j) if j else (Why(sentence("why softmax"), None),)


def _window(scene: Scene, k: int, j: int) -> Iterator[Why]:
    yield Why(sentence("why window"), window(scene, k, j))


def _pool(scene: Scene, k: int, j: int) -> Iterator[Why]:
    v = scene.layer(k).v
    assert v is not None
    yield Why(sentence("why pool"), None)
    yield _of_pool(scene, k, scene.spot(k, j, v), ("largest", "mean"), back=False)


def _of_pool(scene: Scene, k: int, into: tuple[int, ...], said: tuple[str, str], back: bool) -> Why:
    """That the largest goes on, or the mean; and what it means on the way back."""
    node, picture = scene.network.pools[k], pooled(scene, k, into, back)
    count = node.places if node.operation == "global_pool" else int(node.option("size")) ** 2
    kind = said[0] if node.operation == "max_pool" else said[1]
    return Why(sentence("why tie" if tied(scene, k, into) else f"why {kind}", count=count), picture)


def _map_back(scene: Scene, k: int, j: int) -> Iterator[Why]:
    """What lies between what the channel gives and what its activation takes, from above."""
    network, spot = scene.network, scene.spot(k, j, scene.layer(k).asked)
    yield Why(sentence("why meet" if network.arcs(k) else "why ways"), None)
    for letter in reversed(network.stages[k - 1]):
        if letter == "v" and (into := scene.equations.maps.read_by(k, spot)):
            yield _of_pool(scene, k, into, ("winner", "share"), back=True)
        elif letter == "h" and (picture := masked(scene, k, j)):
            yield Why(sentence("why same mask", scale=scene.scale(k)), picture)
    yield _slope_at(scene, k, spot)


def _kernel(scene: Scene, k: int, j: int) -> Iterator[Why]:
    yield Why(sentence("why kernel"), many_places(scene, k, j))


_OF_STEPS = ("loss", "penalty")  # of no layer
# Where the examples of a batch move each other, the first is told.
_OF_BATCHES = ("norm", "three_ways", "map_norm", "map_ways")
_KINDS: dict[str, Callable[[Scene, int, int], Iterable[Why]]] = {
    "delta": _slope,
    "dz": _slope,
    "dn": _slope,
    "came_back": _slope,
    "gradient": _shared,
    "dW": _product,
    "update": _step,
    "forward": _forward,
    "activation": _activation,
    "z": _says("why z"),
    "window": _window,
    "pool": _pool,
    "dropout": _says("why mask"),
    "shortcut": _says("why shortcut"),
    "loss": _says("why loss"),
    "penalty": _says("why penalty"),
    "norm": _norm,
    "map_norm": _norm,
    "three_ways": _three_ways,
    "map_ways": _three_ways,
    "map_back": _map_back,
    "kernel": _kernel,
}
