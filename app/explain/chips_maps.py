"""What links carry between feature maps: at the place that a moment speaks of, what each channel's window gives, or
sends back through the kernel; and of a kernel's gradients the largest.
"""

from collections.abc import Callable

import numpy as np

from app.draw.chips import Chips
from app.draw.maps import sources
from app.explain.faces_maps import came_to, sent_to
from app.explain.moments import Moment
from app.explain.scene import Scene
from app.explain.stacks import BatchLook, LinkWay, Stack, carried_by, chip_of, chosen_of, width_of
from app.words.columns import Columns
from app.words.texts import text
from engine import Quantity
from engine.equation import Equation, tree
from engine.quantity import bias, weight


def _link(of: Quantity) -> LinkWay:
    """A link by what it carries, whatever that is made of."""
    return LinkWay(weight(of.layer, of.unit, of.source), Equation(of, tree(of)))


def _window(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    """A channel's sum at one place: what the kernels over each channel below give, and the bias."""
    maps, spot = scene.equations.maps, scene.spot(k, j, scene.layer(k).z)
    below = range(1, maps.node(k).takes[0] + 1)
    alone = scene.count == 1 and "a" in {of.kind for of in moment.targets}
    then = scene.equations.a(k, spot, 0) if alone else None
    ways = [_link(Quantity("p", k, (j, i, *spot[1:]), 0)) for i in below]
    names = [text("channel {channel}", channel=i) for i in below] if k > 1 else [scene.layer_below(k)]
    return Stack(scene, ways, names, Quantity("z", k, spot, 0), [bias(k, j)], then).chips


def _back(scene: Scene, moment: Moment, k: int, j: int) -> Chips | None:
    """What comes back to a place of what a channel gives, from each channel above that looked at it, or each unit."""
    network = scene.network
    first, *_, last = came_to(scene, k, scene.spot(k, j, scene.layer(k).asked))
    if first.target.kind != network.back_kind(k):
        return None  # no window of the pool looks at it
    ways = [_link(Quantity("q", k + 1, (to, *first.target.index), 0)) for to in range(1, scene.sizes[k + 1] + 1)]
    arcs = [Quantity(network.joint_kind(to), to, first.target.index, 0) for to in network.arcs(k)]
    then = last if scene.count == 1 and first.target.kind == "da" else None
    found = Stack(scene, ways, [], first.target, arcs, then).chips
    return found if sources(scene.trace.spec)[k] else found.without_links


def _kernel(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    """Of each kernel the gradient that is the largest by size."""
    dW = scene.layer(k).dW[j - 1]
    largest = np.abs(np.nan_to_num(dW)).reshape(len(dW), -1).argmax(axis=1).tolist()
    at = [(i, *(int(n) + 1 for n in np.unravel_index(place, dW.shape[1:]))) for i, place in enumerate(largest, 1)]
    ways, columns = [_link(Quantity("dW", k, (j, *index))) for index in at], Columns(scene.look)
    values = np.array([float(scene.look(way.made.target)) for way in ways])
    chips = tuple(chip_of(columns, ways[n]) for n in chosen_of(values))
    return Chips("backward", Quantity("a", k, (j,)), chips, width=width_of("kernel"), carried=carried_by(ways, values))


def _alone(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    """One kernel's share by itself, or the gradient of one of its weights."""
    kind, source = moment.kind, moment.targets[0].source
    at = scene.spot(k, j, scene.layer(k).z) if kind == "product" else sent_to(scene, k - 1, source) if k > 1 else ()
    of = Quantity("p" if kind == "product" else "q", k, (j, source, *at[1:]), 0)
    of = Quantity("dW", k, scene.kernel_place(k, j, source)) if kind == "dW" else of
    tone, way = "forward" if kind == "product" else "backward", _link(of)
    chip = chip_of(Columns(BatchLook(scene)), way)
    carried = {way.link.svg_id: chip.result.value}
    width = width_of("kernel" if kind == "dW" else tone)
    return Chips(tone, Quantity("a", k, (j,)), (chip,), width=width, carried=carried)


MAPS: dict[str, Callable[[Scene, Moment, int, int], Chips | None]] = {
    "product": _alone,
    "product_back": _alone,
    "dW": _alone,
    "window": _window,
    "map_back": _back,
    "kernel": _kernel,
}
