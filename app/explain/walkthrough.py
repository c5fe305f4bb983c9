"""A trace as a list of moments in computing order: the pure function behind the walkthrough.

The list is lazy: its length and what every moment computes are known at once, a moment is written when it is asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from functools import cached_property
from itertools import groupby, product
from operator import attrgetter
from typing import overload

import numpy as np

from app.draw.diagram import LABELLED_ROWS, LINKS_AT_MOST
from app.draw.maps import flattens, is_told, sources
from app.draw.pictures import IMAGE
from app.explain.faces import face_of
from app.explain.moments import GRAINS, Moment, Phase
from app.explain.plan import Key, Plan, letter_of, plan_of
from app.explain.scene import Scene, is_first
from app.words.sentences import in_words, sentence
from engine import OPTIMIZERS, Network, Quantity, SpecError, Trace
from engine.equation import code_name
from engine.operations import kinds_behind
from engine.program import Program, program
from engine.quantity import PARAMETERS, bias, unit, weight
from engine.wording import Words


class Walkthrough(Sequence[Moment]):
    """The moments of one step. Compares by identity; its trace and plan are values."""

    def __init__(self, trace: Trace, plan: Plan, chosen: tuple[Quantity, ...] = ()) -> None:
        self.trace, self.plan = trace, plan
        self.scene = Scene(trace, chosen)
        self._written: dict[int, Moment] = {}

    def __len__(self) -> int:
        return len(self.plan.keys)

    def __iter__(self) -> Iterator[Moment]:
        """Every moment; what fails in one is an error, and not taken for the end."""
        return map(self.__getitem__, range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Moment: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Moment, ...]: ...
    def __getitem__(self, index: int | slice) -> Moment | tuple[Moment, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(f"moment {index} of {len(self)}")
        index %= len(self)
        if index not in self._written:
            opens = any(index == first for _, first, _ in self.phases)
            self._written[index] = _moment(self.scene, self.program, self.plan.keys[index], index, opens)
        return self._written[index]

    @cached_property
    def program(self) -> Program:
        """The step as a NumPy program; each moment's `code_line` is a line of it."""
        return program(self.trace)

    def code_lines(self, moment: Moment) -> frozenset[int]:
        """Every line of the program that computes something of a moment."""
        update = moment.phase == "update"
        kinds = {each: f"{each}_next" for each in PARAMETERS} if update else {"p": "z", "s": "z"}
        names = {code_name(of.like(kinds.get(of.kind, of.kind))) for of in moment.targets}
        return frozenset({moment.code_line, *(self.program.line_of(name) for name in names & set(self.program.places))})

    @cached_property
    def phases(self) -> tuple[tuple[Phase, int, int], ...]:
        """(phase, index of its first moment, how many it has), in order: the parts of the bar."""
        found, start = [], 0
        for phase, keys in groupby(self.plan.keys, key=attrgetter("phase")):
            count = len(list(keys))
            found.append((phase, start, count))
            start += count
        return tuple(found)

    @property
    def collapsed(self) -> str:
        """One sentence if some layer is told more coarsely than was asked, else ""."""
        told = tuple(
            sentence({"unit": "by units", "layer": "by layer"}[self.plan.grains[k - 1]], layer=self.scene.layer_name(k))
            for k in self.plan.collapsed
        )
        return in_words("collapsed", layers=told) if told else ""


def walkthrough(trace: Trace, granularity: str = "unit", chosen: tuple[Quantity, ...] = ()) -> Walkthrough:
    """The moments of the trace's step, in computing order; SpecError for another granularity.

    Operation: each product, sum, bias, activation, gradient, parameter. Unit and layer take these together; pass has
    one moment each for forward, loss, backward and update. At every grain the last moment runs the model again. Of
    feature maps operation tells one place of each channel, and one weight of each kernel: what is `chosen` there, else
    the largest.
    """
    for of in chosen:
        if not is_told(trace.spec.network, of):
            form: Words = "a place of a feature map, a<layer>.<channel>.<row>.<column>, or a weight of a kernel"
            none: Words = "left out: this network has no feature maps"
            raise SpecError("place", str(of), form if trace.spec.network.has_images else none)
    for grain in GRAINS:
        if grain == granularity:
            return Walkthrough(trace, plan_of(trace.spec, grain), chosen)
    raise SpecError("granularity", granularity, "one of: {grains}", grains=", ".join(GRAINS))


