"""The equations of a moment that is about many numbers: the units of a layer, the weights of a step.

They come in groups that look alike. A few of each group are shown, the largest, and more of them fold; of a whole pass
the layers before the last fold altogether. A rule that remembers is told in its lines, from memory to weight.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

import numpy as np

from app.explain.moments import Moment
from app.explain.plan import Key, letter_of
from app.explain.scene import UNITS, Known, Scene, of_one
from app.words.columns import ALL, REST, SHOWN, fitted
from app.words.digits import largest
from app.words.names import name_of
from app.words.texts import text
from engine import ACTIVATIONS, OPTIMIZERS, PENALTIES, Network, Quantity
from engine.arrays import Floats, Ints
from engine.equation import Equation, Look, Sum, Tree, mapped, tree, value
from engine.quantity import bias, weight
from engine.session import frozen_mask

MOST = 12  # rows of a group, those that are shown and those that fold


@dataclass(frozen=True)
class Alike:
    """Equations that look alike, by name; `shown` of them at once, the others on a click."""

    told: tuple[tuple[str, Equation], ...]
    shown: int = UNITS


def written_over(of: Quantity) -> Quantity:
    """A number as code has it: memory is written over in its place."""
    return of.like(of.kind.replace("_next_", "_"))


def groups_of(scene: Scene, moment: Moment) -> tuple[list[Alike], Look]:
    """The groups of a moment, and where their numbers are found; none for a moment about single numbers."""
    k, network, look = moment.layer, scene.network, scene.look
    if moment.kind == "penalty":
        return _penalty(scene)
    if moment.phase == "update":
        return _updates(scene, moment) if moment.kind != "penalty_gradient" else ([], look)
    if moment.kind == "gradient" and moment.units and not network.image(k):
        return [_at_unit(scene, k, moment.units[0])], look
    letter = letter_of(network, Key(moment.phase, moment.kind, k)) if moment.phase == "forward" else ""
    made = partial(_stages, letter) if letter else _KINDS.get(moment.kind)
    if made is None or moment.units or (k and network.image(k)):
        return [], look  # a map has too many numbers for rows
    if k in network.norms and moment.kind not in ("gradient", "spread", "dxhat"):
        return [], look  # a normalization is told by itself, step by step
    if k:
        return list(made(scene, k)), look
    if moment.kind not in ("forward", "backward"):
        return [], look
    *others, shown = (list(made(scene, each, True)) for each in range(1, scene.last + 1) if _in_rows(network, each))
    return [*shown, *(Alike(group.told, 0) for groups in others for group in groups)], look


def _penalty(scene: Scene) -> tuple[list[Alike], Look]:
    """What regularization adds: the weights that cost most, and the others together."""
    cost = PENALTIES[scene.trace.spec.regularization].tree
    every = [(k, index) for k in range(1, scene.last + 1) for index in np.ndindex(scene.layer(k).W.shape)]
    numbers = np.concatenate([scene.layer(k).W.ravel() for k in range(1, scene.last + 1)])
    costs: Floats = np.broadcast_to(np.asarray(value(cost, lambda of, at: numbers), float), numbers.size)
    chosen = largest(costs, ALL if len(costs) <= ALL else SHOWN).tolist()
    weights = (Quantity("W", every[n][0], tuple(at + 1 for at in every[n][1])) for n in chosen)
    terms = [mapped(cost, lambda _, of=of: of) for of in weights]  # type: ignore[misc]
    rest = Quantity(REST, 0, (1, len(costs) - len(chosen)))
    terms += [tree(rest)] if len(chosen) < len(costs) else []
    made = Equation(Quantity("penalty"), tree(Quantity("regularization_rate")) * Sum(tuple(terms)))
    return [Alike((("", made),), 1)], Known(scene.look, {rest: float(np.delete(costs, chosen).sum())})


def _in_rows(network: Network, k: int) -> bool:
    """Whether a layer of a whole pass is told in rows: neither maps, nor below them, nor normalized."""
    return not (network.image(k) or k in network.norms or (k < len(network.shapes) and network.image(k + 1)))


def _rows(scene: Scene, k: int, made: Callable[[int], Equation], whole: bool = False) -> Alike:
    """One equation for each unit of a layer."""
    units = range(1, min(scene.sizes[k], MOST) + 1)
    names = ((scene.unit(k, j) if whole else text("unit {unit}", unit=j)) for j in units)
    return Alike(tuple((name, made(j)) for name, j in zip(names, units, strict=True)))


def _stages(letters: str, scene: Scene, k: int, whole: bool = False) -> Iterator[Alike]:
    """What a layer makes, stage after stage; of a whole pass all of its stages."""
    for letter in scene.network.stages[k - 1] if whole else letters:
        yield _rows(scene, k, lambda j, letter=letter: scene.equations.stage(letter, k, j, 0), whole)  # type: ignore[misc]


def _spread(scene: Scene, k: int) -> Iterator[Alike]:
    """The mean and the spread of each unit over the batch; of a layer of one example."""
    own, units = scene.network.norms[k] == "layer_norm", scene.sizes[k]
    for made in (scene.equations.mean, scene.equations.spread):
        group = _rows(scene, k, lambda j, made=made: made(k, j, 0))  # type: ignore[misc]
        yield Alike((("", group.told[0][1]),)) if own else replace(group, shown=min(2, units))


def _dxhat(scene: Scene, k: int) -> Iterator[Alike]:
    yield _rows(scene, k, lambda j: scene.equations.dxhat(k, j, 0))


def _through(scene: Scene, k: int, j: int) -> Equation:
    """dL/da of one unit, with what came back to what stands behind its activation put in."""
    return reduce(lambda inner, outer: fitted(outer, inner), scene.came(k, j)[:-1])


def _da(scene: Scene, k: int, whole: bool = False) -> Iterator[Alike]:
    yield _rows(scene, k, lambda j: _through(scene, k, j), whole)


def _delta(scene: Scene, k: int, whole: bool = False) -> Iterator[Alike]:
    output, of = k == scene.last, scene.equations
    apart = output or ACTIVATIONS[scene.layer(k).activation].product
    if apart and not (output and scene.network.joined):
        yield from _da(scene, k, whole)
    yield _rows(scene, k, lambda j: of.dz(k, j, 0) if apart else fitted(of.dz(k, j, 0), _through(scene, k, j)), whole)


def _gradient(scene: Scene, k: int, whole: bool = False) -> Iterator[Alike]:
    dW = scene.layer(k).dW
    places = [divmod(n, dW.shape[1]) for n in _largest(np.abs(dW).ravel())]
    made = ((j + 1, i + 1, scene.alone(scene.equations.dW(k, j + 1, i + 1))) for j, i in places)
    yield Alike(tuple((name_of(weight(k, j, i)), each) for j, i, each in made))
    biases = (n + 1 for n in _largest(np.abs(scene.layer(k).db)))
    yield Alike(tuple((name_of(bias(k, j)), scene.alone(scene.times_one(scene.equations.db(k, j)))) for j in biases), 1)


def _at_unit(scene: Scene, k: int, j: int) -> Alike:
    """The gradients of all links into a unit, the one that counts most first, and that of its bias."""
    dW, made = scene.layer(k).dW[j - 1], scene.equations
    chosen = sorted(largest(dW, UNITS).tolist(), key=lambda n: -abs(dW[n]))
    told = [(text("from {source}", source=scene.source(k, n + 1)), made.dW(k, j, n + 1)) for n in chosen]
    told.append((text("bias"), scene.times_one(made.db(k, j))))
    return Alike(tuple((name, of_one(scene.alone(each))) for name, each in told), len(told))


def _largest(sizes: Any) -> Sequence[int]:
    found: Ints = np.argsort(-sizes, kind="stable")[:MOST]
    return found.tolist()  # type: ignore[no-any-return]


def _back(scene: Scene, k: int, whole: bool = False) -> Iterator[Alike]:
    yield from _delta(scene, k, whole)
    yield from _gradient(scene, k, whole)


def _updates(scene: Scene, moment: Moment) -> tuple[list[Alike], Look]:
    """The rule about the parameters that it moves most, a group a line."""
    spec = scene.trace.spec
    optimizer = OPTIMIZERS[spec.optimizer]
    held = frozen_mask(spec)
    chosen = [each for each in _moved(scene, moment) if not held[spec.network.locate(str(each[1]))]]
    if optimizer.search or not chosen:
        return [], scene.look
    made = dict[Quantity, float]()
    look = Known(scene.look, made)
    lines = [(name, list(_lines(scene, of, look, made))) for name, of in chosen]
    count = len(lines[0][1])
    shown = 1 if count > 1 else UNITS + 2  # with one that would be left out alone, and the bias
    rows = [[(name, of[min(n, len(of) - 1)]) for name, of in lines if n < len(of)] for n in range(count)]
    return [Alike(tuple(_once(each) if n else each), shown) for n, each in enumerate(rows)], look


def _once(rows: Sequence[tuple[str, Equation]]) -> list[tuple[str, Equation]]:
    """The next line of a rule: whose it is stands before the first."""
    return [("", rows[0][1]), *rows[1:]]


def _moved(scene: Scene, moment: Moment) -> list[tuple[str, Quantity]]:
    """The parameters of a moment by name, those that move most first; of a unit its bias last."""
    k, units = moment.layer, moment.units
    if moment.kind != "update":
        of = moment.targets[0]
        return [(name_of(of), of)]
    layers = [k] if k else range(1, scene.last + 1)
    found = []
    for each in layers:
        layer = scene.layer(each)
        moved = np.abs(layer.W_next - layer.W)
        for j in units or range(1, scene.sizes[each] + 1):
            own = moved[j - 1]
            for i in _largest(own.ravel()):
                index = (j, *(int(at) + 1 for at in np.unravel_index(i, own.shape)))
                found.append((float(own.ravel()[i]), Quantity("W", each, index)))
    found = sorted(found, key=lambda pair: -pair[0])[: UNITS if units and len(found) > UNITS + 1 else MOST]
    if units:
        named = [(_from(scene, of), of) for _, of in found]
        return [*named, (text("bias"), bias(k, units[0]))]
    return [(name_of(of), of) for _, of in found]


def _from(scene: Scene, of: Quantity) -> str:
    """Where a weight comes from, of a kernel by its name."""
    return name_of(of) if len(of.index) > 2 else text("from {source}", source=scene.source(of.layer, of.source))


def _lines(scene: Scene, of: Quantity, look: Look, made: dict[Quantity, float]) -> Iterator[Equation]:
    """The lines of the rule about one parameter: of one line, with what regularization adds put in; of more, what they
    remember has a name of its own from there on, and what is only named on the way is put in."""
    lines, slots = list(scene.equations.update(of)), OPTIMIZERS[scene.trace.spec.optimizer].slots
    pulled = scene.equations.pulled(of.layer, *of.index) if scene.equations.gradient(of).kind == "gW" else None
    if not slots:
        yield fitted(lines[0], pulled) if pulled else lines[0]
        return
    if pulled:
        yield pulled
    later: dict[Quantity, Quantity | Tree] = {}
    memory = {of.like(f"{slot}_{of.kind}"): of.like(f"{slot}_next_{of.kind}") for slot in slots}
    for line in lines[:-1]:
        inner = mapped(line.tree, lambda q: later.get(q, q))
        if line.target in memory:
            after = later[line.target] = memory[line.target]
            made[after] = float(value(inner, look))
            yield Equation(after, inner)
        else:
            later[of if line.target.kind == f"{of.kind}_next" else line.target] = inner
    yield Equation(lines[-1].target, mapped(lines[-1].tree, lambda q: later.get(q, q)))


_KINDS: dict[str, Callable[..., Iterator[Alike]]] = {
    "forward": partial(_stages, "za"),
    "activation": partial(_stages, "a"),
    "spread": _spread,
    "dxhat": _dxhat,
    "da": _da,
    "delta": _delta,
    "gradient": _gradient,
    "backward": _back,
}
