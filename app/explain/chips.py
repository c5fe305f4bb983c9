"""What the lit links of a moment carry, and how it adds up at their unit: made of the moment's own equations."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from app.draw.chips import Chips
from app.draw.drawing import LONGEST
from app.explain.chips_maps import MAPS
from app.explain.moments import Moment
from app.explain.scene import Scene
from app.explain.stacks import BatchLook, LinkWay, Stack, carried_by, chip_of, chosen_of, width_of
from app.words.columns import Columns
from app.words.names import shortened
from engine import Quantity
from engine.equation import Equation, Tree, mapped, tree
from engine.quantity import bias, weight


def chips_of(scene: Scene, moment: Moment) -> Chips | None:
    """The chips of a moment that adds up products; None for any other."""
    made = (MAPS if scene.network.image(moment.layer) else _KINDS).get(moment.kind)
    if made is None or not moment.units:
        return None
    with np.errstate(all="ignore"):
        return made(scene, moment, moment.layer, moment.units[0])


def _forward(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    made = scene.equations
    ways = [LinkWay(weight(k, j, i), made.product(k, j, i, 0)) for i in range(1, scene.links(k) + 1)]
    source = scene.short_input if k == 1 else partial(scene.source, k)
    names = shortened(tuple(map(source, range(1, len(ways) + 1))), LONGEST)
    whole = Quantity("s" if moment.kind == "sum" else "z", k, (j,), 0)
    more = [] if moment.kind == "sum" else [bias(k, j)]
    then = made.a(k, j, 0) if moment.kind == "forward" and scene.count == 1 else None
    return Stack(scene, ways, names, whole, more, then).chips


def _back(scene: Scene, moment: Moment, k: int, j: int) -> Chips | None:
    network = scene.network
    whole, slope = Quantity(network.back_kind(k), k, (j,), 0), Quantity("slope", k, (j,), 0)
    dropped = k in network.dropouts
    if k == scene.last or (dropped and moment.kind == "da"):  # that is the sum through the mask
        return None
    if network.image(k + 1):
        return None
    together = moment.kind in ("delta", "came_back") and scene.count == 1 and not dropped
    then = Equation(whole.like(f"d{network.bent_kind(k)}"), tree(whole) * tree(slope)) if together else None
    made, above = scene.equations, range(1, scene.sizes[k + 1] + 1)
    ways = [LinkWay(weight(k + 1, to, j), made.product_back(k + 1, to, j, 0)) for to in above]
    arcs = [Quantity(network.joint_kind(to), to, (j,), 0) for to in network.arcs(k)]
    return Stack(scene, ways, [], whole, arcs, then).chips


def _gradient(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    sources = [moment.targets[0].source] if moment.kind == "dW" else range(1, scene.links(k) + 1)
    ways = [LinkWay(weight(k, j, i), scene.alone(scene.equations.dW(k, j, i))) for i in sources]
    columns, values = Columns(scene.look), np.array([float(scene.look(way.made.target)) for way in ways])
    chips = tuple(
        chip_of(columns, replace(way, made=replace(way.made, tree=_told(scene, way.made))))
        for way in (ways[n] for n in chosen_of(values))
    )
    return Chips(
        "backward", Quantity("a", k, (j,)), chips, width=width_of("gradient"), carried=carried_by(ways, values)
    )


def _told(scene: Scene, of: Equation) -> Tree:
    """The product of one example; of a batch nothing but the sum."""
    if scene.count > 1:
        return tree(of.target)
    return mapped(of.tree, lambda q: q.at(0) if q.example == "n" else q)


def _product(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    """One link by itself."""
    of, back = moment.targets[0], moment.kind == "product_back"
    made = scene.equations.product_back if back else scene.equations.product
    way = LinkWay(of.like("W"), made(k, j, of.source, 0))
    look = BatchLook(scene)
    chip = chip_of(Columns(look), way)
    tone = "backward" if back else "forward"
    carried = {way.link.svg_id: chip.result.value}
    return Chips(tone, Quantity("a", k, (j,)), (chip,), width=width_of(tone), carried=carried)


_KINDS: dict[str, Callable[[Scene, Moment, int, int], Chips | None]] = {
    "product": _product,
    "product_back": _product,
    "sum": _forward,
    "z": _forward,
    "forward": _forward,
    "dh": _back,
    "da": _back,
    "delta": _back,
    "came_back": _back,
    "gradient": _gradient,
    "dW": _gradient,
}
