"""Why a moment does what it does: one sentence, and a small picture made of the moment's own numbers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

import numpy as np

from app.draw.charts import path
from app.explain.fans import Fan, shared, ways_back
from app.explain.moments import Moment
from app.explain.scene import Scene
from app.words.numbers import fixed_signed
from app.words.segments import Segments
from app.words.sentences import Sentence, lower, said, sentence
from engine import ACTIVATIONS, LOSSES, OPTIMIZERS, Quantity
from engine.arrays import Floats
from engine.quantity import unit, weight

SIDE, POINTS = 120.0, 61
NUDGE = 0.01


@dataclass(frozen=True)
class Picture:
    """Curves and points in a square of SIDE: `curve` what is so, `line` what is drawn to it, `point` where one is."""

    kind: Literal["tangent", "product", "step"]
    curve: str
    line: str
    point: tuple[float, float]
    labels: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class Why:
    """One reason: the sentence and the picture."""

    sentence: Sentence
    picture: Picture | Fan | None

    @property
    def words(self) -> Segments:
        """The sentence in words."""
        return said(self.sentence)


def why_of(scene: Scene, moment: Moment) -> tuple[Why, ...]:
    """Why, of the one example that is shown; none where there is nothing to say beyond the moment itself."""
    if scene.count > 1 or (not moment.layer and moment.kind != "loss"):
        return ()
    if moment.phase == "update" and OPTIMIZERS[scene.trace.spec.optimizer].search:
        return ()
    told = _KINDS.get(moment.kind)
    with np.errstate(all="ignore"):
        own = told(scene, moment.layer or scene.last, moment.units[0] if moment.units else 0) if told else None
        return tuple(each for each in (_ways(scene, moment), own) if each)


def _ways(scene: Scene, moment: Moment) -> Why | None:
    """That what comes back over all links adds up, where there are links that it comes back over."""
    fan = ways_back(scene, moment) if moment.kind in ("delta", "da", "dh") else None
    return Why(sentence("why ways"), fan) if fan else None


def _shared(scene: Scene, k: int, j: int) -> Why | None:
    return Why(sentence("why shared", unit=scene.unit(k, j)), shared(scene, k, j)) if j else None


def _slope(scene: Scene, k: int, j: int) -> Why | None:
    network, entry = scene.trace.spec.network, ACTIVATIONS[scene.layer(k).activation]
    if k == scene.last and network.joined:
        return Why(sentence("why joined", loss=lower(LOSSES[scene.trace.spec.loss].title)), None)
    if entry.product or not j:
        return None
    slope = float(scene.look(Quantity("slope", k, (j,), 0)))
    bent = network.bent_kind(k)
    z, a = (float(scene.look(Quantity(kind, k, (j,), 0))) for kind in (bent, "a"))
    told = sentence("why slope", function=lower(entry.title), bent=bent, nudge=NUDGE, moved=slope * NUDGE, share=slope)
    return Why(told, _tangent(entry.forward, z, a, slope))


def _tangent(function: Callable[..., object], z: float, a: float, slope: float) -> Picture | None:
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
    labels = ((6.0, 14.0, f"slope {fixed_signed(slope)}"),)
    curve, line = path(*place(zs[0], values[0])), path(*place(tangent, a + slope * (tangent - z)))
    return Picture("tangent", curve, line, (float(at[0][0]), float(at[1][0])), labels)


def _product(scene: Scene, k: int, j: int) -> Why | None:
    if not j:
        return None
    dW = scene.layer(k).dW[j - 1]
    i = int(np.abs(dW).argmax()) + 1
    a, dz = float(scene.below(k)[0, i - 1]), float(scene.layer(k).dz[0, j - 1])
    told = sentence("why product", unit=scene.unit(k, j), source=scene.source(k, i), a=a, moved=a * NUDGE, nudge=NUDGE)
    most = max(abs(a), abs(dz), 1e-12)
    if not isfinite(most):
        return Why(told, None)
    width, height = (max(4.0, 84 * abs(each) / most) for each in (a, dz))
    box = f"M26 96V{96 - height:.1f}H{26 + width:.1f}V96Z"
    labels = ((26.0, 112.0, f"a {fixed_signed(a)}"), (4.0, max(10.0, 92 - height), f"δ {fixed_signed(dz)}"))
    return Why(told, Picture("product", box, "", (26 + width, 96 - height), labels))


def _step(scene: Scene, k: int, j: int) -> Why | None:
    """Only where the step is the gradient's alone: no memory, no penalty, nothing that is held."""
    spec = scene.trace.spec
    if not j or OPTIMIZERS[spec.optimizer].slots or spec.penalized or spec.frozen:
        return None
    layer = scene.layer(k)
    i = int(np.abs(layer.dW[j - 1]).argmax()) + 1
    gradient = float(scene.look(weight(k, j, i).like("dW")))
    return Why(sentence("why step", source=scene.source(k, i), gradient=gradient), None)


def _forward(scene: Scene, k: int, j: int) -> Why | None:
    entry = ACTIVATIONS[scene.layer(k).activation]
    if not j or entry.product:
        return None
    bent = scene.trace.spec.network.bent_kind(k)
    z, a = (float(scene.look(of.at(0))) for of in (unit(k, j).like(bent), unit(k, j)))
    slope = float(scene.look(Quantity("slope", k, (j,), 0)))
    told = sentence("why forward", function=lower(entry.title))
    found = _tangent(entry.forward, z, a, slope)
    labels = ((6.0, 14.0, f"a {fixed_signed(a)}"),)
    return Why(told, replace(found, line="", labels=labels) if found else None)


def _loss(scene: Scene, k: int, j: int) -> Why | None:
    return Why(sentence("why loss"), None)


_KINDS: dict[str, Callable[[Scene, int, int], Why | None]] = {
    "delta": _slope, "dz": _slope, "dn": _slope, "came_back": _slope,
    "gradient": _shared, "dW": _product, "update": _step, "forward": _forward,
    "activation": _forward, "loss": _loss,
}  # fmt: skip
