"""From a trace to the filled-in drawing of the network: the skeleton of its architecture, and its values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from app.draw import pools
from app.draw.captions import captions, explained
from app.draw.charts import path
from app.draw.chips import Box, boxes_taken, drawn
from app.draw.diagram import Art, Diagram, Layer, Size, Space, curve, layout
from app.draw.kernels import NONE, on_links, on_maps, picture_of
from app.draw.lens import Shown, shown, widths
from app.draw.maps import map_sprite, sources, sums
from app.draw.marks import Marks
from app.draw.norms import at_units, strips
from app.draw.pictures import CURVE, GRID, IMAGE, Surfaces, centred, inks, scaled, sprite
from app.draw.rendering import fill, skeleton
from app.draw.told import Texts, mean_of, texts_of
from app.words.names import input_titles, output_names, shortened
from app.words.numbers import UNKNOWN, all_signed, target
from app.words.texts import kept
from engine import Network, Quantity, Spec, Trace
from engine.arrays import Floats
from engine.quantity import bias, unit, weight

LIT_AT_MOST = 4  # units of a crowded layer that have their numbers while they are lit
LONGEST = 14  # letters of a name in the drawing
SLIM = 20  # names; more of them are written smaller
FOLDED_AT_MOST = 100  # inputs, which one's own data may have: more are an image
DENSE = 150  # links; more than that have longer dashes, which are drawn in half the time
MANY = 24  # more units than this have coarser pictures in frames of Play: so small they hardly differ


@dataclass(frozen=True)
class Drawing:
    """The drawing and the sentences under it; or in place of the drawing its `values`, for the script to put in."""

    svg: Markup
    legend: str
    layout: Diagram
    values: str | None = None


def _room(names: tuple[str, ...], letter: float) -> float:
    """What names of so wide letters need beside the units; an image's pixels have none."""
    longest = min(LONGEST, max(map(len, names), default=0))
    return 9.0 + letter * longest if names and len(names) <= FOLDED_AT_MOST else 0.0


def applied(network: Network) -> tuple[str, ...]:
    """What each layer applies to its sums, whether it normalizes them, and what is made of that."""
    return tuple(
        ", ".join([name, *["norm"] * (k in network.norms), *marked(network, k)])
        for k, name in enumerate(network.activation_names, 1)
    )


def marked(network: Network, k: int) -> Iterator[str]:
    """The words for what stands behind a layer's activation, a pool first; what adds another layer's has its arc."""
    behind = [network.at(k, letter) for letter in network.attached(k)]
    yield from ("pool" for _, entry in behind if entry.equation is None)
    yield from (entry.name for node, entry in behind if entry.equation and len(node.inputs) == 1)


def arts_of(network: Network, inputs: int) -> tuple[Art, ...]:
    """What each layer's units show of themselves; the raw inputs may be the pixels of one image."""
    layers, image = len(network.sizes), inputs == IMAGE**2
    if network.has_images:
        maps: list[Art] = ["map" if network.image(k) else "value" for k in range(1, layers)]
        return ("ink" if image else "value", *maps)
    if image:
        value: Art = "value"
        return ("ink", "weights", *(value for _ in range(layers - 2)))
    art: Art = "surface" if inputs == 2 else "curve" if inputs == 1 else "value"
    return (art,) * layers


def draw(
    spec: Spec,
    trace: Trace,
    seen: Surfaces | None,
    lens: str,
    batch: bool,
    marks: Marks,
    size: Size | Space = "l",
    patch: bool = False,
    on: str = "",
) -> Drawing:
    """The network under a lens; `seen` are its units' surfaces, for one or two raw inputs. All its ids begin with `on`.

    With `patch` it has only the values, for the page's script to put in their places in the drawing that is there; the
    selected unit's own links in a wide layer have no places, so with them it is whole.
    """
    names, outputs = input_titles(spec), output_names(spec)
    network, narrow = spec.network, isinstance(size, Space) and size.sheet.width < 700
    talk = marks.talks(len(network.sizes) - 1, narrow)
    sheet = _sheet(network, spec.raw_inputs, names, outputs, size, talk, on)
    place = sheet.place
    what = shown(trace, lens, batch, marks.known is not None, marks.chips.width if marks.chips else "")
    legend = explained(place, what.legend(known=marks.known is None, labelled=place.layers[0].labelled), network)
    texts = texts_of(place, trace, what, marks)
    values, chosen = _values(sheet, trace, seen, texts, what, marks, on, coarse=patch and sheet.pictured > MANY)
    carried, boxes = drawn(place, marks.chips, marks.lit)
    labels = _labels(place, trace, texts, what, marks, names, bool(outputs)) + carried
    labels += at_units(place, trace, marks) if network.norms else ""
    if patch and not chosen and not labels:
        return Drawing(Markup(""), legend, place, "|".join(values))
    labels += _on_maps(place, trace, lens, marks, boxes, on) if network.has_images else ""
    return Drawing(fill(sheet.text, [lens, what.below.letter, marks.flow, *values, labels]), legend, place)


