"""What the lit links of a moment carry, and how it adds up at their unit: made of the moment's own equations.

Between feature maps it is what happens at the place that the moment speaks of, a kernel a link.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from app.draw.chips import Chips
from app.draw.drawing import LONGEST
from app.draw.maps import flattens, sources
from app.explain.moments import Moment
from app.explain.scene import Scene, of_one
from app.explain.stacks import Stack, bare, by_themselves
from app.words.names import shortened
from app.words.texts import text
from engine import Quantity
from engine.equation import Equation, tree
from engine.quantity import bias


def chips_of(scene: Scene, moment: Moment) -> Chips | None:
    """The chips of a moment that adds up products; None for any other."""
    made = _KINDS.get(moment.kind)
    if made is None and moment.phase == "backward" and moment.kind == scene.network.back_kind(moment.layer):
        made = _back
    if made is None or not moment.units:
        return None
    with np.errstate(all="ignore"):
        return made(scene, moment, moment.layer, moment.units[0])


def _forward(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    made = scene.equations
    ways = [made.product(k, j, i, 0) for i in range(1, scene.links(k) + 1)]
    source = scene.short_input if k == 1 else partial(scene.source, k)
    names = shortened(tuple(map(source, range(1, len(ways) + 1))), LONGEST)
    whole = Quantity("s" if moment.kind == "sum" else "z", k, (j,), 0)
    more = [] if moment.kind == "sum" else [bias(k, j)]
    then = made.a(k, j, 0) if moment.kind == "forward" and scene.count == 1 else None
    return Stack(scene, ways, names, whole, more, then).chips


def _window(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    """A channel's sum at one place: what the kernels over each channel below give, and the bias."""
    z, *then = _equations(moment)
    below = range(1, scene.equations.maps.node(k).takes[0] + 1)
    ways = [bare(Quantity("p", k, (j, i, *z.target.index[1:]), 0)) for i in below]
    names = [text("channel {channel}", channel=i) for i in below] if k > 1 else [scene.layer_below(k)]
    return Stack(scene, ways, names, z.target, [bias(k, j)], then[0] if then and scene.count == 1 else None).chips


def _back(scene: Scene, moment: Moment, k: int, j: int) -> Chips | None:
    """What comes back to a unit, or to a place of what a channel gives, from each unit or channel above."""
    network, made, above = scene.network, scene.equations, range(1, scene.sizes[min(k + 1, scene.last)] + 1)
    if network.image(k):
        first, *_, last = _equations(moment)
        whole = first.target
        if whole.kind != network.back_kind(k):
            return None  # no window of the pool looks at it
        ways = [bare(Quantity("q", k + 1, (to, *whole.index), 0)) for to in above]
        then = last if scene.count == 1 and whole.kind == "da" else None
    else:
        behind = network.behind(k)
        if k == scene.last or (behind and moment.kind == "da") or network.image(k + 1):
            return None  # that is what came back through what stands behind the activation
        whole, slope = Quantity(network.back_kind(k), k, (j,), 0), Quantity("slope", k, (j,), 0)
        ways = [made.product_back(k + 1, to, j, 0) for to in above]
        together = moment.kind in ("delta", "came_back") and scene.count == 1 and not behind
        then = Equation(whole.like(f"d{network.bent_kind(k)}"), tree(whole) * tree(slope)) if together else None
    arcs = [Quantity(network.joint_kind(to), to, whole.index, 0) for to in network.arcs(k)]
    found = Stack(scene, ways, [], whole, arcs, then).chips
    return found if sources(scene.trace.spec.network)[k] else found.without_links


def _gradient(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    """The gradients of the links into a unit, of one example as products; of each kernel the largest."""
    if not scene.network.image(k):
        chosen = [moment.targets[0].source] if moment.kind == "dW" else range(1, scene.links(k) + 1)
        of = [scene.alone(scene.equations.dW(k, j, i)) for i in chosen]
        ways = [of_one(each) if scene.count == 1 else bare(each.target) for each in of]
    elif moment.kind == "dW":
        ways = [bare(_equations(moment)[0].target)]
    else:
        dW = np.abs(np.nan_to_num(scene.layer(k).dW[j - 1]))
        largest = dW.reshape(len(dW), -1).argmax(axis=1)
        at = ((i, *(int(n) + 1 for n in np.unravel_index(place, dW.shape[1:]))) for i, place in enumerate(largest, 1))
        ways = [bare(Quantity("dW", k, (j, *index))) for index in at]
    width = "kernel" if scene.network.image(k) else "gradient"
    return by_themselves(scene, Quantity("a", k, (j,)), ways, width)


def _product(scene: Scene, moment: Moment, k: int, j: int) -> Chips | None:
    """What one link carries, or one kernel at a place."""
    if flattens(scene.network, k):
        return None  # no link is drawn that carries it
    (made,) = _equations(moment)
    way = bare(made.target) if scene.network.image(k) else made
    return by_themselves(scene, Quantity("a", k, (j,)), [way])


def _equations(moment: Moment) -> list[Equation]:
    return [each for each in moment.formulas if isinstance(each, Equation)]


_KINDS: dict[str, Callable[[Scene, Moment, int, int], Chips | None]] = {
    "product": _product,
    "product_back": _product,
    "sum": _forward,
    "z": _forward,
    "forward": _forward,
    "window": _window,
    "da": _back,
    "delta": _back,
    "came_back": _back,
    "map_back": _back,
    "gradient": _gradient,
    "kernel": _gradient,
    "dW": _gradient,
}