def known(moments: Walkthrough, index: int) -> frozenset[Quantity]:
    """What is computed up to and including moment `index`; nothing before the first, for -1."""
    network, keys = moments.trace.spec.network, moments.plan.keys[: index + 1]
    return frozenset(target for key in keys for target in targets_of(key, network))


def targets_of(key: Key, network: Network) -> tuple[Quantity, ...]:
    """The quantities that a moment computes."""
    _, kind, k, j, i = key
    last = len(network.shapes)
    if not k and kind in ("forward", "backward", "update"):
        own = tuple(of for layer in range(1, last + 1) for of in targets_of(key._replace(layer=layer), network))
        return own + (_after(network) if kind == "forward" else ())
    if kind == "delta" and k == last and network.joined and j:
        return Quantity("da", k, (j,)), Quantity("dz", k, (j,))
    place = (j, i) if i else (j,) if j else ()
    shared = _shared(network, k, j) if kind == "map_norm" else ()
    names = (*_before(network, key), *_names(network, key))
    return (*shared, *(Quantity(name, k, place) for name in names))


def _names(network: Network, key: Key) -> tuple[str, ...]:
    """What a moment computes of a layer, with what its normalization has besides."""
    kind, normed = key.kind, key.layer in network.norms
    if kind not in _COMPUTES:
        return (letter_of(network, key),) if key.phase == "forward" else (kind,)
    if kind == "gradient" and key.unit:  # gains have a moment of theirs
        return _COMPUTES[kind]
    return _NORMED[kind] if normed and kind in _NORMED else _COMPUTES[kind]


def _shared(network: Network, k: int, j: int) -> tuple[Quantity, ...]:
    """The mean and the spread that a channel is normalized by."""
    place = () if network.norms[k] == "layer_norm" else (j,)
    return Quantity("mean", k, place), Quantity("spread", k, place)


def _before(network: Network, key: Key) -> tuple[str, ...]:
    """What a moment of a layer's dL/da computes first: what comes back to what stands behind the activation."""
    if key.kind not in ("delta", "came_back", "map_back", "backward", *(() if key.unit else ("da",))):
        return ()
    return tuple(f"d{letter}" for letter in reversed(network.behind(key.layer)))


def _after(network: Network) -> tuple[Quantity, ...]:
    """What layers make of their activations, in the table's order."""
    layers = range(1, len(network.shapes) + 1)
    return tuple(Quantity(kind, k) for kind in kinds_behind() for k in layers if kind in network.attached(k))


_AHEAD, _WAYS = ("mean", "spread", "xhat", "n"), ("dz_own", "dz_mean", "dz_spread", "dz")
_COMPUTES = {
    "inputs": ("a",),
    "product": ("p",),
    "sum": ("s",),
    "bias": ("z",),
    "z": ("z",),
    "window": ("z", "a"),
    "spread": ("mean", "spread"),
    "norm": ("xhat", "n"),
    "map_norm": ("xhat", "n", "a"),
    "activation": ("a",),
    "forward": ("z", "a"),
    "loss": ("loss",),
    "penalty": ("penalty",),
    "product_back": ("q",),
    "da": ("da",),
    "dn": ("dn",),
    "dz": ("dz",),
    "delta": ("da", "dz"),
    "came_back": ("da", "dn"),
    "gains": ("dgamma", "dbeta"),
    "dxhat": ("dxhat",),
    "three_ways": _WAYS,
    "map_back": ("da", "dz"),
    "map_ways": _WAYS,
    "dW": ("dW",),
    "db": ("db",),
    "gradient": ("dW", "db"),
    "kernel": ("dW", "db"),
    "backward": ("da", "dz", "dW", "db"),
    "penalty_gradient": ("dR",),
    "update_weight": ("W",),
    "update_bias": ("b",),
    "update_gain": ("gamma",),
    "update_shift": ("beta",),
    "update": ("W", "b"),
    "again": ("loss_next",),
}
_NORMED = {  # behind a normalization
    "window": ("z",),
    "forward": ("z", *_AHEAD, "a"),
    "map_back": ("da", "dn", "dxhat"),
    "delta": ("da", "dn", "dxhat", *_WAYS),
    "gradient": ("dW", "db", "dgamma", "dbeta"),
    "kernel": ("dW", "db", "dgamma", "dbeta"),
    "backward": ("da", "dn", "dxhat", *_WAYS, "dW", "db", "dgamma", "dbeta"),
    "update": PARAMETERS,
}