def _values(
    sheet: "_Sheet",
    trace: Trace,
    seen: Surfaces | None,
    texts: Sequence[Texts],
    what: Shown,
    marks: Marks,
    on: str,
    coarse: bool,
) -> tuple[list[Any], Markup]:
    """What the skeleton leaves open, in order; and of that the selected unit's links, where not all are drawn."""
    place, arts, lens = sheet.place, sheet.arts, what.lens
    tiles = [_tiles(trace, seen, lens, coarse)] if sheet.pictured else []
    values: list[Any] = [*tiles, *_pictures(place, trace, arts, lens, marks)]
    values += _link_values(place, trace, what, marks)
    chosen = Markup("").join(_chosen_links(place, x, what, marks, on) for x in place.layers[1:] if not x.all_links)
    values += [chosen, *_arc_values(place, trace, lens, marks)]
    for layer in place.layers:
        values += _node_values(layer, arts[layer.index], trace, seen, texts[layer.index], what, marks, place.narrow)
    return values, chosen


def _sides(network: Network, arts: tuple[Art, ...]) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Height and width of every layer's feature maps, and of what a pool gives of them."""
    maps = tuple(network.image(k)[1:] if art == "map" else () for k, art in enumerate(arts))
    return maps, tuple((network.image(k, "v") or (0, 1, 1))[1:] for k in range(len(arts)))


def _labels(
    place: Diagram, trace: Trace, texts: Sequence[Texts], what: Shown, marks: Marks, names: tuple[str, ...], named: bool
) -> Markup:
    """The numbers of lit units, the name of a lit input, and what is wanted of the outputs."""
    if not marks.lit and marks.known is None:
        return Markup("")
    each = zip(place.layers, texts, strict=True)
    labels = Markup("").join(_lit_labels(layer, trace, told, what, marks, not place.tight) for layer, told in each)
    return labels + _lit_input(place.layers[0], shortened(names, LONGEST), marks) + _wanted(place, trace, marks, named)


def _pictures(place: Diagram, trace: Trace, arts: tuple[Art, ...], lens: str, marks: Marks) -> Iterator[str]:
    """The image that comes in, and the feature maps of every layer; on the way back what comes back to them."""
    if "ink" in arts:
        yield inks(trace.x.mean(axis=0)[None], IMAGE)
    back = marks.is_back(lens)
    for k, art in enumerate(arts):
        if art == "map":
            yield map_sprite(trace, k, back, marks.known)
            if place.layers[k].nodes[0].pooled:
                yield map_sprite(trace, k, back, marks.known, pooled=True)
    if "map" in arts:
        yield picture_of(trace, marks.chosen, lens) if marks.link else NONE
    if trace.spec.network.norms:
        yield strips(trace, marks)


def _on_maps(place: Diagram, trace: Trace, lens: str, marks: Marks, boxes: list[Box], on: str) -> Markup:
    """The kernels of the selected link and of those that are lit, as far as they are known; what is marked on maps."""
    chosen = [marks.chosen.of("W", *marks.chosen.index[:2])] if marks.link else []
    lit = (link.quantity for layer in place.layers[1:] for link in layer.links if link.id in marks.lit)
    known = [link for link in (*chosen, *lit) if marks.known is None or _is_known(link, "weights", marks.known)]
    taken = [*boxes_taken(place, marks.lit), *boxes]
    pooled, more = pools.at_units(place, trace, marks, marks.is_back(lens), taken)
    links = on_links(place, trace, lens, known, marks.chosen, [*taken, *more], on)
    return on_maps(place, trace, marks) + pooled + links


@dataclass(frozen=True)
class _Sheet:
    """What the drawings of one architecture share: the places, what units show of themselves, the skeleton's text, and
    how many pictures its sprite has."""

    place: Diagram
    arts: tuple[Art, ...]
    text: str
    pictured: int


