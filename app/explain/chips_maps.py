"""What links carry between feature maps: at the place that a moment speaks of, what each channel's window gives, or
sends back through the kernel; and of a kernel's gradients the largest.
"""

from collections.abc import Callable, Mapping

import numpy as np

from app.draw.chips import Chips
from app.draw.maps import sources
from app.explain.faces_maps import came_to, strongest
from app.explain.moments import Moment
from app.explain.scene import Scene
from app.explain.stacks import BACKWARD, LinkWay, Stack, carried_by, chip_of, chosen_of, width_of
from app.words.columns import Columns
from app.words.texts import text
from engine import Quantity
from engine.arrays import Floats
from engine.equation import Equation, Over, Tree, mapped, tree, value
from engine.quantity import bias, weight


def _shares(scene: Scene, of: Tree) -> dict[int, Floats]:
    """By what the outermost letter of a sum stands for, a channel each: what it adds up, an entry an example."""
    letters: dict[str, tuple[int, ...]] = {"n": tuple(range(scene.count))}
    while isinstance(of, Over):
        letters[of.letter], of = of.values, of.body
    each = dict(zip(letters, np.meshgrid(*letters.values(), indexing="ij"), strict=True))
    found = value(mapped(of, lambda q: q.at("n") if q.example == 0 else q), scene.look, each)
    numbers: Floats = np.broadcast_to(found, next(iter(each.values())).shape)
    channels = [*letters.values()][1]
    return dict(zip(channels, numbers.sum(axis=tuple(range(2, numbers.ndim))).T, strict=True))


def _drawn(scene: Scene, targets: Mapping[int, Quantity], shares: Mapping[int, Floats]) -> dict[Quantity, float]:
    """The shares of a batch as the drawing has them: sums on the way back, means forwards."""
    back = any(of.kind in BACKWARD for of in targets.values())
    return {targets[n]: float(share.sum() if back else share.mean()) for n, share in shares.items()}


def _window(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    """A channel's sum at one place: what the kernels over each channel below give, and the bias."""
    maps, spot = scene.equations.maps, strongest(scene.layer(k).z, j)
    shares = _shares(scene, maps.over_window(k, spot, 0))
    targets = {i: Quantity("p", k, (j, i, *spot[1:]), 0) for i in shares}
    alone = scene.count == 1 and "a" in {of.kind for of in moment.targets}
    then = maps.stage(k, "a", spot, 0) if alone else None
    ways = [LinkWay(weight(k, j, i), Equation(of, tree(of))) for i, of in targets.items()]
    names = [text("channel {channel}", channel=i) for i in shares] if k > 1 else [scene.layer_below(k)]
    whole, made = Quantity("z", k, spot, 0), _drawn(scene, targets, shares)
    return Stack(scene, ways, names, whole, [bias(k, j)], then, made).chips


def _back(scene: Scene, moment: Moment, k: int, j: int) -> Chips | None:
    """What comes back to a place of what a channel gives, from each channel above that looked at it, or each unit."""
    network, maps = scene.network, scene.equations.maps
    first, *_, last = came_to(scene, k, strongest(scene.layer(k).asked, j))
    over = maps.from_above(k, first.target.index, 0)
    if first.target.kind != network.back_kind(k) or not isinstance(over, Over):
        return None  # no window above looks at it
    shares = _shares(scene, over)
    targets = {to: Quantity("q", k + 1, (to, *first.target.index), 0) for to in shares}
    ways = [LinkWay(weight(k + 1, to, j), Equation(of, tree(of))) for to, of in targets.items()]
    arcs = [Quantity(network.joint_kind(to), to, first.target.index, 0) for to in network.arcs(k)]
    then = last if scene.count == 1 and first.target.kind == "da" else None
    found = Stack(scene, ways, [], first.target, arcs, then, _drawn(scene, targets, shares)).chips
    return found if sources(scene.trace.spec)[k] else found.without_links


def _kernel(scene: Scene, moment: Moment, k: int, j: int) -> Chips:
    """Of each kernel the gradient that is the largest by size."""
    dW = scene.layer(k).dW[j - 1]
    largest = np.abs(np.nan_to_num(dW)).reshape(len(dW), -1).argmax(axis=1).tolist()
    at = [(i, *(int(n) + 1 for n in np.unravel_index(place, dW.shape[1:]))) for i, place in enumerate(largest, 1)]
    targets = [Quantity("dW", k, (j, *index)) for index in at]
    ways = [LinkWay(weight(k, j, of.source), Equation(of, tree(of))) for of in targets]
    values, columns = np.array([float(scene.look(of)) for of in targets]), Columns(scene.look)
    chips = tuple(chip_of(columns, ways[n]) for n in chosen_of(values))
    return Chips("backward", Quantity("a", k, (j,)), chips, width=width_of("kernel"), carried=carried_by(ways, values))


MAPS: dict[str, Callable[[Scene, Moment, int, int], Chips | None]] = {
    "window": _window,
    "map_back": _back,
    "kernel": _kernel,
}
