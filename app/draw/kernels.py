"""What is drawn onto feature maps and between them: a kernel as a small picture on its link, the window of a map that a
moment speaks of, and who won each window of a max pool.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from markupsafe import Markup

from app.draw.chips import SHARES, Box, is_free
from app.draw.diagram import Diagram, LinkPlace
from app.draw.marks import Marks
from app.draw.pictures import sprite
from engine import Quantity, Trace
from engine.arrays import Floats

SIDE, NONE = 27.0, "data:,"  # of a kernel's picture; of none


def shown(trace: Trace, layer: int, lens: str) -> Floats | None:
    """A layer's kernels under a lens, or how they change, as shares of the largest; None for what has no kernels."""
    own = trace.layers[layer - 1]
    change = {"gradients": own.dW, "updates": own.W_next - own.W}
    kernels = np.nan_to_num(change.get(lens, own.W))
    return kernels / (float(np.abs(kernels).max()) or 1.0) if kernels.ndim == 4 else None


def picture_of(trace: Trace, link: Quantity, lens: str) -> str:
    """One kernel as a picture's address."""
    kernels = shown(trace, link.layer, lens) if link.layer else None
    if kernels is None:
        return NONE
    kernel = kernels[link.unit - 1, link.source - 1]
    return sprite(np.asarray(kernel, dtype=np.float32), kernel.shape[-1])


def on_links(
    place: Diagram, trace: Trace, lens: str, links: Iterable[Quantity], select: Quantity, taken: Sequence[Box], on: str
) -> Markup:
    """The selected link's kernel, and those of others as far as they have room, none on a phone, each on its link."""
    there = {link.id: link for layer in place.layers[1:] for link in layer.links}
    boxes, parts = list(taken), list[Markup]()
    for each in dict.fromkeys(links):
        link, kernels = there.get(each.svg_id), shown(trace, each.layer, lens)
        chosen = each == select.of("W", *select.index[:2])
        if link is None or kernels is None or (place.narrow and not chosen):
            continue
        room = _room(link, boxes, place, chosen)
        if room:
            boxes.append(room)
            href = f"#{on}kernel" if chosen else picture_of(trace, each, lens)
            parts.append(_kernel(room, kernels.shape[-1], href, select if chosen else None))
    return Markup("").join(parts)


def _room(link: LinkPlace, boxes: list[Box], place: Diagram, chosen: bool) -> Box | None:
    """Where on its link a kernel is in nobody's way; a selected one is drawn in any case."""
    found = list[Box]()
    for share in SHARES:
        x, y = link.path.at(share)
        box = round(x - SIDE / 2, 1), round(y - SIDE / 2, 1), round(x + SIDE / 2, 1), round(y + SIDE / 2, 1)
        if is_free(box, boxes, place):
            return box
        found.append(box)
    return found[0] if chosen else None


def _kernel(box: Box, side: int, href: str, select: Quantity | None) -> Markup:
    mark = Markup("")
    if select is not None and len(select.index) == 4:
        mark = _CELL.format(select.index[3] - 1, select.index[2] - 1)  # type: ignore[operator]
    picture = _USE.format(href, side) if href.startswith("#") else _IMAGE.format(side, side, href)
    return _KERNEL.format(" sel" if select else "", *box[:2], SIDE, SIDE, side, side, picture, side, side, mark)


def on_maps(place: Diagram, trace: Trace, marks: Marks) -> Markup:
    """Windows on the maps that a moment reads, on those that a max pool reads the winners' places, and crossed what
    dropout has put to 0."""
    won = dict(_winners(trace, *_spoken_of(trace, marks)))
    out = {node: path for k in trace.spec.network.dropouts for node, path in _dropped(trace, k, marks)}
    parts = list[Markup]()
    for layer in place.layers:
        shape = trace.spec.network.image(layer.index)
        for node in layer.nodes if shape and (layer.index or not layer.nodes[0].unit) else ():
            window, dots, crosses = marks.windows.get(node.id), won.get(node.id, ""), out.get(node.id, "")
            if window or dots or crosses:
                top, left, high, wide = window or (0, 0, 0, 0)
                drawn = _WINDOW.format(left, top, wide, high) if window else Markup("")
                drawn += _WINNERS.format(dots) if dots else Markup("")
                drawn += _CROSSES.format(crosses) if crosses else Markup("")
                parts.append(_MAP.format(node.left, node.top, node.side, node.side, shape[2], shape[1], drawn))
    return Markup("").join(parts)


def _spoken_of(trace: Trace, marks: Marks) -> tuple[int, tuple[int, ...]]:
    """The layer and the units whose max pool a moment speaks of, or whose channel is selected of one example."""
    k, pool = marks.chosen.layer, trace.spec.network.pools.get(marks.chosen.layer)
    at_rest = marks.known is None and len(trace.examples) == 1 and pool and pool.operation == "max_pool"
    return (k, (marks.chosen.unit,)) if at_rest and marks.chosen.unit else marks.pools


def _winners(trace: Trace, k: int, units: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """By node: a point in each place whose number its window's max pool passes on, of equals the first."""
    if not k:
        return
    network = trace.spec.network
    maps: Floats = getattr(trace.layers[k - 1], network.before(k, "v"))[0]
    side = int(network.pools[k].option("size"))
    high, wide = (length // side for length in maps.shape[1:])
    for j in units or range(1, len(maps) + 1):
        apart = maps[j - 1, : high * side, : wide * side].reshape(high, side, wide, side).swapaxes(1, 2)
        rows, columns = np.divmod(apart.reshape(high, wide, -1).argmax(axis=-1), side)
        places = ((x * side + columns[y, x] + 0.5, y * side + rows[y, x] + 0.5) for y, x in np.ndindex(high, wide))
        yield Quantity("a", k, (j,)).svg_id, "".join(f"M{x:g} {y:g}h0" for x, y in places)


def _dropped(trace: Trace, k: int, marks: Marks) -> Iterator[tuple[str, str]]:
    """By node: a cross in each place that dropout has put to 0, once that is known; of a pooled map over its window."""
    mask, (_, high, wide) = trace.layers[k - 1].mask, trace.spec.network.image(k) or (0, 0, 0)
    if mask is None or mask.ndim < 4 or marks.known is None:
        return
    down, across = high // mask.shape[2], wide // mask.shape[3]
    for j, out in enumerate((mask == 0).all(axis=0), 1):
        if marks.knows(Quantity("h", k, (j,))):
            places = np.argwhere(out).tolist()
            cross = f"l{across} {down}m-{across} 0l{across} -{down}"
            yield Quantity("a", k, (j,)).svg_id, "".join(f"M{x * across} {y * down}{cross}" for y, x in places)


_USE = Markup('<use href="{}" transform="scale({})"/>')
_IMAGE = Markup('<image width="{}" height="{}" href="{}"/>')
_CELL = Markup('<rect class="cell" x="{}" y="{}" width="1" height="1"/>')
_KERNEL = Markup(
    '<svg class="kernel{}" x="{}" y="{}" width="{}" height="{}" viewBox="0 0 {} {}">'
    '<rect class="back" width="100%" height="100%"/>{}<rect class="edge" width="{}" height="{}"/>{}</svg>'
)
_MAP = Markup(
    '<svg class="spots" x="{}" y="{}" width="{}" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>'
)
_WINDOW = Markup('<rect class="window" x="{}" y="{}" width="{}" height="{}"/>')
_CROSSES = Markup('<path class="crosses" d="{}"/>')
_WINNERS = Markup('<path class="winners" d="{}"/>')