@kept(64)
def _sheet(
    network: Network,
    inputs: int,
    names: tuple[str, ...],
    outputs: tuple[str, ...],
    size: Size | Space,
    talk: int,
    on: str,
) -> _Sheet:
    arts, rooms = arts_of(network, inputs), (_room(names, 7.3), _room(outputs, 8.6))
    (maps, gives), mapped = _sides(network, arts), tuple(k for k, art in enumerate(arts) if art == "map")
    pooled = () if isinstance(size, Space) else (*network.pools,)  # a walk has what one gives where it is spoken of
    own, arcs = (network.sizes, applied(network), inputs == IMAGE**2, size), (*network.shortcuts.items(),)
    place = layout(*own, *rooms, arcs, talk, sources(network), mapped, pooled)
    pictured = sum(len(layer.nodes) for layer in place.layers if arts[layer.index] in ("surface", "weights"))
    text = skeleton(
        "_diagram.svg",
        layout=place,
        captions=captions(place),
        arts=arts,
        names=_written(shortened(names, LONGEST)),
        classes=_written(shortened(outputs, LONGEST)),
        whole=(_written(names), _written(outputs)),
        named=_in_one_column(place.layers[0]),
        slim=len(names) > SLIM,
        tile=GRID if inputs == 2 else IMAGE,
        tiles=pictured,
        ink="ink" in arts,
        dense=sum(len(layer.links) for layer in place.layers) > DENSE,
        last=len(place.layers) - 1,
        on=on,
        maps=maps,
        gives=gives,
    )
    return _Sheet(place, arts, text, pictured)


def _written(names: tuple[str, ...]) -> list[str]:
    """Names as they may stand in a skeleton."""
    return [name.replace("%", "%%") for name in names]