def _moment(scene: Scene, code: Program, key: Key, index: int, opens: bool) -> Moment:
    """The moment of a key; `opens` if it is the first of its phase."""
    with np.errstate(all="ignore"):  # a run that diverges is looked at as well
        face = face_of(scene, key)
    network = scene.network
    if OPTIMIZERS[scene.trace.spec.optimizer].search and key.phase == "backward" and opens:
        face = replace(face, sentences=(*face.sentences, sentence("to compare")))
    if scene.count > 1 and key.unit and any(map(is_first, face.formulas)):
        told = sentence("below", example=int(scene.trace.examples[0]))
        face = replace(face, sentences=(*face.sentences, told))
    line = code.line_of(*face.line_of)
    return Moment(
        **{each.name: getattr(face, each.name) for each in fields(face)},
        index=index,
        phase=key.phase,
        kind=key.kind,
        layer=key.layer,
        units=(key.unit,) if key.unit else (),
        targets=targets_of(key, network),
        focus=_focus(scene, key),
        nodes=_nodes(scene, key),
        links=_links(scene, key),
        code_line=line,
        code=code.lines[line - 1].strip(),
    )


def _focus(scene: Scene, key: Key) -> str | None:
    _, kind, k, j, i = key
    if i and scene.network.image(k):
        return str(Quantity("W", k, scene.kernel_place(k, j, i)))
    if i and not flattens(scene.network, k):
        return str(weight(k, j, i))
    if kind in _AT_GAIN:
        return str(Quantity(_AT_GAIN[kind], k, (j,)))
    return str(bias(k, j) if kind in _AT_BIAS else unit(k, j)) if j else None


_AT_BIAS = ("bias", "db", "update_bias")
_AT_GAIN = {"gains": "gamma", "update_gain": "gamma", "update_shift": "beta"}
_INSIDE = {"activation", "spread", "norm", "map_norm"}  # of units
_INSIDE |= {"dz", "dn", "dxhat", "three_ways", "map_ways", *_AT_GAIN}
_OVER_LINKS = ("da", "delta", "came_back", "map_back")  # what comes back over a hidden unit's outgoing links


def _nodes(scene: Scene, key: Key) -> tuple[str, ...]:
    """The nodes that a moment lights: its unit and, on a link, the unit at the other end; a whole layer by its id."""
    _, kind, k, j, i = key
    if kind == "shortcut":
        source = scene.network.shortcuts[k]
        ends = [unit(k, j), unit(source, j)] if j else [Quantity("a", k), Quantity("a", source)]
    elif j:
        picture = k == 1 and scene.network.image(1)  # one node for all pixels
        ends = [unit(k, j), *([bias(k, j)] if kind in _AT_BIAS else [])]
        ends += [unit(k - 1, 0 if picture else i)] if i else []
    elif kind in ("loss", "penalty"):
        ends = [Quantity("a", scene.last)]
    else:
        ends = [Quantity("a", layer) for layer in ([k] if k or kind == "inputs" else range(scene.last + 1))]
    return tuple(end.svg_id for end in ends)


def _links(scene: Scene, key: Key) -> tuple[str, ...]:
    """The links that a moment lights; none of a layer that is too wide to draw them."""
    _, kind, k, j, i = key
    if k == 0 or kind in (*_AT_BIAS, *_INSIDE):
        return ()
    if kind == "shortcut":
        return (_arc(scene, k, j),)
    letter = letter_of(scene.network, key)
    if letter and kind != scene.network.back_kind(k):
        return ()  # it stays within the layer
    above = kind in _OVER_LINKS or bool(letter)
    into = k + above
    arcs = tuple(_arc(scene, to, j) for to in scene.network.arcs(k)) if above else ()
    if into > scene.last or not _drawn(scene, into):
        return arcs
    own = (j,) if j else range(1, scene.sizes[k] + 1)
    each = sources(scene.trace.spec.network)[into - 1]
    others = (i,) if i else range(1, (scene.sizes[k + 1] if above else each) + 1)
    return arcs + tuple(weight(into, *(pair[::-1] if above else pair)).svg_id for pair in product(own, others))


def _arc(scene: Scene, k: int, j: int) -> str:
    """The arc that ends at a unit, or the one that stands for all of its layer's."""
    shown = scene.sizes if scene.trace.spec.raw_inputs != IMAGE**2 else scene.sizes[1:]
    return f"arc-{k}-{j if max(shown) <= LABELLED_ROWS else 0}"


def _drawn(scene: Scene, k: int) -> bool:
    return 0 < scene.sizes[k] * sources(scene.trace.spec.network)[k - 1] <= LINKS_AT_MOST
