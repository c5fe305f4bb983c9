"""Pixels for a lesson: drawn or stored images of 16 × 16, what a network answers to them, and weights as images."""

import re
from dataclasses import dataclass

import numpy as np

from app.draw.pictures import IMAGE, inks, scaled, sprite
from app.learn.facts import Facts
from app.words.numbers import percent
from engine import examples_of, outputs_of
from engine.arrays import Floats
from engine.network import with_ones
from engine.probes import wishes

PIXELS = IMAGE**2
LEVELS = 15
_INK = re.compile(rf"[0-9a-f]{{{PIXELS}}}")


def pixels_of(ink: str) -> Floats | None:
    """Pixels (256,) from 0 to 1 of 256 hexadecimal digits; None for any other text."""
    if not _INK.fullmatch(ink):
        return None
    return np.array([int(digit, 16) for digit in ink]) / LEVELS


def ink_of(pixels: Floats) -> str:
    """Pixels as hexadecimal digits, the inverse of `pixels_of` up to rounding."""
    return "".join(f"{level:x}" for level in np.clip(np.rint(pixels * LEVELS), 0, LEVELS).astype(int))


def stored(facts: Facts, example: int) -> Floats:
    """The pixels of one of the run's examples."""
    pixels: Floats = examples_of(facts.state.spec).raw[example]
    return pixels


def label(facts: Facts, example: int) -> int:
    """Which digit an example is."""
    return int(examples_of(facts.state.spec).labels[example])


def centred(pixels: Floats) -> Floats:
    """The drawing moved so that its ink is balanced in the middle, as in the images the network learned from."""
    image = pixels.reshape(IMAGE, IMAGE)
    total = image.sum()
    if not total:
        return pixels
    middle = (IMAGE - 1) / 2
    shift = [round(middle - float((image.sum(axis=1 - axis) * np.arange(IMAGE)).sum() / total)) for axis in (0, 1)]
    moved = np.zeros_like(image)
    rows, columns = (np.flatnonzero(image.any(axis=1 - axis)) for axis in (0, 1))
    # never push ink over the edge
    down = int(np.clip(shift[0], -rows[0], IMAGE - 1 - rows[-1]))
    right = int(np.clip(shift[1], -columns[0], IMAGE - 1 - columns[-1]))
    moved[rows[0] + down : rows[-1] + down + 1, columns[0] + right : columns[-1] + right + 1] = image[
        rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1
    ]
    return moved.ravel()


def answers(facts: Facts, pixels: Floats) -> list[float]:
    """What the network gives each digit, as shares that add up to 1."""
    shares: list[float] = outputs_of(facts.state, with_ones(pixels[None]))[0].tolist()
    return shares


@dataclass(frozen=True)
class Images:
    """Images of 16 × 16, one below the other in one picture."""

    picture: str
    count: int


def picture(pixels: Floats) -> str:
    """One image as ink."""
    return inks(pixels[None], IMAGE)


def weight_images(facts: Facts) -> Images:
    """The weights into each unit of the first layer, blue where ink raises its sum, orange where ink lowers it."""
    W = facts.trace.layers[0].W
    return Images(sprite(scaled(W), IMAGE), len(W))


def gradient_images(facts: Facts) -> Images:
    """The gradients of the same weights on the trace's examples; all on one scale, so that a quiet unit is pale."""
    dW = facts.trace.layers[0].dW
    reach = np.abs(dW).max() or 1.0
    return Images(sprite(np.asarray(dW / reach, dtype=np.float32), IMAGE), len(dW))


def output_wishes(facts: Facts) -> list[tuple[str, float]]:
    """For one example, what each output should do: a - y for each digit."""
    dz = facts.trace.layers[-1].dz[0]
    return [(str(k), float(value)) for k, value in enumerate(dz)]


@dataclass(frozen=True)
class Agreement:
    """How far each example of a batch wants what the batch's mean does: cosines, the largest first."""

    rows: tuple[tuple[int, int, float], ...]
    """(example, its digit, cosine)"""
    against: int


def agreement(facts: Facts) -> Agreement:
    """The wishes of the next mini-batch, compared with their mean."""
    found = wishes(facts.state)
    rows = [
        (int(example), label(facts, int(example)), float(cosine))
        for example, cosine in zip(found.examples, np.nan_to_num(found.cosines), strict=True)
    ]
    ranked = tuple(sorted(rows, key=lambda row: -row[2]))
    return Agreement(ranked, sum(1 for row in rows if row[2] < 0))


def share_rows(shares: list[float]) -> list[tuple[str, str, float, str]]:
    """Shares as bars (name, text, share of the width, class)."""
    return [(str(k), percent(share, 0), round(share, 4), "forward") for k, share in enumerate(shares)]


def trained_on(facts: Facts) -> int:
    """How many images it learns from."""
    return examples_of(facts.state.spec).train