def _tiles(trace: Trace, seen: Surfaces | None, lens: str, coarse: bool = False) -> str:
    """Every unit's surface, a coarse one by every other point of every other row; or for an image's pixels, the first
    layer's weights as the lens has them."""
    if seen is not None and coarse:
        tiles = [layer.reshape(-1, GRID, GRID)[:, ::2, ::2].reshape(-1, GRID // 2) for layer in seen.layers]
        return sprite(np.concatenate(tiles), GRID // 2)
    if seen is not None:
        return sprite(np.concatenate(seen.layers), GRID)
    first = trace.layers[0]
    change = {"gradients": first.dW, "updates": first.W_next - first.W}
    return sprite(scaled(change.get(lens, first.W)), IMAGE)


def _signs(values: NDArray[np.floating]) -> list[str]:
    return ["n" if negative else "p" for negative in (values < 0).tolist()]


def _link_values(place: Diagram, trace: Trace, what: Shown, marks: Marks) -> list[str]:
    """Class, width and number of every link drawn, of all layers at once: a NumPy call costs as much as 20 links."""
    there = [layer for layer in place.layers[1:] if layer.links]
    if not there:
        return []
    flat = np.concatenate([what.links[layer.index - 1].ravel() for layer in there])
    kinds, texts = _signs(flat), all_signed(flat.tolist())
    strokes = ("%.1f " * len(flat) % tuple(widths(flat, what.reach))).split()
    carried = marks.chips.carried if marks.chips else {}
    if carried:
        ids = (link.id for layer in there for link in layer.links)
        strokes = [_carrying(carried[id]) if id in carried else stroke for id, stroke in zip(ids, strokes, strict=True)]
    if marks.select or marks.lit or marks.known is not None:
        links = (link.quantity for layer in there for link in layer.links)
        kinds = [kind + _link_marks(link, what.lens, marks) for kind, link in zip(kinds, links, strict=True)]
        texts = [UNKNOWN if "unknown" in kind else text for kind, text in zip(kinds, texts, strict=True)]
    if trace.spec.network.dropouts:
        out = [_dropped(trace, layer.index - 1, marks) for layer in there]
        ends = (out[n][link.source - 1] for n, layer in enumerate(there) for link in layer.links)
        kinds = [kind + " out" * is_out for kind, is_out in zip(kinds, ends, strict=True)]
    return [value for row in zip(kinds, strokes, texts, strict=True) for value in row]


def _carrying(value: float) -> str:
    """The width of a link while it carries so much."""
    return f"{2.5 + min(7.5, 10 * abs(value)) if isfinite(value) else 2.5:.1f}"


def _arc_values(place: Diagram, trace: Trace, lens: str, marks: Marks) -> list[str]:
    """Class and number of every arc: what it adds, or where gradients are shown, what it brings back."""
    values: list[str] = []
    for arc in place.arcs:
        back = lens == "gradients"
        kind = trace.spec.network.joint_kind(arc.layer)
        carried = sums(getattr(trace.layers[arc.layer - 1], kind)) if back else mean_of(trace, arc.source)
        source = given_by(trace, arc.source, arc.unit)
        known = marks.knows(unit(arc.layer, arc.unit).like(kind) if back else source)
        told = all_signed(carried.tolist())[arc.unit - 1] if arc.unit and known else UNKNOWN if arc.unit else ""
        values += [f" lit {marks.tone}" if arc.id in marks.lit else "" if known else " unknown", told]
    return values


def given_by(trace: Trace, layer: int, j: int) -> Quantity:
    """What a unit gives to those above it: its a, or what dropout or a shortcut makes of that."""
    return unit(layer, j).like(trace.spec.network.given_kind(layer))


def _link_marks(link: Quantity, lens: str, marks: Marks) -> str:
    marked = " sel" if link.svg_id == marks.link else ""
    if link.svg_id in marks.lit:
        marked += f" lit {marks.tone}"
    return marked if marks.known is None or _is_known(link, lens, marks.known) else marked + " unknown"


def _is_known(link: Quantity, lens: str, known: frozenset[Quantity]) -> bool:
    """Whether what a lens shows of a link is computed; its weight is there from the start."""
    if lens == "activations":  # a product, which coarser grains take together with its unit's sum
        return link.like("p").is_in(known) or link.of("z", link.unit).is_in(known)
    return lens == "weights" or (link.like("dW") if lens == "gradients" else link).is_in(known)


def _chosen_links(place: Diagram, layer: Layer, what: Shown, marks: Marks, on: str) -> Markup:
    """The links of the selected unit alone, where all would be too many."""
    chosen = marks.chosen
    below = place.layers[layer.index - 1].nodes
    if not what.each_link[layer.index - 1]:
        return Markup("")
    if chosen.layer != layer.index or not 1 <= chosen.unit <= len(layer.nodes) or below[0].unit == 0:
        return Markup("")
    target, row = layer.nodes[chosen.unit - 1], what.links[layer.index - 1][chosen.unit - 1]
    strokes, texts, signs = widths(row, what.reach), all_signed(row.tolist()), _signs(row)
    parts = []
    for j, source in enumerate(below):
        link = weight(layer.index, chosen.unit, source.unit)
        marked = signs[j] + _link_marks(link, what.lens, replace(marks, lit=frozenset()))
        shape, text = curve(source, target, j, len(below)), UNKNOWN if "unknown" in marked else texts[j]
        parts.append(_LINK.format(on + link.svg_id, marked, shape, strokes[j], text))
    return Markup("").join(parts)


_LINK = Markup('<path id="{}" class="w {}" tabindex="-1" d="{}" stroke-width="{:.1f}" data-v="{}"/>')


def _node_values(
    layer: Layer, art: Art, trace: Trace, seen: Surfaces | None, texts: Texts, what: Shown, marks: Marks, narrow: bool
) -> list[Any]:
    k, values = layer.index, list[Any]()
    bias_signs = _signs(what.biases[k - 1]) if k else []
    extra = _art_values(k, art, trace, seen)
    told, above, below = texts
    letter = trace.spec.network.given_kind(k)
    above_at, below_at = ("", "") if narrow else (f"{letter} ", what.below.name + " ")
    out, known = _dropped(trace, k, marks), marks.known is None
    for i, node in enumerate(layer.nodes):
        marked = ("sel " if node.address == marks.unit else "") + (marks.tone if node.id in marks.lit else "")
        values += [marked + " out", told[i] + ", out: dropped in this step"] if out[i] else [marked, told[i]]
        if extra:
            hidden = art == "value" and not known and not marks.knows(node.quantity.like(letter))
            values += ("p", "0.00") if hidden else extra[i]
        if k:
            plain = known and marks.select is None
            values.append(bias_signs[i] + ("" if plain else _bias_marks(bias(k, node.unit), what.lens, marks)))
        if layer.labelled:
            values.append(above_at + above[i] if what.above and node.unit else "")
            if k:
                values.append(below_at + below[i])
    return values


def _dropped(trace: Trace, k: int, marks: Marks) -> list[bool]:
    """Of every unit of a layer whether dropout has put it to 0 on all examples, once that is known."""
    mask = trace.layers[k - 1].mask if k else None
    if mask is None:
        return [False] * trace.spec.network.sizes[k]
    kept = enumerate((mask != 0).any(axis=(0, *range(2, mask.ndim))).tolist(), 1)
    return [not stays and marks.knows(unit(k, j).like("h")) for j, stays in kept]


def _lit_labels(layer: Layer, trace: Trace, texts: Texts, what: Shown, marks: Marks, wide: bool) -> Markup:
    """The numbers of the lit units of a layer that has no room for everybody's."""
    lit = [(i, node) for i, node in enumerate(layer.nodes) if node.unit and node.id in marks.lit]
    if layer.labelled or not lit or len(lit) > LIT_AT_MOST or not layer.index:
        return Markup("")
    _, above, below = texts
    letter, parts = trace.spec.network.given_kind(layer.index), list[Markup]()
    output = layer.index == len(trace.layers)
    several = 0 if what.below.name == "b" or marks.tone == "forward" else 1
    for i, node in lit:
        told = f"{letter} {above[i]}", f"{what.below.name} {below[i]}"
        side, x = ("before", node.left - 8) if output else ("beside", layer.right + 6)  # names of classes stand there
        at = (side, x, node.y - 3, node.y + 11) if wide or output else ("", node.x, node.top - 4, node.bottom + 12)
        made = [_LABEL.format(kind, *at[:2], y, text) for kind, y, text in zip(_AROUND, at[2:], told, strict=True)]
        parts += made if len(lit) == 1 else made[several : several + 1]
    return Markup("").join(parts)


def _in_one_column(layer: Layer) -> bool:
    return len({node.x for node in layer.nodes}) == 1


def _lit_input(layer: Layer, names: tuple[str, ...], marks: Marks) -> Markup:
    """The name of the one input that is lit, where they stand in several columns and have none beside them."""
    lit = [node for node in layer.nodes if node.id in marks.lit and node.unit]
    if len(lit) != 1 or _in_one_column(layer):
        return Markup("")
    return _NAME.format(layer.nodes[0].left - 7, lit[0].y + 5, names[lit[0].unit - 1])


_NAME = Markup('<text class="name" x="{:.1f}" y="{:.1f}">{}</text>')


def _wanted(place: Diagram, trace: Trace, marks: Marks, named: bool) -> Markup:
    """What is wanted of each output of one example in a walkthrough: its target, beside the unit or below its name, or
    above, over its number there, where there is no room."""
    layer, over = place.layers[-1], place.over
    if marks.known is None or len(trace.examples) > 1 or not (over or (layer.labelled and not layer.beside)):
        return Markup("")
    told = zip(layer.nodes, map(target, trace.y[0].tolist()), strict=True)
    if over:
        return Markup("").join(_TARGET.format(" over", node.right - 38, node.top - over, y) for node, y in told)
    return Markup("").join(_TARGET.format("", node.right + 7, node.y + (19 if named else 5), y) for node, y in told)


_TARGET = Markup('<text class="wanted{}" x="{:.1f}" y="{:.1f}">→ y {}</text>')
_AROUND = ("above", "below")
_LABEL = Markup('<text class="{} told {}" x="{}" y="{:.1f}">{}</text>')


def _bias_marks(of: Quantity, lens: str, marks: Marks) -> str:
    """The dot of a gradient or an update tells its sign only once that is computed."""
    quantity = of.like("db") if lens == "gradients" else of
    unknown = lens in ("gradients", "updates") and not marks.knows(quantity)
    return (" sel" if str(of) == marks.select else "") + (" unknown" if unknown else "")


def _art_values(k: int, art: Art, trace: Trace, seen: Surfaces | None) -> list[list[Any]]:
    """What fills each unit's own picture, where that is not a part of the sprite."""
    if art == "curve" and seen is not None:
        x = np.arange(CURVE, dtype=float)
        return [[path(x, -20 * row.astype(float))] for row in seen.layers[k]]
    if art == "value":
        a = _shades(mean_of(trace, k), trace.spec.network.spread_by(k) if k else "")
        return [[sign, f"{abs(v):.2f}"] for sign, v in zip(_signs(a), a.tolist(), strict=True)]
    return []


def _shades(values: Floats, activation: str) -> NDArray[np.floating]:
    """How deep each unit's colour is: inputs (no activation) by the largest, a probability as it is."""
    if not activation:
        return np.asarray(scaled(values[None])[0])
    return values if activation == "softmax" else centred(values[:, None], activation)[:, 0]
