"""What each unit sees, as pictures: one small indexed PNG for all units, evaluated over a grid in one float32 pass.

The palette runs orange - transparent - blue, so that the paper of either theme shows through where a value is near 0.
"""

from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from struct import pack
from zlib import Z_RLE, compressobj, crc32

import numpy as np
from numpy.typing import NDArray

from engine import ACTIVATIONS, RunState, unit_maps

Grid = NDArray[np.float32]

GRID = 50
CURVE = 61
IMAGE = 16  # pixels on each side of an example that is an image
NEGATIVE, POSITIVE = (216, 118, 43), (31, 108, 176)
UP = (
    2  # PNG's filter: what a pixel is more than the one above it, mostly nothing, so that runs are all there is to find
)
UNIT_COLOURS, OUTPUT_COLOURS = 15, 63  # odd, so that 0 has a colour of its own: none
# No hue of a sign's or an update's; the first three differ for every kind of colour blindness, on either theme's paper.
_HUES = ("c42a68", "b39000", "8593a8", "6c2fd8", "785400", "9c1ca8", "d4708c", "9c84c8", "5b6470", "d8a0c0")
CLASS_COLOURS = [bytes.fromhex(hue) for hue in _HUES]


@dataclass(frozen=True)
class Surfaces:
    """What every unit answers over a grid: per layer, the inputs first, (units, points) in [-1, 1], and the outputs
    (outputs, points) as they are. `points` are GRID x GRID for two raw inputs, top row first, or CURVE for one."""

    layers: tuple[Grid, ...]
    outputs: Grid


def has_surfaces(state: RunState) -> bool:
    """Whether the raw inputs are few enough to draw along: one or two."""
    return state.spec.raw_inputs <= 2


def surfaces(state: RunState) -> Surfaces:
    """Every unit's answer over the domain; for specs with one or two raw inputs."""
    spec = state.spec
    inputs, *layers = (
        units.reshape(len(units), -1) for units in unit_maps(state, GRID if spec.raw_inputs == 2 else CURVE)
    )
    given = (centred(values, spec.network.spread_by(k)) for k, values in enumerate(layers, 1))
    return Surfaces((scaled(inputs), *given), layers[-1])


def centred(a: NDArray[np.floating], activation: str) -> Grid:
    """Activations (units, points) brought to [-1, 1]: by their range, or each unit by its own largest value."""
    low, high = ACTIVATIONS[activation].range
    if low >= 0 and high <= 1:
        return np.asarray(2 * a - 1, dtype=np.float32)
    if low >= -1 and high <= 1:
        return np.asarray(a, dtype=np.float32)
    finite = np.nan_to_num(a, nan=0.0, posinf=1e6, neginf=-1e6)
    reach = np.maximum(1.0, np.abs(finite).max(axis=1, keepdims=True, initial=0.0))
    return np.asarray(finite / reach, dtype=np.float32)


def scaled(values: NDArray[np.floating]) -> Grid:
    """Any values (rows, n), each row divided by its largest size."""
    reach = np.abs(values).max(axis=1, keepdims=True, initial=0.0)
    return np.asarray(values / np.where(reach > 0, reach, 1), dtype=np.float32)


def sprite(values: Grid, width: int, colours: int = UNIT_COLOURS) -> str:
    """Rows of values in [-1, 1], pictures one below the other, as the data URI of one indexed PNG of that width."""
    steps = (colours - 1) / 2
    scale = values * np.float32(steps)
    scale += np.float32(steps + 0.5)
    np.clip(scale, 0, colours - 1, out=scale)
    if np.isnan(scale.min(initial=0)):  # what is not a number gets a colour too
        np.nan_to_num(scale, copy=False)
    return data_uri(indexed_png(scale.astype(np.uint8).reshape(-1, width), diverging(colours)))


def classes_sprite(outputs: Grid, width: int) -> str:
    """The winning class of each point, (classes, points), fainter where it hardly wins."""
    levels = 8
    winner = outputs.argmax(axis=0)
    ordered = np.sort(outputs, axis=0)
    margin = np.nan_to_num(np.clip(ordered[-1] - ordered[-2], 0, 1))
    index = winner * levels + np.minimum(margin * levels, levels - 1).astype(np.int64)
    hues = [CLASS_COLOURS[k % len(CLASS_COLOURS)] for k in range(len(outputs))]
    colours = [(red, green, blue, round(255 * (i + 0.5) / levels)) for red, green, blue in hues for i in range(levels)]
    return data_uri(indexed_png(index.astype(np.uint8).reshape(-1, width), tuple(colours)))


def inks(images: NDArray[np.floating], width: int) -> str:
    """Images of ink from 0 to 1, one below the other, as one PNG: the ink is black and transparent paper."""
    levels = 15
    palette = tuple((0, 0, 0, round(255 * i / levels)) for i in range(levels + 1))
    index = np.clip(images * levels + 0.5, 0, levels).astype(np.uint8)
    return data_uri(indexed_png(index.reshape(-1, width), palette))


@lru_cache(maxsize=8)
def diverging(colours: int) -> tuple[tuple[int, int, int, int], ...]:
    """Orange to transparent to blue."""
    shares = np.linspace(-1, 1, colours)
    return tuple((*(NEGATIVE if s < 0 else POSITIVE), round(255 * abs(s))) for s in shares)


def indexed_png(index: NDArray[np.uint8], palette: tuple[tuple[int, int, int, int], ...]) -> bytes:
    """An indexed PNG with alpha; four bits a pixel where sixteen colours suffice."""
    height, width = index.shape
    small = len(palette) <= 16
    if small:
        if width % 2:
            index = np.pad(index, ((0, 0), (0, 1)))
        pairs = np.ascontiguousarray(index).view("<u2")  # the left pixel is the lower byte, and goes to the upper bits
        index = (pairs << 4 | pairs >> 8).astype(np.uint8)
    rows = np.empty((height, index.shape[1] + 1), dtype=np.uint8)
    rows[:, 0], rows[0, 1:] = UP, index[0]
    np.subtract(index[1:], index[:-1], out=rows[1:, 1:])
    header = pack(">IIBBBBB", width, height, 4 if small else 8, 3, 0, 0, 0)
    packing = compressobj(1, strategy=Z_RLE)
    picture = _chunk(b"IDAT", packing.compress(rows.tobytes()) + packing.flush())
    return b"".join((b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header), _colours(palette), picture, _chunk(b"IEND", b"")))


@lru_cache(maxsize=32)
def _colours(palette: tuple[tuple[int, int, int, int], ...]) -> bytes:
    """The chunks of a palette and its alphas."""
    solid = bytes(c for colour in palette for c in colour[:3])
    return _chunk(b"PLTE", solid) + _chunk(b"tRNS", bytes(colour[3] for colour in palette))


def _chunk(name: bytes, body: bytes) -> bytes:
    return pack(">I", len(body)) + name + body + pack(">I", crc32(name + body))


def data_uri(png: bytes) -> str:
    """As the text of an href."""
    return "data:image/png;base64," + b64encode(png).decode()
