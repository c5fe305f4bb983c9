"""What is drawn of feature maps: a channel is a unit, its number the mean of its map, and a kernel one link."""

from collections.abc import Sequence

import numpy as np

from app.draw.pictures import sprite
from engine import Network, Quantity, Trace
from engine.arrays import Floats


def means(values: Floats) -> Floats:
    """One number a unit: the mean over the examples, and over the places of its map."""
    return np.asarray(values.mean(axis=(0, *range(2, values.ndim))))


def sums(values: Floats) -> Floats:
    """One number a unit: the sum over the examples, and over the places of its map."""
    return np.asarray(values.sum(axis=(0, *range(2, values.ndim))))


def strongest(network: Network, arrays: Sequence[Floats], by: Sequence[Floats] = ()) -> list[Floats]:
    """A number a link, (units, units below) a layer: what an array as W has for it, of many weights the largest by
    size, or what stands where those of other arrays are the largest."""
    if not network.has_images:
        return list(arrays)
    pairs = zip(arrays, by or arrays, strict=True)
    return [_by_unit(network, k, values, sizes) for k, (values, sizes) in enumerate(pairs, 1)]


def _by_unit(network: Network, k: int, values: Floats, sizes: Floats) -> Floats:
    if not network.image(k) and (k == 1 or not network.image(k - 1, network.given_kind(k - 1))):
        return values
    sources = values.shape[1] if network.image(k) else network.sizes[k - 1]
    apart = values.reshape(len(values), sources, -1)
    place = np.abs(np.nan_to_num(sizes.reshape(apart.shape))).argmax(axis=-1)
    return np.asarray(np.take_along_axis(apart, place[..., None], -1)[..., 0])


def has_place(network: Network, of: Quantity) -> bool:
    """Whether an address such as a1.2.5.7 is a place of a layer's feature maps: its channel, row and column."""
    sides, places = network.image(of.layer) if of.layer else (), (int(str(at)) for at in of.index)
    inside = all(1 <= at <= side for at, side in zip(places, sides, strict=False))
    return of.kind == "a" and len(of.index) == len(sides) == 3 and inside


def is_told(network: Network, of: Quantity) -> bool:
    """Whether a walkthrough can tell of it in place of the largest: a place of feature maps, a weight of a kernel."""
    return has_place(network, of) or (len(of.index) == 4 and network.has(of))


def sources(network: Network) -> tuple[int, ...]:
    """By layer, from 1: from how many units links lead that are a weight, or a kernel, each; 0 where a unit takes
    feature maps place by place."""
    return tuple(sources_of(network, k) for k in range(1, len(network.sizes)))


def sources_of(network: Network, k: int) -> int:
    """The same of one layer."""
    if not network.image(k):
        return 0 if flattens(network, k) else network.sizes[k - 1]
    return network.sizes[k - 1] if _below(network, k) else 1 if k == 1 else 0


def flattens(network: Network, k: int) -> bool:
    """Whether a layer's units take feature maps place by place, as plain numbers."""
    return bool(_below(network, k)) and not network.image(k)


def told_of(network: Network, k: int) -> int:
    """How many products of a unit are told: one a link, or of maps that it takes place by place one a channel; none of
    a convolution that takes plain numbers."""
    return network.sizes[k - 1] if flattens(network, k) else sources_of(network, k)


def _below(network: Network, k: int) -> tuple[int, ...]:
    return network.image(k - 1, network.given_kind(k - 1)) if k > 1 else ()


def map_sprite(trace: Trace, k: int, back: bool, known: frozenset[Quantity] | None, pooled: bool = False) -> str:
    """A layer's maps, one below the other: what its activations are, or what comes back to its sums; or `pooled`, what
    its pool gives, or what comes back to that. What a walkthrough has yet to compute is empty; on its way back what has
    come back already stands in its place."""
    kinds, layer, walking = ("v", "dv") if pooled else ("a", "dz"), trace.layers[k - 1], known is not None
    ahead, behind = (getattr(layer, kind) for kind in kinds)
    first, second = np.nan_to_num(ahead.mean(axis=0)), np.nan_to_num(behind.sum(axis=0))
    shown = np.zeros_like(first)
    for maps, kind, wanted in ((first, kinds[0], walking or not back), (second, kinds[1], back)):
        there = [not walking or Quantity(kind, k, (j,)).is_in(known or frozenset()) for j in range(1, len(first) + 1)]
        reach = float(np.abs(maps).max()) or 1.0
        chosen = np.array(there) & wanted
        shown[chosen] = maps[chosen] / reach
    width = shown.shape[-1] if shown.ndim == 3 else 1
    return sprite(np.asarray(shown.reshape(-1, width), dtype=np.float32), width)
